/*
 * The address space of UEFI runtime services: the memory that they were given
 * at boot, at its physical address, and the kernel's upper half, so that
 * stacks, interrupt tables and arguments are where they are. Nothing else of
 * the lower half exists there. Thread context, one caller at a time.
 */
#include "efi_tables.h"

#include <errno.h>
#include <string.h>

#include <arch/features.h>
#include <arch/paging.h>
#include <rayos/mm.h>

#define ENTRIES      512
#define UPPER_HALF   256 /* first entry of the top table above the hole */
#define TOP_SHIFT    39
#define LARGE_LEVEL  21 /* shift of a page directory's entry */
#define LOWER_END    (UINT64_C(1) << 47)
#define INDEX(a, sh) ((a) >> (sh) & (ENTRIES - 1))

static phys_t root;

static int table_alloc(uint64_t *entry)
{
    phys_t table = frame_alloc(0, FRAME_ZERO);

    if (table == FRAME_NONE)
        return -ENOMEM;
    *entry = table | PTE_P | PTE_W;
    return 0;
}

/* Map one page of 4 KiB (shift 12) or 2 MiB (shift 21). */
static int page_map(phys_t page, unsigned shift, uint64_t flags)
{
    uint64_t *table = phys_to_virt(root);

    for (unsigned level = TOP_SHIFT; level > shift; level -= 9) {
        uint64_t *entry = &table[INDEX(page, level)];
        int error = *entry & PTE_P ? 0 : table_alloc(entry);

        if (error)
            return error;
        if (*entry & PTE_PS) /* a larger page covers it already */
            return 0;
        table = phys_to_virt(*entry & PTE_ADDR);
    }
    table[INDEX(page, shift)] = page | flags;
    return 0;
}

static int root_create(void)
{
    if (root)
        return 0;
    /* Below 4 GiB for no other reason than that all CR3 values are. */
    phys_t table = frame_alloc(0, FRAME_ZERO | FRAME_LOW32);

    if (table == FRAME_NONE)
        return -ENOMEM;
    root = table;
    return 0;
}

int efi_tables_map(phys_t base, uint64_t size, bool executable, bool uncached)
{
    uint64_t flags = PTE_P | PTE_W | PTE_A | PTE_D;
    int error = root_create();

    if (base >= LOWER_END || size > LOWER_END - base)
        return -EINVAL;
    if (!executable)
        flags |= arch_cpu_info()->nx_mask;
    if (uncached)
        flags |= PTE_CACHE_UC;
    while (size && !error) {
        bool large = base % LARGE_PAGE_SIZE == 0 && size >= LARGE_PAGE_SIZE;
        uint64_t step = large ? LARGE_PAGE_SIZE : PAGE_SIZE;

        error = page_map(base, large ? LARGE_LEVEL : PAGE_SHIFT,
                         large ? flags | PTE_PS : flags);
        base += step;
        size -= step;
    }
    return error;
}

phys_t efi_tables_root(void)
{
    if (root)
        memcpy((uint64_t *)phys_to_virt(root) + UPPER_HALF,
               (const uint64_t *)phys_to_virt(kspace_root()) + UPPER_HALF,
               (ENTRIES - UPPER_HALF) * sizeof(uint64_t));
    return root;
}
