/*
 * Path normalization, by text alone: there are no symbolic links, so that ".."
 * can be resolved before anything is looked up. Pure: any context.
 */
#include "path.h"

#include <errno.h>
#include <string.h>

#include <rayos/vfs.h>

/* Length of the component that starts at p. */
static size_t component_length(const char *p)
{
    size_t n = 0;

    while (p[n] && p[n] != '/')
        n++;
    return n;
}

/* Drop the last component of out[0..length). */
static size_t path_pop(const char *out, size_t length)
{
    while (length > 0 && out[--length] != '/')
        ;
    return length;
}

int path_normalize(const char *path, char *out, size_t size)
{
    size_t length = 0; /* without the root's slash: "" stands for "/" */

    if (!*path)
        return -ENOENT;
    for (;;) {
        while (*path == '/')
            path++;
        if (!*path)
            break;
        size_t n = component_length(path);

        if (n > VFS_NAME_MAX)
            return -ENAMETOOLONG;
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            length = path_pop(out, length);
        } else if (n != 1 || path[0] != '.') {
            if (length + 1 + n + 1 > size)
                return -ENAMETOOLONG;
            out[length] = '/';
            memcpy(out + length + 1, path, n);
            length += 1 + n;
        }
        path += n;
    }
    if (length == 0)
        out[length++] = '/';
    out[length] = '\0';
    return 0;
}

const char *path_below(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);

    if (strcmp(prefix, "/") == 0)
        return path + 1;
    if (strncmp(path, prefix, n) != 0)
        return NULL;
    if (path[n] == '\0')
        return path + n;
    return path[n] == '/' ? path + n + 1 : NULL;
}

int path_compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t n = a_length < b_length ? a_length : b_length;
    int order = memcmp(a, b, n);

    if (order != 0)
        return order;
    return a_length < b_length ? -1 : a_length > b_length;
}
