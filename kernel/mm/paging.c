/*
 * Walking and filling the kernel's page tables, through the direct map. Each
 * leaf has one owner, who alone writes it; tables are shared and therefore
 * installed by compare-and-exchange, so nothing here takes a lock.
 */
#include <arch/cpu.h>
#include <arch/features.h>
#include <rayos/mm.h>
#include <rayos/panic.h>

#include <errno.h>

#include "paging.h"

static phys_t root;

phys_t paging_root(void)
{
    return root;
}

void paging_init(void)
{
    /* Other CPUs load it before they are in 64-bit mode. */
    root = frame_alloc(0, FRAME_ZERO | FRAME_LOW32);
    if (root == FRAME_NONE)
        panic("no memory below 4 GiB for the page tables");
}

uint64_t paging_flags(enum kspace_prot prot, enum kspace_cache cache)
{
    static const uint64_t cache_bits[] = {
        [CACHE_WB] = PTE_CACHE_WB,
        [CACHE_WC] = PTE_CACHE_WC,
        [CACHE_UC] = PTE_CACHE_UC,
    };
    /* Accessed and dirty from the start: the CPU need not write them. */
    uint64_t flags = PTE_P | PTE_A | PTE_D | PTE_G | cache_bits[cache];

    if (prot == KSPACE_RW)
        flags |= PTE_W;
    if (prot != KSPACE_RX)
        flags |= arch_cpu_info()->nx_mask;
    return flags;
}

static unsigned entry_index(uintptr_t va, int level)
{
    return va >> PAGING_LEVEL_SHIFT(level) & (PAGING_ENTRIES - 1);
}

/* Put a fresh table behind an empty entry; another CPU's may win. */
static bool table_install(uint64_t *entry)
{
    uint64_t empty = 0;
    phys_t table = frame_alloc(0, FRAME_ZERO);

    if (table == FRAME_NONE)
        return false;
    if (!__atomic_compare_exchange_n(entry, &empty, table | PTE_P | PTE_W,
                                     false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        frame_free(table, 0);
    return true;
}

uint64_t *paging_entry(uintptr_t va, int level, bool create)
{
    uint64_t *table = phys_to_virt(root);

    for (int lv = PAGING_LEVELS; lv > level; lv--) {
        uint64_t *entry = &table[entry_index(va, lv)];
        uint64_t e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);

        if (!(e & PTE_P)) {
            if (!create || !table_install(entry))
                return NULL;
            e = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
        }
        if (e & PTE_PS)
            return NULL;
        table = phys_to_virt(e & PTE_ADDR);
    }
    return &table[entry_index(va, level)];
}

uint64_t paging_walk(uintptr_t va, int *level)
{
    /* Before kspace_init the loader's tables are in force. */
    const uint64_t *table = phys_to_virt((root ? root : arch_read_cr3()) &
                                         PTE_ADDR);
    int lv = PAGING_LEVELS;
    uint64_t e;

    for (;; lv--) {
        e = __atomic_load_n(&table[entry_index(va, lv)], __ATOMIC_ACQUIRE);
        if (lv == 1 || !(e & PTE_P) || (e & PTE_PS && lv < PAGING_LEVELS))
            break;
        table = phys_to_virt(e & PTE_ADDR);
    }
    *level = lv;
    return e;
}

/* Write a leaf of this level; false when it cannot be, for lack of memory or
 * because a table is in the place of a large page. */
static bool leaf_set(uintptr_t va, phys_t pa, uint64_t flags, int level)
{
    uint64_t *entry = paging_entry(va, level, true);
    uint64_t empty = 0;

    if (!entry)
        return false;
    if (level > 1)
        return __atomic_compare_exchange_n(entry, &empty, pa | flags | PTE_PS,
                                           false, __ATOMIC_RELEASE,
                                           __ATOMIC_RELAXED);
    __atomic_store_n(entry, pa | flags, __ATOMIC_RELEASE);
    return true;
}

int paging_map(uintptr_t va, phys_t pa, size_t size, uint64_t flags,
               int max_level)
{
    while (size) {
        int level = max_level;
        uint64_t step;

        for (;; level--) {
            step = PAGING_LEVEL_SIZE(level);
            if (!((va | pa) & (step - 1)) && size >= step &&
                leaf_set(va, pa, flags, level))
                break;
            if (level == 1)
                return -ENOMEM;
        }
        va += step;
        pa += step;
        size -= step;
    }
    return 0;
}
