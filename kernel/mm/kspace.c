/*
 * The kspace area: stacks, device mappings, allocations that need not be
 * contiguous, each with unmapped guard pages around it. Thread context, except
 * where <rayos/mm.h> says any.
 *
 * All bookkeeping lives in page table entries that are not present, so it
 * needs no memory of its own, and panics may read it without a lock:
 *
 *	slot | unused lead pages | guard | the area ... | guard | unused |
 *
 * Virtual space comes in slots of size classes (four per doubling). A slot that
 * was freed is used again for the same class only; 32 TiB leave room for that,
 * and neither searching nor merging is ever needed. The entry of a free slot's
 * first page links it to the next one of its class.
 */
#include <arch/cpu.h>
#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/smp.h>

#include "kspace.h"
#include "paging.h"

/* Fields of the guard below an area: its length, the pages from the slot to the
 * area less one, log2 of the alignment in pages. */
#define PAGES_SHIFT 12
#define PAGES_MASK  UINT64_C(0xffffffff)
#define LEAD_SHIFT  44
#define LEAD_MASK   UINT64_C(0x3ff)
#define ALIGN_SHIFT 54
#define ALIGN_MASK  UINT64_C(0xf)
/* Field of KSPACE_TAG_FREE, and of KSPACE_TAG_AFTER in the list of deferred
 * areas: a page number in kspace plus one, 0 for the end. */
#define LINK_SHIFT 12

#define SLOT_CLASSES 136
#define PAGES_MAX    (UINT64_C(1) << 31) /* 8 TiB */

struct area {
    uintptr_t va;
    uint64_t pages;
    uint64_t lead;  /* pages from the slot's start to va */
    uint64_t align; /* in pages: the longest lead that it might have needed */
    uint64_t tag;
};

static struct spinlock lock = SPINLOCK_INIT;
static uint64_t free_slots[SLOT_CLASSES]; /* lock; links */
static uintptr_t fresh = KSPACE_BASE;     /* lock; no slot was made here yet */
static uint64_t deferred; /* lock; link: areas freed with interrupts off */

static uint64_t va_to_link(uintptr_t va)
{
    return ((va - KSPACE_BASE) >> PAGE_SHIFT) + 1;
}

static uintptr_t link_to_va(uint64_t link)
{
    return KSPACE_BASE + ((link - 1) << PAGE_SHIFT);
}

/* Size class of a slot of *pages pages, which is rounded up to its size. */
static unsigned slot_class(uint64_t *pages)
{
    unsigned shift, top;

    if (*pages <= 8)
        return (unsigned)*pages - 1;
    shift = 61u - (unsigned)__builtin_clzll(*pages - 1);
    top = (unsigned)((*pages - 1) >> shift); /* 4..7 */
    *pages = (uint64_t)(top + 1) << shift;
    return 8 + (shift - 1) * 4 + (top - 4);
}

/* 0 when the address space is used up. */
static uintptr_t slot_take(uint64_t pages)
{
    unsigned cls = slot_class(&pages);
    irqflags_t flags = spin_lock(&lock);
    uintptr_t slot = 0;

    if (free_slots[cls]) {
        slot = link_to_va(free_slots[cls]);
        free_slots[cls] = *paging_entry(slot, 1, false) >> LINK_SHIFT;
    } else if (pages << PAGE_SHIFT <= KSPACE_END - fresh) {
        slot = fresh;
        fresh += pages << PAGE_SHIFT;
    }
    spin_unlock(&lock, flags);
    return slot;
}

/* A slot whose first page has no page table (no memory for it) is forgotten:
 * there is address space enough. */
static void slot_give(uintptr_t slot, uint64_t pages)
{
    unsigned cls = slot_class(&pages);
    uint64_t *entry = paging_entry(slot, 1, true);
    irqflags_t flags;

    if (!entry)
        return;
    flags = spin_lock(&lock);
    *entry = KSPACE_TAG_FREE | free_slots[cls] << LINK_SHIFT;
    free_slots[cls] = va_to_link(slot);
    spin_unlock(&lock, flags);
}

/* Slots are sized for the longest lead, so that the same request fits into a
 * freed slot wherever that lies. */
static uint64_t area_slot_pages(const struct area *a)
{
    return a->align + a->pages + 1;
}

static uintptr_t area_end(const struct area *a)
{
    return a->va + (a->pages << PAGE_SHIFT);
}

static void area_write_guards(const struct area *a, uint64_t *below,
                              uint64_t *above)
{
    unsigned align_log2 = (unsigned)__builtin_ctzll(a->align);

    *above = KSPACE_TAG_AFTER;
    *below = a->tag | a->pages << PAGES_SHIFT | (a->lead - 1) << LEAD_SHIFT |
             (uint64_t)align_log2 << ALIGN_SHIFT;
}

/* Address space with guards for a->pages that starts `offset` bytes above a
 * multiple of a->align pages. */
static bool area_reserve(struct area *a, uint64_t offset)
{
    uint64_t align = a->align << PAGE_SHIFT, *below, *above, *first;
    uintptr_t slot;

    if (!a->pages || a->pages > PAGES_MAX)
        return false;
    slot = slot_take(area_slot_pages(a));
    if (!slot)
        return false;
    a->va = ALIGN_DOWN(slot, align) + offset;
    if (a->va <= slot)
        a->va += align;
    a->lead = (a->va - slot) >> PAGE_SHIFT;
    below = paging_entry(a->va - PAGE_SIZE, 1, true);
    above = paging_entry(area_end(a), 1, true);
    if (!below || !above) {
        slot_give(slot, area_slot_pages(a));
        return false;
    }
    first = paging_entry(slot, 1, false);
    if (first)
        *first = 0; /* the link of the free slot */
    area_write_guards(a, below, above);
    return true;
}

/* The area that starts at va; false when there is none. */
static bool area_find(uintptr_t va, struct area *a)
{
    uint64_t e;
    int level;

    if (va & (PAGE_SIZE - 1) || va <= KSPACE_BASE || va >= KSPACE_END)
        return false;
    e = paging_walk(va - PAGE_SIZE, &level);
    a->tag = e & KSPACE_TAG_MASK;
    if (level != 1 || e & PTE_P || !a->tag || a->tag > KSPACE_TAG_PHYS)
        return false;
    a->va = va;
    a->pages = e >> PAGES_SHIFT & PAGES_MASK;
    a->lead = (e >> LEAD_SHIFT & LEAD_MASK) + 1;
    a->align = UINT64_C(1) << (e >> ALIGN_SHIFT & ALIGN_MASK);
    return true;
}

/* Make the pages of an area inaccessible. Its own frames stay noted in the
 * entries until no TLB knows them any more. */
static void area_unmap(const struct area *a)
{
    uintptr_t va = a->va;

    while (va < area_end(a)) {
        uint64_t *entry = paging_entry(va, 1, false);
        bool keep = entry && a->tag != KSPACE_TAG_PHYS;
        int level = 1;

        if (!entry) { /* a large page, or a part that was never mapped */
            level = 2;
            entry = paging_entry(va, level, false);
        }
        if (entry && *entry & PTE_P)
            __atomic_store_n(entry,
                             keep ? (*entry & PTE_ADDR) | KSPACE_TAG_DYING : 0,
                             __ATOMIC_RELAXED);
        va = ALIGN_DOWN(va, PAGING_LEVEL_SIZE(level)) +
             PAGING_LEVEL_SIZE(level);
    }
}

/* No TLB knows the area: give back its frames and its address space. */
static void area_release(const struct area *a)
{
    for (uintptr_t va = a->va; a->tag != KSPACE_TAG_PHYS && va < area_end(a);
         va += PAGE_SIZE) {
        uint64_t *entry = paging_entry(va, 1, false);

        if (entry && (*entry & KSPACE_TAG_MASK) == KSPACE_TAG_DYING) {
            frame_free(*entry & PTE_ADDR, 0);
            *entry = 0;
        }
    }
    *paging_entry(a->va - PAGE_SIZE, 1, false) = 0;
    *paging_entry(area_end(a), 1, false) = 0;
    slot_give(a->va - (a->lead << PAGE_SHIFT), area_slot_pages(a));
}

/* Finish what was freed with interrupts off. */
static void deferred_release(void)
{
    irqflags_t flags = spin_lock(&lock);
    uint64_t link = deferred;

    deferred = 0;
    spin_unlock(&lock, flags);
    while (link) {
        struct area a;

        if (!area_find(link_to_va(link), &a))
            panic("kspace: the list of freed areas is damaged");
        link = *paging_entry(area_end(&a), 1, false) >> LINK_SHIFT;
        smp_tlb_flush(a.va, a.pages << PAGE_SHIFT);
        area_release(&a);
    }
}

/* Other CPUs can be asked to flush with interrupts on only: boot, and kfree
 * under a spin lock, leave that to the next caller who can. */
static void area_free(const struct area *a)
{
    irqflags_t flags;

    area_unmap(a);
    if (arch_irq_enabled()) {
        smp_tlb_flush(a->va, a->pages << PAGE_SHIFT);
        area_release(a);
        return;
    }
    flags = spin_lock(&lock);
    *paging_entry(area_end(a), 1, false) = KSPACE_TAG_AFTER | deferred
                                                                  << LINK_SHIFT;
    deferred = va_to_link(a->va);
    spin_unlock(&lock, flags);
}

static void *area_alloc(size_t size, uint64_t align, enum kspace_prot prot,
                        uint64_t tag, unsigned frame_flags)
{
    struct area a = {
        .pages = (size >> PAGE_SHIFT) + !!(size & (PAGE_SIZE - 1)),
        .align = align >> PAGE_SHIFT,
        .tag = tag,
    };
    uint64_t pte = paging_flags(prot, CACHE_WB);

    if (deferred && arch_irq_enabled())
        deferred_release();
    if (!area_reserve(&a, 0))
        return NULL;
    for (uintptr_t va = a.va; va < area_end(&a); va += PAGE_SIZE) {
        phys_t frame = frame_alloc(0, frame_flags);

        if (frame == FRAME_NONE || paging_map(va, frame, PAGE_SIZE, pte, 1)) {
            if (frame != FRAME_NONE)
                frame_free(frame, 0);
            area_free(&a);
            return NULL;
        }
    }
    return (void *)a.va;
}

void *kspace_alloc(size_t size, enum kspace_prot prot)
{
    return area_alloc(size, PAGE_SIZE, prot, KSPACE_TAG_ALLOC, FRAME_ZERO);
}

void *kspace_alloc_stack(size_t size)
{
    return area_alloc(size, PAGE_SIZE, KSPACE_RW, KSPACE_TAG_STACK, FRAME_ZERO);
}

void *kspace_alloc_aligned(size_t size, size_t align)
{
    return area_alloc(size, align, KSPACE_RW, KSPACE_TAG_ALLOC, 0);
}

void kspace_free(void *va)
{
    struct area a;

    if (!va)
        return;
    if (!area_find((uintptr_t)va, &a) || a.tag == KSPACE_TAG_PHYS)
        panic("kspace_free: nothing was allocated at %p", va);
    area_free(&a);
}

void *kspace_map_phys(phys_t base, size_t size, enum kspace_prot prot,
                      enum kspace_cache cache)
{
    uint64_t in_page = base & (PAGE_SIZE - 1), offset = 0;
    struct area a = {.align = 1, .tag = KSPACE_TAG_PHYS};

    if (!size || base > PTE_ADDR || size > PTE_ADDR - base)
        return NULL;
    base -= in_page;
    a.pages = (in_page + size + PAGE_SIZE - 1) >> PAGE_SHIFT;
    if (a.pages >= 2 * PAGING_ENTRIES) { /* have large pages line up */
        a.align = PAGING_ENTRIES;
        offset = base & (LARGE_PAGE_SIZE - 1);
    }
    if (deferred && arch_irq_enabled())
        deferred_release();
    if (!area_reserve(&a, offset))
        return NULL;
    if (paging_map(a.va, base, a.pages << PAGE_SHIFT, paging_flags(prot, cache),
                   2)) {
        area_free(&a);
        return NULL;
    }
    return (void *)(a.va + in_page);
}

void kspace_unmap_phys(void *va)
{
    struct area a;

    if (!va)
        return;
    if (!area_find((uintptr_t)va & ~(PAGE_SIZE - 1), &a) ||
        a.tag != KSPACE_TAG_PHYS)
        panic("kspace_unmap_phys: nothing is mapped at %p", va);
    area_free(&a);
}

phys_t kspace_root(void)
{
    return paging_root();
}
