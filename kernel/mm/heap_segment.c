/*
 * Where heaps get their memory: segments, spans in them, big blocks. Called by
 * heap.c only, for a private heap on its thread, for a shared one under its
 * lock.
 */
#include <rayos/mm.h>
#include <rayos/panic.h>

#include "frame.h"
#include "heap.h"
#include "kspace.h"

/* How many open segments are searched for a run of pages. */
#define SEARCH_MAX 8
/* Page 0 has little room beside the header: for small blocks only. */
#define PAGE0_BLOCK_MAX 256

/* Pages of a first span, by class: what is left over at its end is at most an
 * eighth. */
static const uint8_t class_pages[HEAP_CLASSES] = {
    1, 1, 1, 1, 1, 1, 1, 1, /* 16, 32 .. 128 */
    1, 1, 1, 1, 1, 1, 1, 1, /* 160, 192, 224, 256 .. 512 */
    2, 2, 2, 2, 2, 3, 4, 4, /* .. 1024 .. 2048 */
    5, 3, 7, 4, 5, 6, 7, 4, /* .. 4096 .. 8192 */
    5, 6, 7, 4, 5, 6, 7, 8, /* .. 16384 .. 32768 */
};

static bool heap_charge(struct heap *h, size_t pages)
{
    return !h->account || account_charge(h->account, pages * PAGE_SIZE);
}

static void heap_credit(struct heap *h, size_t pages)
{
    if (h->account)
        account_credit(h->account, pages * PAGE_SIZE);
}

static struct heap_segment *segment_new(struct heap *h)
{
    struct heap_segment *seg;
    phys_t frames;

    if (!heap_charge(h, SEGMENT_PAGES))
        return NULL;
    frames = frame_alloc(SEGMENT_ORDER, 0);
    if (frames == FRAME_NONE) {
        heap_credit(h, SEGMENT_PAGES);
        return NULL;
    }
    seg = phys_to_virt(frames);
    seg->heap = h;
    seg->pages = SEGMENT_PAGES;
    seg->free_map = (1u << SEGMENT_PAGES) - 1;
    seg->kspace = false;
    list_push_front(&h->open, &seg->node);
    return seg;
}

void heap_segment_release(struct heap_segment *seg)
{
    struct heap *h = seg->heap;
    size_t pages = seg->pages;

    if (h->spare == seg)
        h->spare = NULL;
    if (seg->kspace)
        kspace_free(seg);
    else
        frame_free_run(virt_to_phys(seg), (uint32_t)pages);
    heap_credit(h, pages);
}

void heap_span_link(struct heap_span *span)
{
    struct heap *h = span->heap;
    struct heap_span *head = h->partial[span->cls];

    span->prev = head;
    span->next = head ? head->next : NULL;
    if (span->next)
        span->next->prev = span;
    if (head) {
        head->next = span;
        return;
    }
    h->partial[span->cls] = span;
    if (!h->shared)
        h->current[span->cls] = span;
}

/* First of `pages` free pages in a row, 0 .. 15; -1. */
static int segment_find_run(const struct heap_segment *seg, unsigned pages,
                            size_t block)
{
    uint32_t map = seg->free_map;

    if (pages == 1 && block <= PAGE0_BLOCK_MAX && map & 1)
        return 0;
    map &= ~1u;
    for (unsigned i = 1; i < pages; i++)
        map &= map >> 1;
    return map ? __builtin_ctz(map) : -1;
}

static struct heap_span *span_make(struct heap_segment *seg, unsigned page,
                                   unsigned pages, unsigned cls, size_t size)
{
    struct heap_span *span = &seg->span[page];
    char *start = (char *)seg + (page ? page * PAGE_SIZE : SEGMENT_HEADER);
    char *end = (char *)seg + (page + pages) * PAGE_SIZE;
    struct heap *h = seg->heap;

    *span = (struct heap_span){
        .bump = start,
        .end = start + (size_t)(end - start) / size * size,
        .size = size,
        .slow = h->shared ? SPAN_SHARED : 0,
        .cls = (uint8_t)cls,
        .page = (uint8_t)page,
        .pages = (uint8_t)pages,
        .heap = h,
    };
    for (unsigned i = page; i < page + pages; i++)
        seg->map[i] = span;
    seg->free_map &= ~(((1u << pages) - 1) << page);
    if (!(seg->free_map & ~1u)) {
        list_remove(&seg->node);
        list_push_back(&h->closed, &seg->node);
    }
    if (h->spare == seg)
        h->spare = NULL;
    h->spans[cls]++;
    heap_span_link(span);
    return span;
}

static struct heap_span *span_from_open(struct heap *h, unsigned cls,
                                        unsigned pages, size_t size)
{
    unsigned tries = 0;

    list_for_each (n, &h->open) {
        struct heap_segment *seg = container_of(n, struct heap_segment, node);
        int page = segment_find_run(seg, pages, size);

        if (page >= 0)
            return span_make(seg, (unsigned)page, pages, cls, size);
        if (++tries == SEARCH_MAX)
            break;
    }
    return NULL;
}

/* A class that is in demand gets longer spans, so that it comes here less
 * often; a small heap stays small. Three or five times a page fill a segment's
 * fifteen without rest. */
static unsigned span_pages(const struct heap *h, unsigned cls)
{
    unsigned base = class_pages[cls];
    unsigned factor = h->spans[cls] < 4 ? 1 : h->spans[cls] < 16 ? 3 : 5;

    while (base * factor > SEGMENT_PAGES - 1)
        factor--;
    return base * factor;
}

struct heap_span *heap_span_new(struct heap *h, unsigned cls, size_t size)
{
    unsigned pages = span_pages(h, cls);
    struct heap_span *span = span_from_open(h, cls, pages, size);

    if (span)
        return span;
    if (segment_new(h))
        return span_from_open(h, cls, pages, size);
    /* At the limit: use what is left over, then what lies unused. */
    span = span_from_open(h, cls, class_pages[cls], size);
    if (span)
        return span;
    heap_trim(h);
    if (list_empty(&h->open) && !segment_new(h))
        return NULL;
    span = span_from_open(h, cls, class_pages[cls], size);
    if (!span && segment_new(h))
        span = span_from_open(h, cls, class_pages[cls], size);
    return span;
}

void heap_span_release(struct heap_span *span)
{
    struct heap_segment *seg = segment_of(span);
    struct heap *h = seg->heap;
    const uint32_t all = (1u << SEGMENT_PAGES) - 1;

    h->spans[span->cls]--;
    if (!(seg->free_map & ~1u) && span->page) {
        list_remove(&seg->node);
        list_push_back(&h->open, &seg->node);
    }
    seg->free_map |= ((1u << span->pages) - 1) << span->page;
    if (seg->free_map != all)
        return;
    if (!h->spare) { /* one is kept for the next need */
        h->spare = seg;
        return;
    }
    list_remove(&seg->node);
    heap_segment_release(seg);
}

void heap_trim(struct heap *h)
{
    for (unsigned cls = 0; cls < HEAP_CLASSES; cls++) {
        struct heap_span *span = h->partial[cls], *next;

        for (; span; span = next) {
            next = span->next;
            if (span->live)
                continue;
            heap_span_unlink(span);
            heap_span_release(span);
        }
    }
    if (h->spare) {
        list_remove(&h->spare->node);
        heap_segment_release(h->spare);
    }
}

struct heap_segment *heap_big_new(struct heap *h, size_t size)
{
    size_t pages = ALIGN_UP(BIG_HEADER + size, PAGE_SIZE) >> PAGE_SHIFT;
    phys_t frames = FRAME_NONE;
    struct heap_segment *seg;

    if (!heap_charge(h, pages))
        return NULL;
    if (pages <= UINT64_C(1) << FRAME_MAX_ORDER)
        frames = frame_alloc_run((uint32_t)pages);
    seg = frames != FRAME_NONE
              ? phys_to_virt(frames)
              : kspace_alloc_aligned(pages * PAGE_SIZE, SEGMENT_SIZE);
    if (!seg) {
        heap_credit(h, pages);
        return NULL;
    }
    seg->heap = h;
    seg->pages = pages;
    seg->kspace = frames == FRAME_NONE;
    seg->map[0] = &seg->span[0];
    seg->span[0] = (struct heap_span){
        .size = pages * PAGE_SIZE - BIG_HEADER,
        .live = 1,
        .slow = SPAN_BIG,
        .heap = h,
    };
    return seg;
}
