/*
 * Reading of ustar archives (POSIX.1-2008, pax, "ustar Interchange Format").
 * Pure; also built for the host tests. Every header is checked before anything
 * in it is believed.
 */
#ifndef KERNEL_FS_TAR_H
#define KERNEL_FS_TAR_H

#include <rayos/types.h>

/* prefix (155), a slash, name (100) and the NUL. */
#define TAR_PATH_MAX 257

enum tar_type { TAR_FILE, TAR_DIR, TAR_OTHER };

struct tar_entry {
    char path[TAR_PATH_MAX]; /* relative, normalized; "" is the root */
    enum tar_type type;
    const uint8_t *data; /* in the archive */
    uint64_t size;       /* bytes of data; 0 for directories */
    int64_t mtime;       /* seconds since 1970 */
};

struct tar {
    const uint8_t *data;
    size_t size;
    size_t offset; /* of the next header; after an error: of the bad one */
};

void tar_open(struct tar *t, const void *data, size_t size);
/* 1: an entry; 0: the archive's end; -EINVAL: malformed, *why says how. */
int tar_next(struct tar *t, struct tar_entry *out, const char **why);

#endif
