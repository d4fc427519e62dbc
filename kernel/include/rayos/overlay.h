/*
 * Copy-on-write overlays: a block device that reads from a base disk and writes
 * to a state disk. The base is never written. Thread context.
 */
#ifndef RAYOS_OVERLAY_H
#define RAYOS_OVERLAY_H

#include <rayos/block.h>

struct overlay_config {
    const char *name; /* of the new device, and its serial number */
    /* Names of block devices, or "serial:" and a disk's serial number. */
    const char *base, *state;
    bool reset; /* empty the state disk, damaged or not */
};

struct overlay_info {
    char base[BLOCK_NAME_MAX], state[BLOCK_NAME_MAX];
    uint64_t used, size; /* bytes of the state disk's room for data */
};

/* `why` says an error for a person. -ENOENT: a disk is not there; -EEXIST: the
 * name is taken, or another overlay writes to the state disk; -EROFS; -EILSEQ:
 * the state is damaged; -ESTALE: it was made over another base; -EINVAL: the
 * state disk holds something else; ... */
int overlay_create(const struct overlay_config *c, const char **why);
/* Flushed and gone. -ENOENT; -EBUSY: somebody has it open. */
int overlay_remove(const char *name);
/* -ENOENT: there is no such overlay. */
int overlay_get_info(const char *name, struct overlay_info *out);

#endif
