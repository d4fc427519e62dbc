/*
 * The final page tables: direct map, kernel image, W^X. Boot CPU, once.
 */
#include <rayos/boot_info.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/panic.h>

#include <arch/cpu.h>
#include <arch/features.h>

#include "paging.h"

#define CR4_PGE (UINT64_C(1) << 7) /* Intel SDM 3A 2.5 */

/* kernel.ld */
extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[],
    __data_start[], __kernel_end[];

/* Physical addresses that have the same rights in the direct map. */
struct run {
    phys_t base, end;
    uint64_t flags;
};

static phys_t image_phys(const struct boot_info *info, const char *symbol)
{
    return info->kernel_base + ((uintptr_t)symbol - KERNEL_BASE);
}

static void map_or_panic(uintptr_t va, phys_t pa, uint64_t size, uint64_t flags,
                         int max_level)
{
    if (paging_map(va, pa, size, flags, max_level))
        panic("no memory for the kernel's page tables");
}

static void run_flush(struct run *r)
{
    int max_level = arch_cpu_info()->huge_pages ? 3 : 2;

    if (r->base < r->end)
        map_or_panic(DIRECT_MAP_BASE + r->base, r->base, r->end - r->base,
                     r->flags, max_level);
    r->base = r->end = 0;
}

/* Regions come in ascending order; neighbours with equal rights are mapped
 * together, so that large pages fit. */
static void run_add(struct run *r, phys_t base, phys_t end, uint64_t flags)
{
    if (base >= end)
        return;
    if (r->base == r->end || r->end != base || r->flags != flags) {
        run_flush(r);
        r->base = base;
    }
    r->end = end;
    r->flags = flags;
}

static phys_t clamp(phys_t p, phys_t low, phys_t high)
{
    return p < low ? low : p > high ? high : p;
}

/* Memory that may be written to, except for the kernel's code and constants,
 * which have no writable alias. */
static void run_add_writable(struct run *r, const struct boot_info *info,
                             phys_t base, phys_t end)
{
    phys_t ro = clamp(image_phys(info, __text_start), base, end);
    phys_t rw = clamp(image_phys(info, __data_start), base, end);

    run_add(r, base, ro, paging_flags(KSPACE_RW, CACHE_WB));
    run_add(r, ro, rw, paging_flags(KSPACE_R, CACHE_WB));
    run_add(r, rw, end, paging_flags(KSPACE_RW, CACHE_WB));
}

static void map_direct(const struct boot_info *info)
{
    const struct boot_memory_region *map = phys_to_virt(info->memory_map);
    struct run run = {0, 0, 0};

    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        phys_t base = map[i].base, end = base + map[i].pages * PAGE_SIZE;

        switch (map[i].type) {
        case BOOT_MEM_RESERVED:
        case BOOT_MEM_MMIO:
            break;
        case BOOT_MEM_ARCHIVE:
            run_add(&run, base, end, paging_flags(KSPACE_R, CACHE_WB));
            break;
        default:
            run_add_writable(&run, info, base, end);
            break;
        }
    }
    run_flush(&run);
}

static void map_image_part(const struct boot_info *info, const char *start,
                           const char *end, enum kspace_prot prot)
{
    uintptr_t from = (uintptr_t)start, to = ALIGN_UP((uintptr_t)end, PAGE_SIZE);

    KASSERT(!(from & (PAGE_SIZE - 1)) && from <= to);
    map_or_panic(from, image_phys(info, start), to - from,
                 paging_flags(prot, CACHE_WB), 1);
}

/* Address spaces that copy the upper half see what kspace maps later only if
 * its top entries exist from the start. */
static void make_kspace_tables(void)
{
    for (uintptr_t va = KSPACE_BASE; va < KSPACE_END;
         va += PAGING_LEVEL_SIZE(PAGING_LEVELS))
        if (!paging_entry(va, PAGING_LEVELS - 1, true))
            panic("no memory for the kernel's page tables");
}

/* Global translations survive a load of CR3; switching CR4.PGE drops them
 * (Intel SDM 3A 4.10.4.1). */
static void activate(void)
{
    uint64_t cr4;

    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("movq %0, %%cr4" ::"r"(cr4 & ~CR4_PGE) : "memory");
    arch_write_cr3(kspace_root());
    __asm__ volatile("movq %0, %%cr4" ::"r"(cr4) : "memory");
}

void kspace_init(const struct boot_info *info)
{
    int level;

    paging_init();
    map_direct(info);
    /* Firmware may call the trampoline's page reserved. */
    if (info->trampoline &&
        !(paging_walk(DIRECT_MAP_BASE + info->trampoline, &level) & PTE_P))
        map_or_panic(DIRECT_MAP_BASE + info->trampoline, info->trampoline,
                     PAGE_SIZE, paging_flags(KSPACE_RW, CACHE_WB), 1);
    map_image_part(info, __text_start, __text_end, KSPACE_RX);
    map_image_part(info, __rodata_start, __rodata_end, KSPACE_R);
    map_image_part(info, __data_start, __kernel_end, KSPACE_RW);
    make_kspace_tables();
    activate();
    log_debug("mm", "page tables at %#llx", (unsigned long long)kspace_root());
}
