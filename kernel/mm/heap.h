/*
 * The inside of heaps: heap.c allocates blocks, heap_segment.c provides spans
 * and big blocks.
 *
 * A segment is 64 KiB of memory, aligned to its size. Its first page begins
 * with the header; spans, each of blocks of one size class, are runs of its
 * pages. So the span of any block is found by masking the block's address and
 * one look-up by page. A big block is a segment of its own length with a
 * single block, whose address lies in the first page.
 */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include <rayos/mm.h>

#define SEGMENT_SIZE   UINT64_C(0x10000)
#define SEGMENT_ORDER  4
#define SEGMENT_PAGES  (SEGMENT_SIZE / PAGE_SIZE)
#define HEAP_BLOCK_MAX 32768 /* of the largest class */
/* More than any machine has; keeps sums of sizes from wrapping. */
#define HEAP_SIZE_MAX (UINT64_C(1) << 46)

/* Why heap_free cannot simply push the block. */
#define SPAN_FULL   1u /* has no room, is on no list */
#define SPAN_SHARED 2u /* its heap has a lock */
#define SPAN_BIG    4u /* the one block of a big segment */

struct heap_span {
    void *free; /* blocks that were freed, linked through their first word */
    char *bump; /* blocks from here to `end` were never used */
    char *end;
    size_t size;   /* of a block */
    uint32_t live; /* blocks in use */
    uint8_t slow;  /* SPAN_*; 0: the fast paths may be taken */
    uint8_t cls;
    uint8_t page, pages;           /* where in the segment */
    struct heap_span *next, *prev; /* list of spans with room */
    struct heap *heap;
};

struct heap_segment {
    struct heap_span *map[SEGMENT_PAGES]; /* span of each page */
    struct list node;                     /* open, closed or big of the heap */
    struct heap *heap;
    size_t pages;      /* whole length */
    uint32_t free_map; /* bit n: page n is free */
    bool kspace;       /* from kspace_alloc_aligned, not frames */
    /* By first page; big: only [0]. Aligned because blocks follow. */
    _Alignas(16) struct heap_span span[SEGMENT_PAGES];
};

#define SEGMENT_HEADER sizeof(struct heap_segment)
#define BIG_HEADER     offsetof(struct heap_segment, span[1])

static inline struct heap_segment *segment_of(const void *p)
{
    return (struct heap_segment *)((uintptr_t)p & ~(SEGMENT_SIZE - 1));
}

static inline struct heap_span *span_of(const void *p)
{
    return segment_of(p)
        ->map[((uintptr_t)p & (SEGMENT_SIZE - 1)) >> PAGE_SHIFT];
}

/* All below: owner of the heap, or its lock held. */

/* A span with room, at the head of partial[class]; NULL without memory. */
struct heap_span *heap_span_new(struct heap *h, unsigned cls, size_t size);
/* Take an empty span, which is on no list, apart. */
void heap_span_release(struct heap_span *span);
/* Give a segment or a big block's memory back. */
void heap_segment_release(struct heap_segment *seg);
/* Put a span on the list of those with room (second: the head stays in use),
 * or take it off. */
void heap_span_link(struct heap_span *span);
void heap_span_unlink(struct heap_span *span);
/* Give back all memory that holds no block. */
void heap_trim(struct heap *h);

/* The memory of a big block, charged, on no list yet; NULL. No lock. */
struct heap_segment *heap_big_new(struct heap *h, size_t size);

#endif
