/* The list of digests that the files are checked against, as sha256sum(1)
 * writes it. Pure. */
#ifndef BOOT_MANIFEST_H
#define BOOT_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include <rayos/sha256.h>

/*
 * The digest of `name` in the list `text`. 0; -ENOENT: it is not listed;
 * -EINVAL: line *line is not "<64 hex digits>  <name>"; -EEXIST: line *line
 * lists it again. The whole list is checked, whatever is found on the way.
 */
int manifest_find(const char *text, size_t size, const char *name,
                  uint8_t digest[SHA256_SIZE], unsigned *line);

#endif
