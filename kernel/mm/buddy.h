/*
 * A buddy allocator over one range of frames, by index. Pure: it touches its
 * metadata only, never the frames, and takes no lock (the caller's lock
 * protects the whole structure). Every operation is O(BUDDY_ORDERS).
 */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H

#include <rayos/types.h>

#define BUDDY_ORDERS 19 /* orders 0..18 */
#define BUDDY_NONE   UINT32_MAX

struct buddy_link {
    uint32_t next, prev;
};

struct buddy {
    uint32_t frames; /* indices 0..frames-1 exist */
    /* Per frame: what block begins here, if any (see buddy.c). */
    uint8_t *state;
    /* Per frame: neighbours in the free list, good for heads of free blocks. */
    struct buddy_link *link;
    uint32_t head[BUDDY_ORDERS];
    uint32_t nonempty; /* bit n: there is a free block of order n */
    uint64_t total, free;
    uint64_t free_blocks[BUDDY_ORDERS];
};

/* Bytes of metadata for that many frames. */
size_t buddy_metadata_size(uint32_t frames);
/* An allocator without any free frame; `metadata` is 8-byte aligned. Index 0
 * stands for a frame that is aligned to the largest order. */
void buddy_init(struct buddy *b, uint32_t frames, void *metadata);
/* Hand frames over. They must not have been handed over before: whoever reads
 * the memory map sees to that. -EINVAL when out of range. */
int buddy_add(struct buddy *b, uint32_t first, uint32_t count);

/* Index of a block aligned to its size, or BUDDY_NONE. */
uint32_t buddy_alloc(struct buddy *b, unsigned order);
/* -EINVAL: no block of that order is allocated there; nothing was changed. */
int buddy_free(struct buddy *b, uint32_t index, unsigned order);

/*
 * `count` frames in a row, aligned to the power of two that is not less than
 * `count`; the rest of that block stays free. They are given back as a whole,
 * by buddy_free_run with the same count.
 */
uint32_t buddy_alloc_run(struct buddy *b, uint32_t count);
/* -EINVAL as buddy_free; then nothing was changed. */
int buddy_free_run(struct buddy *b, uint32_t index, uint32_t count);

#endif
