/*
 * An overlay over two disks: what is written goes to the state disk, a chunk at
 * a time; the base is only read. One caller at a time; thread context.
 *
 * What was flushed survives a loss of power at any moment: data is on the disk
 * before the map that names it, and a sector of the map is written whole or not
 * at all. What was not flushed may be lost, as on any disk with a cache.
 */
#ifndef FS_OVERLAY_STORE_H
#define FS_OVERLAY_STORE_H

#include "overlay_map.h"

/* 0 or a negative errno. */
struct overlay_disk {
    int (*read)(void *arg, uint64_t sector, void *buffer, uint32_t sectors);
    int (*write)(void *arg, uint64_t sector, const void *data,
                 uint32_t sectors);
    int (*flush)(void *arg);
    void *arg;
    uint64_t sectors;
};

struct overlay_store {
    struct overlay_disk base, state;
    struct overlay_map map;
    uint8_t *chunk; /* a buffer */
};

enum overlay_start {
    OVERLAY_KEEP,  /* what is there; a state disk of zeros is begun */
    OVERLAY_RESET, /* empty it, damaged or not */
};

/* s->base and s->state are set. On an error `why` says it for a person:
 * -EILSEQ: damaged; -ESTALE: made over another base; -EINVAL: the disk holds
 * something else; or a disk's error, -ENOSPC, -EFBIG, -ENOMEM. */
int overlay_store_open(struct overlay_store *s, enum overlay_start start,
                       const char **why);
void overlay_store_close(struct overlay_store *s);

/* The range is inside of the base. */
int overlay_store_read(struct overlay_store *s, uint64_t sector, void *buffer,
                       uint32_t sectors);
/* -ENOSPC: the state disk is full. */
int overlay_store_write(struct overlay_store *s, uint64_t sector,
                        const void *data, uint32_t sectors);
int overlay_store_flush(struct overlay_store *s);

/* Where the range begins. Returns how much of it goes on there without a gap;
 * `in_state` false: in the base. */
uint32_t overlay_store_locate(const struct overlay_store *s, uint64_t sector,
                              uint32_t sectors, bool *in_state, uint64_t *at);

#endif
