/*
 * An index over a ustar archive: every file and directory once, directories
 * that the archive only implies included, sorted so that a lookup is a binary
 * search and the entries of one directory lie together in the order of names.
 * Built once, read-only afterwards. Also built for the host tests.
 */
#ifndef KERNEL_FS_TAR_INDEX_H
#define KERNEL_FS_TAR_INDEX_H

#include <rayos/types.h>

struct tar_node {
    const char *path; /* not NUL terminated: `length` bytes */
    uint16_t length;  /* 0: the root */
    uint16_t dir;     /* length of the directory's part of the path */
    uint16_t name;    /* where the last component starts */
    bool is_dir;
    uint32_t sequence; /* place in the archive + 1; 0: implied */
    const uint8_t *data;
    uint64_t size;
    int64_t mtime;
};

struct tar_index {
    struct tar_node *nodes; /* sorted by directory, then by name */
    size_t count;
    char *paths;
    size_t skipped; /* entries that are neither file nor directory */
};

/* Parse the whole archive. -EINVAL: malformed (*why says how), or -ENOMEM.
 * Thread context. */
int tar_index_build(struct tar_index *x, const void *data, size_t size,
                    const char **why);
void tar_index_free(struct tar_index *x);
/* The node of a normalized relative path; NULL. */
const struct tar_node *tar_index_find(const struct tar_index *x,
                                      const char *path);
/* Entry number `i` of a directory, in the order of names; NULL past the end. */
const struct tar_node *tar_index_child(const struct tar_index *x,
                                       const char *path, size_t i);

#endif
