/*
 * The tree of the memory file system: nodes, sorted directories, and the
 * account of what all of it costs. The caller holds fs->lock. Thread context.
 */
#include "tmpfs.h"

#include <errno.h>
#include <string.h>

#include <rayos/rtc.h>
#include <rayos/mm.h>

#include "path.h"

#define DIR_SLOTS_MIN 8

void *tmp_alloc(struct tmpfs *t, size_t size)
{
    if (size > t->limit - t->used)
        return NULL;
    void *p = kzalloc(size);

    if (p)
        t->used += size;
    return p;
}

void tmp_free(struct tmpfs *t, void *p, size_t size)
{
    if (!p)
        return;
    t->used -= size;
    kfree(p);
}

static char *name_copy(struct tmpfs *t, const char *name)
{
    size_t size = strlen(name) + 1;
    char *copy = tmp_alloc(t, size);

    if (copy)
        memcpy(copy, name, size);
    return copy;
}

static void name_free(struct tmpfs *t, char *name)
{
    if (name)
        tmp_free(t, name, strlen(name) + 1);
}

void tmp_node_free(struct tmpfs *t, struct tmp_node *n)
{
    tmp_data_resize(t, n, 0);
    tmp_free(t, n->children, n->child_slots * sizeof(*n->children));
    name_free(t, n->name);
    tmp_free(t, n, sizeof(*n));
}

/* --- directories --- */

/* Place of the first child whose name is not before name[0..length). */
static size_t child_lower(const struct tmp_node *dir, const char *name,
                          size_t length)
{
    size_t lo = 0, hi = dir->child_count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const char *other = dir->children[mid]->name;

        if (path_compare(other, strlen(other), name, length) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct tmp_node *child_find(const struct tmp_node *dir, const char *name,
                                   size_t length)
{
    size_t i = child_lower(dir, name, length);

    if (i == dir->child_count)
        return NULL;
    const char *found = dir->children[i]->name;

    return path_compare(found, strlen(found), name, length) == 0
               ? dir->children[i]
               : NULL;
}

struct tmp_node *tmp_child(const struct tmp_node *dir, const char *name)
{
    return child_find(dir, name, strlen(name));
}

/* Room for one more child. */
static int dir_reserve(struct tmpfs *t, struct tmp_node *dir)
{
    if (dir->child_count < dir->child_slots)
        return 0;
    size_t slots = dir->child_slots ? 2 * dir->child_slots : DIR_SLOTS_MIN;
    struct tmp_node **v = tmp_alloc(t, slots * sizeof(*v));

    if (!v)
        return -ENOSPC;
    if (dir->child_count)
        memcpy(v, dir->children, dir->child_count * sizeof(*v));
    tmp_free(t, dir->children, dir->child_slots * sizeof(*v));
    dir->children = v;
    dir->child_slots = slots;
    return 0;
}

/* There is room. */
static void dir_insert(struct tmp_node *dir, struct tmp_node *n)
{
    size_t i = child_lower(dir, n->name, strlen(n->name));
    struct tmp_node **at = dir->children + i;

    memmove(at + 1, at, (dir->child_count - i) * sizeof(*at));
    *at = n;
    dir->child_count++;
    dir->mtime = wall_clock_now() / (int64_t)NS_PER_SEC;
    n->parent = dir;
}

static void dir_take_out(struct tmp_node *n)
{
    struct tmp_node *dir = n->parent;
    size_t i = child_lower(dir, n->name, strlen(n->name));
    struct tmp_node **at = dir->children + i;

    dir->child_count--;
    memmove(at, at + 1, (dir->child_count - i) * sizeof(*at));
    dir->mtime = wall_clock_now() / (int64_t)NS_PER_SEC;
    n->parent = NULL;
}

/* --- paths --- */

/* Follow path[0..length). */
static int walk(struct tmpfs *t, const char *path, size_t length,
                struct tmp_node **out)
{
    struct tmp_node *n = &t->root;

    for (size_t i = 0, end; i < length; i = end + 1) {
        if (!n->is_dir)
            return -ENOTDIR;
        for (end = i; end < length && path[end] != '/'; end++)
            ;
        n = child_find(n, path + i, end - i);
        if (!n)
            return -ENOENT;
    }
    *out = n;
    return 0;
}

int tmp_find(struct tmpfs *t, const char *path, struct tmp_node **out)
{
    return walk(t, path, strlen(path), out);
}

int tmp_find_parent(struct tmpfs *t, const char *path, struct tmp_node **dir,
                    const char **name)
{
    const char *slash = strrchr(path, '/');
    int err = walk(t, path, slash ? (size_t)(slash - path) : 0, dir);

    if (err)
        return err;
    *name = slash ? slash + 1 : path;
    return (*dir)->is_dir ? 0 : -ENOTDIR;
}

/* --- changes --- */

int tmp_create(struct tmpfs *t, struct tmp_node *dir, const char *name,
               bool is_dir, struct tmp_node **out)
{
    int err = dir_reserve(t, dir);

    if (err)
        return err;
    struct tmp_node *n = tmp_alloc(t, sizeof(*n));

    if (!n)
        return -ENOSPC;
    n->name = name_copy(t, name);
    if (!n->name) {
        tmp_free(t, n, sizeof(*n));
        return -ENOSPC;
    }
    n->owner = t;
    n->is_dir = is_dir;
    n->mtime = wall_clock_now() / (int64_t)NS_PER_SEC;
    dir_insert(dir, n);
    *out = n;
    return 0;
}

void tmp_remove(struct tmpfs *t, struct tmp_node *n)
{
    dir_take_out(n);
    if (n->opens == 0)
        tmp_node_free(t, n);
}

int tmp_move(struct tmpfs *t, struct tmp_node *n, struct tmp_node *dir,
             const char *name, struct tmp_node *old)
{
    char *copy = name_copy(t, name);
    int err = copy ? dir_reserve(t, dir) : -ENOSPC;

    if (err) {
        name_free(t, copy);
        return err;
    }
    /* Nothing can fail from here on. */
    if (old)
        tmp_remove(t, old);
    dir_take_out(n);
    name_free(t, n->name);
    n->name = copy;
    dir_insert(dir, n);
    return 0;
}
