/* Paths: normalization. Pure; also built for the host tests. */
#ifndef KERNEL_FS_PATH_H
#define KERNEL_FS_PATH_H

#include <rayos/types.h>

/*
 * Write the absolute form of `path` to out: it starts with '/', has no empty,
 * "." or ".." component and no '/' at its end; the root is "/". A relative path
 * is taken from the root, and ".." stops there. -ENOENT for an empty path,
 * -ENAMETOOLONG for a component or a result that is too long.
 */
int path_normalize(const char *path, char *out, size_t size);

/* What follows `prefix` in the normalized path: "" when they are equal, the
 * rest without a leading slash when `prefix` is one of its ancestors, else
 * NULL. */
const char *path_below(const char *path, const char *prefix);

/* Order of names: by unsigned bytes, the shorter first. */
int path_compare(const char *a, size_t a_length, const char *b,
                 size_t b_length);

#endif
