/*
 * Pages for what the kernel gets. Each allocation is remembered with its type:
 * the list becomes part of the kernel's memory map, and is given back when the
 * loader fails. Boot services.
 */
#include "kernel/boot/loader.h"

#include <rayos/types.h>

#define CLAIMS_MAX 32

struct memory_claim loader_claims[CLAIMS_MAX];
size_t loader_claim_count;
static bool claim_is_ours[CLAIMS_MAX]; /* allocated, not only typed */

static uint64_t page_count(uint64_t bytes)
{
    return bytes / PAGE_SIZE + (bytes % PAGE_SIZE != 0);
}

static void claim_add(uint64_t base, uint64_t pages, uint32_t type, bool ours)
{
    if (loader_claim_count == CLAIMS_MAX)
        loader_fail("the loader has made too many allocations (CLAIMS_MAX)");
    claim_is_ours[loader_claim_count] = ours;
    loader_claims[loader_claim_count++] = (struct memory_claim){
        .base = base, .pages = pages, .type = type};
}

static EFI_STATUS allocate(EFI_ALLOCATE_TYPE how, uint64_t pages,
                           uint64_t *base)
{
    return loader_system->BootServices->AllocatePages(how, EfiLoaderData, pages,
                                                      base);
}

uint64_t pages_alloc(uint64_t bytes, uint32_t type, const char *what)
{
    return pages_alloc_aligned(bytes, PAGE_SIZE, type, what);
}

uint64_t pages_alloc_aligned(uint64_t bytes, uint64_t align, uint32_t type,
                             const char *what)
{
    EFI_BOOT_SERVICES *services = loader_system->BootServices;
    uint64_t pages = page_count(bytes ? bytes : 1);
    uint64_t extra = align / PAGE_SIZE - 1, base = 0, start;

    if (EFI_ERROR(allocate(AllocateAnyPages, pages + extra, &base)))
        loader_fail("not enough memory for %s (%llu KiB). Give the machine "
                    "more memory.",
                    what, (unsigned long long)pages * 4);
    start = ALIGN_UP(base, align);
    if (start > base)
        services->FreePages(base, (start - base) / PAGE_SIZE);
    if (start < base + extra * PAGE_SIZE)
        services->FreePages(start + pages * PAGE_SIZE,
                            (base + extra * PAGE_SIZE - start) / PAGE_SIZE);
    claim_add(start, pages, type, true);
    return start;
}

uint64_t pages_alloc_below(uint64_t bytes, uint64_t limit, uint32_t type)
{
    uint64_t base = limit - 1;

    if (EFI_ERROR(allocate(AllocateMaxAddress, page_count(bytes), &base)))
        return 0;
    /* Page 0 as the last one to be had counts as none, and stays ours. */
    if (base)
        claim_add(base, page_count(bytes), type, true);
    return base;
}

bool pages_alloc_at(uint64_t base, uint64_t bytes, uint32_t type)
{
    uint64_t at = base;

    if (EFI_ERROR(allocate(AllocateAddress, page_count(bytes), &at)))
        return false;
    claim_add(base, page_count(bytes), type, true);
    return true;
}

void pages_claim(uint64_t base, uint64_t bytes, uint32_t type)
{
    uint64_t start = ALIGN_DOWN(base, PAGE_SIZE);

    claim_add(start, page_count(base - start + bytes), type, false);
}

void pages_free_all(void)
{
    while (loader_claim_count) {
        const struct memory_claim *c = &loader_claims[--loader_claim_count];

        if (claim_is_ours[loader_claim_count])
            loader_system->BootServices->FreePages(c->base, c->pages);
    }
}
