/*
 * What lies at an address, for panics and for code that must not fault: reads
 * page tables only, takes no lock. Any context.
 */
#include <rayos/mm.h>

#include "kspace.h"
#include "paging.h"

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[],
    __data_start[], __kernel_end[];

#define NULL_AREA_SIZE  UINT64_C(0x10000) /* offsets from a null pointer */
#define LOWER_HALF_END  UINT64_C(0x0000800000000000)
#define STACK_PAGES_MAX 1024 /* how far to look for the guard below */

/* The tag of an entry that kspace owns. */
static const char *describe_tag(uint64_t tag)
{
    switch (tag) {
    case KSPACE_TAG_STACK:
        return "guard page below a thread's stack";
    case KSPACE_TAG_ALLOC:
        return "guard page below an allocation";
    case KSPACE_TAG_PHYS:
        return "guard page below a device mapping";
    case KSPACE_TAG_AFTER:
        return "guard page behind an allocation";
    case KSPACE_TAG_DYING:
        return "freed kernel memory";
    default:
        return "unmapped kernel space";
    }
}

/* A mapped page of kspace belongs to the area whose guard is next below. */
static const char *describe_area(uintptr_t va)
{
    int level;

    for (int i = 0; i < STACK_PAGES_MAX && va > KSPACE_BASE; i++) {
        uint64_t e;

        va -= PAGE_SIZE;
        e = paging_walk(va, &level);
        if (e & PTE_P)
            continue;
        switch (e & KSPACE_TAG_MASK) {
        case KSPACE_TAG_STACK:
            return "a thread's stack";
        case KSPACE_TAG_PHYS:
            return "a device mapping";
        default:
            return "a kernel allocation";
        }
    }
    return "a large kernel allocation";
}

static const char *describe_image(uintptr_t va)
{
    if (va >= (uintptr_t)__text_start && va < (uintptr_t)__text_end)
        return "kernel code";
    if (va >= (uintptr_t)__rodata_start && va < (uintptr_t)__rodata_end)
        return "kernel constants";
    if (va >= (uintptr_t)__data_start && va < (uintptr_t)__kernel_end)
        return "kernel data";
    return "outside of the kernel image";
}

const char *kspace_describe(uintptr_t va)
{
    uint64_t e;
    int level;

    if (va < NULL_AREA_SIZE)
        return "null pointer";
    if (va < LOWER_HALF_END)
        return "unmapped lower half";
    if (va < DIRECT_MAP_BASE)
        return "not a canonical address";
    if (va >= KERNEL_BASE)
        return describe_image(va);
    e = paging_walk(va, &level);
    if (va < KSPACE_BASE)
        return e & PTE_P ? "physical memory" : "hole in physical memory";
    if (va >= KSPACE_END)
        return "unmapped";
    return e & PTE_P ? describe_area(va) : describe_tag(e & KSPACE_TAG_MASK);
}

bool kspace_lookup(uintptr_t va, phys_t *pa, enum kspace_prot *prot)
{
    uint64_t e, in_page;
    int level;

    if (va >= LOWER_HALF_END && va < DIRECT_MAP_BASE)
        return false;
    e = paging_walk(va, &level);
    if (!(e & PTE_P))
        return false;
    in_page = PAGING_LEVEL_SIZE(level) - 1;
    *pa = (e & PTE_ADDR & ~in_page) | (va & in_page);
    if (e & PTE_W)
        *prot = KSPACE_RW;
    else
        *prot = e & PTE_NX ? KSPACE_R : KSPACE_RX;
    return true;
}
