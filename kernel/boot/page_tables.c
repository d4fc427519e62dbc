/*
 * Initial page tables (Intel SDM 3A, 4.5, four levels). The kernel replaces
 * them at once by its own, so they are simple: large pages, everything
 * writable. Below 4 GiB, where RAM and device registers mix, pages have 2 MiB;
 * a 1 GiB page must not cover different memory types (SDM 3A, 11.11.9). Pure;
 * loader and host tests.
 */
#include "kernel/boot/page_tables.h"

#include <string.h>

#include <rayos/types.h>

#define PTE_PRESENT  UINT64_C(1)
#define PTE_WRITABLE UINT64_C(2)
#define PTE_LARGE    (UINT64_C(1) << 7) /* PS: this entry maps a page */
#define PTE_NX       (UINT64_C(1) << 63)

#define ENTRIES      512
#define GIB          (UINT64_C(1) << 30)
#define LOW_MEMORY   (4 * GIB)
#define PDPT_SPAN    (512 * GIB)
#define MEMORY_LIMIT (64 * 1024 * GIB) /* the direct map's range */

/* Indices in the top table: of DIRECT_MAP_BASE and of KERNEL_BASE; the index of
 * KERNEL_BASE in its directory pointer table. */
#define DIRECT_MAP_SLOT 256
#define KERNEL_SLOT     511
#define KERNEL_PDPT     510

struct pool {
    uint64_t (*next)[ENTRIES];
};

static uint64_t *table_take(struct pool *pool)
{
    return memset(*pool->next++, 0, PAGE_SIZE);
}

static uint64_t table_entry(const uint64_t *table)
{
    return (uint64_t)(uintptr_t)table | PTE_PRESENT | PTE_WRITABLE;
}

static uint64_t memory_end(const struct page_tables_layout *layout)
{
    uint64_t end = layout->memory_end;

    if (end < LOW_MEMORY)
        return LOW_MEMORY;
    return end < MEMORY_LIMIT ? ALIGN_UP(end, GIB) : MEMORY_LIMIT;
}

size_t page_tables_size(const struct page_tables_layout *layout)
{
    uint64_t end = memory_end(layout);
    uint64_t pointer_tables = (end + PDPT_SPAN - 1) / PDPT_SPAN;
    uint64_t directories = (layout->huge_pages ? LOW_MEMORY : end) / GIB;

    /* And the top table, and two for the kernel's image. */
    return (size_t)((1 + pointer_tables + directories + 2) * PAGE_SIZE);
}

/* A directory that maps the 1 GiB at `base`. */
static uint64_t *directory_fill(struct pool *pool, uint64_t base)
{
    uint64_t *directory = table_take(pool);

    for (unsigned i = 0; i < ENTRIES; i++)
        directory[i] = (base + i * LARGE_PAGE_SIZE) | PTE_PRESENT |
                       PTE_WRITABLE | PTE_LARGE;
    return directory;
}

/* The directory pointer table for the 512 GiB at `base`, up to `end`. */
static uint64_t *pointers_fill(struct pool *pool, uint64_t base, uint64_t end,
                               bool huge)
{
    uint64_t *pointers = table_take(pool);

    for (unsigned i = 0; i < ENTRIES && base < end; i++, base += GIB) {
        if (huge && base >= LOW_MEMORY)
            pointers[i] = base | PTE_PRESENT | PTE_WRITABLE | PTE_LARGE;
        else
            pointers[i] = table_entry(directory_fill(pool, base));
    }
    return pointers;
}

static void kernel_map(struct pool *pool, uint64_t *top,
                       const struct page_tables_layout *layout)
{
    uint64_t *pointers = table_take(pool), *directory = table_take(pool);
    uint64_t size = ALIGN_UP(layout->kernel_size, LARGE_PAGE_SIZE);

    for (unsigned i = 0; i < size / LARGE_PAGE_SIZE && i < ENTRIES; i++)
        directory[i] = (layout->kernel_base + i * LARGE_PAGE_SIZE) |
                       PTE_PRESENT | PTE_WRITABLE | PTE_LARGE;
    pointers[KERNEL_PDPT] = table_entry(directory);
    top[KERNEL_SLOT] = table_entry(pointers);
}

uint64_t page_tables_build(const struct page_tables_layout *layout,
                           void *memory)
{
    struct pool pool = {.next = memory};
    uint64_t *top = table_take(&pool);
    uint64_t end = memory_end(layout);
    uint64_t nx = layout->no_execute ? PTE_NX : 0;

    /* Identity and direct map share their tables; NX in the top entry rules
     * over all below it. */
    for (unsigned i = 0; i * PDPT_SPAN < end; i++) {
        uint64_t *pointers = pointers_fill(&pool, i * PDPT_SPAN, end,
                                           layout->huge_pages);

        top[i] = table_entry(pointers);
        top[DIRECT_MAP_SLOT + i] = table_entry(pointers) | nx;
    }
    kernel_map(&pool, top, layout);
    return (uint64_t)(uintptr_t)top;
}
