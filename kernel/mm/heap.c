/*
 * Heaps: allocation by size classes. Thread context; a private heap by its
 * thread alone, a shared one by anybody (never sleeps).
 *
 * The fast paths are short on purpose, every Lua object passes here. They do
 * without tests for a lock, a full or an empty list: current[] of a shared
 * heap, and of a class without a span, is a span that has no room, and spans
 * that need care say so in one byte.
 */
#include <rayos/mm.h>
#include <rayos/panic.h>

#include <string.h>

#include "heap.h"

#define SMALL_MAX   1024 /* classes by table */
#define unlikely(x) __builtin_expect(!!(x), 0)

static struct heap_span no_room;

/* Class by size in units of 16 bytes, rounded up: in steps of 16 bytes to 128,
 * then four for each doubling. */
static const uint8_t small_class[SMALL_MAX / 16 + 1] = {
    0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  8,  9,  9,  10, 10, 11, 11,
    12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15, 16,
    16, 16, 16, 16, 16, 16, 16, 17, 17, 17, 17, 17, 17, 17, 17, 18, 18,
    18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19,
};

/* Any size from 1 to HEAP_BLOCK_MAX. */
static unsigned class_of(size_t size)
{
    unsigned shift;

    if (size <= SMALL_MAX)
        return small_class[(size + 15) / 16];
    shift = 61u - (unsigned)__builtin_clzll(size - 1);
    return 8 + (shift - 5) * 4 + ((unsigned)((size - 1) >> shift) - 4);
}

static size_t class_size(unsigned cls)
{
    if (cls < 8)
        return (cls + 1) * 16;
    return (size_t)((cls - 8) % 4 + 5) << ((cls - 8) / 4 + 5);
}

void heap_init(struct heap *h, struct account *account, bool shared)
{
    memset(h, 0, sizeof(*h));
    for (unsigned cls = 0; cls < HEAP_CLASSES; cls++)
        h->current[cls] = &no_room;
    list_init(&h->open);
    list_init(&h->closed);
    list_init(&h->big);
    h->account = account;
    h->shared = shared;
}

static irqflags_t heap_lock(struct heap *h)
{
    return h->shared ? spin_lock(&h->lock) : 0;
}

static void heap_unlock(struct heap *h, irqflags_t flags)
{
    if (h->shared)
        spin_unlock(&h->lock, flags);
}

void heap_span_unlink(struct heap_span *span)
{
    struct heap *h = span->heap;

    if (span->next)
        span->next->prev = span->prev;
    if (span->prev) {
        span->prev->next = span->next;
        return;
    }
    h->partial[span->cls] = span->next;
    if (!h->shared)
        h->current[span->cls] = span->next ? span->next : &no_room;
}

/* A block of a span, NULL when it has none left. */
static inline void *span_take(struct heap *h, struct heap_span *span)
{
    void *p = span->free;

    if (p) {
        span->free = *(void **)p;
    } else {
        p = span->bump;
        if (unlikely(p == span->end))
            return NULL;
        span->bump += span->size;
    }
    span->live++;
    h->used += span->size;
    return p;
}

/* The first span of the class is exhausted, or there is none, or the heap is
 * shared. */
static void *alloc_slow(struct heap *h, unsigned cls)
{
    irqflags_t flags = heap_lock(h);
    struct heap_span *span;
    void *p = NULL;

    while ((span = h->partial[cls])) {
        p = span_take(h, span);
        if (p)
            break;
        heap_span_unlink(span);
        span->slow |= SPAN_FULL;
    }
    if (!p) {
        span = heap_span_new(h, cls, class_size(cls));
        if (span)
            p = span_take(h, span);
    }
    heap_unlock(h, flags);
    return p;
}

/* No lock while memory is fetched: it may take long. */
static void *alloc_big(struct heap *h, size_t size)
{
    struct heap_segment *seg;
    irqflags_t flags;

    if (size > HEAP_SIZE_MAX)
        return NULL;
    seg = heap_big_new(h, size);
    if (!seg) {
        flags = heap_lock(h);
        heap_trim(h);
        heap_unlock(h, flags);
        seg = heap_big_new(h, size);
        if (!seg)
            return NULL;
    }
    flags = heap_lock(h);
    list_push_front(&h->big, &seg->node);
    h->used += seg->span[0].size;
    heap_unlock(h, flags);
    return (char *)seg + BIG_HEADER;
}

static __attribute__((noinline)) void *alloc_large(struct heap *h, size_t size)
{
    unsigned cls;
    void *p;

    if (size > HEAP_BLOCK_MAX)
        return alloc_big(h, size);
    cls = class_of(size);
    p = span_take(h, h->current[cls]);
    return p ? p : alloc_slow(h, cls);
}

void *heap_alloc(struct heap *h, size_t size)
{
    struct heap_span *span;
    unsigned cls;
    void *p;

    if (unlikely(size > SMALL_MAX))
        return alloc_large(h, size);
    cls = small_class[(size + 15) / 16];
    span = h->current[cls];
    p = span_take(h, span);
    return p ? p : alloc_slow(h, cls);
}

static void free_big(struct heap *h, struct heap_segment *seg, void *p)
{
    irqflags_t flags;

    if (p != (char *)seg + BIG_HEADER || seg->heap != h)
        panic("heap_free: %p is not a block of this heap", p);
    flags = heap_lock(h);
    list_remove(&seg->node);
    h->used -= seg->span[0].size;
    heap_unlock(h, flags);
    heap_segment_release(seg);
}

/* An empty span that is the only one of its class stays, as new, so that a
 * program that allocates and frees one block does not come here each time. */
static void span_emptied(struct heap *h, struct heap_span *span)
{
    if (h->partial[span->cls] == span && !span->next) {
        char *start = (char *)segment_of(span) +
                      (span->page ? span->page * PAGE_SIZE : SEGMENT_HEADER);

        span->free = NULL;
        span->bump = start;
        return;
    }
    heap_span_unlink(span);
    heap_span_release(span);
}

static __attribute__((noinline)) void free_slow(struct heap *h,
                                                struct heap_span *span, void *p)
{
    irqflags_t flags;

    if (span->slow & SPAN_BIG) {
        free_big(h, segment_of(span), p);
        return;
    }
    flags = heap_lock(h);
    if (span->heap != h || !span->live)
        panic("heap_free: %p is not a block of this heap", p);
    *(void **)p = span->free;
    span->free = p;
    span->live--;
    h->used -= span->size;
    if (span->slow & SPAN_FULL) {
        span->slow &= (uint8_t)~SPAN_FULL;
        heap_span_link(span);
    }
    if (!span->live)
        span_emptied(h, span);
    heap_unlock(h, flags);
}

void heap_free(struct heap *h, void *p)
{
    struct heap_span *span;

    if (!p)
        return;
    span = span_of(p);
    /* The last block takes the slow path too. */
    if (unlikely(span->slow) || unlikely(span->live == 1)) {
        free_slow(h, span, p);
        return;
    }
    *(void **)p = span->free;
    span->free = p;
    span->live--;
    h->used -= span->size;
}

size_t heap_size(const void *p)
{
    return span_of(p)->size;
}

/* Would a fresh block of `size` bytes be of the same size, or, for big ones,
 * not much smaller? */
static bool block_fits(const struct heap_span *span, size_t size)
{
    if (size > span->size)
        return false;
    if (span->slow & SPAN_BIG)
        return size > span->size / 2 && size > HEAP_BLOCK_MAX;
    return span->cls == class_of(size);
}

void *heap_realloc(struct heap *h, void *p, size_t size)
{
    const struct heap_span *span;
    void *q;

    if (!p)
        return heap_alloc(h, size);
    span = span_of(p);
    if (block_fits(span, size))
        return p;
    q = heap_alloc(h, size);
    if (!q)
        return size <= span->size ? p : NULL;
    memcpy(q, p, size < span->size ? size : span->size);
    heap_free(h, p);
    return q;
}

static void release_all(struct list *segments)
{
    struct list *n;

    while ((n = list_pop_front(segments)))
        heap_segment_release(container_of(n, struct heap_segment, node));
}

void heap_destroy(struct heap *h)
{
    release_all(&h->open);
    release_all(&h->closed);
    release_all(&h->big);
    heap_init(h, h->account, h->shared);
}
