/*
 * Building and searching of the archive's index. Nodes of implied directories
 * share the text of the path that implies them; duplicates are settled as tar
 * does, the last entry wins. Building: thread context; searching: any.
 */
#include "tar_index.h"

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "path.h"
#include "tar.h"

/* --- order --- */

/* By directory, then by name. */
static int node_compare_key(const struct tar_node *n, const char *dir,
                            size_t dir_length, const char *name,
                            size_t name_length)
{
    int order = path_compare(n->path, n->dir, dir, dir_length);

    if (order != 0)
        return order;
    return path_compare(n->path + n->name, n->length - n->name, name,
                        name_length);
}

/* The same path: the one that counts, the later entry, comes first. */
static int node_compare(const struct tar_node *a, const struct tar_node *b)
{
    int order = node_compare_key(a, b->path, b->dir, b->path + b->name,
                                 b->length - b->name);

    if (order != 0)
        return order;
    return a->sequence > b->sequence ? -1 : a->sequence < b->sequence;
}

static void node_swap(struct tar_node *a, struct tar_node *b)
{
    struct tar_node t = *a;

    *a = *b;
    *b = t;
}

static void heap_sift(struct tar_node *v, size_t root, size_t count)
{
    for (;;) {
        size_t child = 2 * root + 1;

        if (child >= count)
            return;
        if (child + 1 < count && node_compare(&v[child], &v[child + 1]) < 0)
            child++;
        if (node_compare(&v[root], &v[child]) >= 0)
            return;
        node_swap(&v[root], &v[child]);
        root = child;
    }
}

/* Heap sort: no recursion, no worst case, and not newlib's qsort. */
static void nodes_sort(struct tar_node *v, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        heap_sift(v, i, count);
    for (size_t i = count; i-- > 1;) {
        node_swap(&v[0], &v[i]);
        heap_sift(v, 0, i);
    }
}

/* --- building --- */

struct tar_totals {
    size_t nodes, bytes;
};

/* Number of nodes that an entry of this path needs: one a component. */
static size_t path_depth(const char *path)
{
    size_t n = *path != '\0';

    for (; *path; path++)
        n += *path == '/';
    return n;
}

/* First pass: check all and count. */
static int totals_count(const void *data, size_t size, struct tar_totals *out,
                        size_t *skipped, const char **why)
{
    struct tar_entry e;
    struct tar t;
    int r;

    tar_open(&t, data, size);
    *out = (struct tar_totals){.nodes = 1}; /* the root */
    *skipped = 0;
    while ((r = tar_next(&t, &e, why)) > 0) {
        if (e.type == TAR_OTHER) {
            ++*skipped;
            continue;
        }
        out->nodes += path_depth(e.path);
        out->bytes += strlen(e.path);
    }
    return r;
}

static struct tar_node *node_add(struct tar_index *x, const char *path,
                                 size_t length)
{
    struct tar_node *n = &x->nodes[x->count++];
    size_t name = length;

    while (name > 0 && path[name - 1] != '/')
        name--;
    *n = (struct tar_node){
        .path = path,
        .length = (uint16_t)length,
        .name = (uint16_t)name,
        .dir = (uint16_t)(name ? name - 1 : 0),
        .is_dir = true,
    };
    return n;
}

/* The entry itself, then every directory above it. */
static void entry_add(struct tar_index *x, const struct tar_entry *e,
                      const char *path, uint32_t sequence)
{
    size_t length = strlen(e->path);

    if (length == 0)
        return;
    struct tar_node *n = node_add(x, path, length);

    n->is_dir = e->type == TAR_DIR;
    n->sequence = sequence;
    n->data = e->data;
    n->size = e->size;
    n->mtime = e->mtime;
    for (size_t dir = n->dir; dir > 0; dir = n->dir)
        n = node_add(x, path, dir);
}

/* Second pass over an archive that was found good. */
static void nodes_fill(struct tar_index *x, const void *data, size_t size)
{
    char *text = x->paths;
    struct tar_entry e;
    const char *why;
    struct tar t;
    uint32_t sequence = 1;

    tar_open(&t, data, size);
    node_add(x, "", 0);
    while (tar_next(&t, &e, &why) > 0) {
        size_t length = strlen(e.path);

        if (e.type == TAR_OTHER)
            continue;
        memcpy(text, e.path, length);
        entry_add(x, &e, text, sequence++);
        text += length;
    }
}

/* Keep the first of each run of equal paths. false: the winner is a file where
 * other entries need a directory. */
static bool nodes_unify(struct tar_index *x)
{
    size_t kept = 1; /* the root sorts first */

    for (size_t i = 1; i < x->count; i++) {
        const struct tar_node *n = &x->nodes[i], *last = &x->nodes[kept - 1];

        if (node_compare_key(last, n->path, n->dir, n->path + n->name,
                             n->length - n->name) != 0)
            x->nodes[kept++] = *n;
        else if (!last->is_dir && n->sequence == 0)
            return false;
    }
    x->count = kept;
    return true;
}

int tar_index_build(struct tar_index *x, const void *data, size_t size,
                    const char **why)
{
    struct tar_totals totals;

    memset(x, 0, sizeof(*x));
    int err = totals_count(data, size, &totals, &x->skipped, why);

    if (err)
        return err;
    x->nodes = kalloc(totals.nodes * sizeof(*x->nodes));
    x->paths = kalloc(totals.bytes + 1);
    if (!x->nodes || !x->paths) {
        *why = "too large for memory";
        err = -ENOMEM;
    } else {
        nodes_fill(x, data, size);
        nodes_sort(x->nodes, x->count);
        if (!nodes_unify(x)) {
            *why = "a name is file and directory at once";
            err = -EINVAL;
        }
    }
    if (err)
        tar_index_free(x);
    return err;
}

void tar_index_free(struct tar_index *x)
{
    kfree(x->nodes);
    kfree(x->paths);
    memset(x, 0, sizeof(*x));
}

/* --- searching --- */

/* First node that is not before the key. */
static size_t index_lower(const struct tar_index *x, const char *dir,
                          size_t dir_length, const char *name,
                          size_t name_length)
{
    size_t lo = 0, hi = x->count;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (node_compare_key(&x->nodes[mid], dir, dir_length, name,
                             name_length) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct tar_node *tar_index_find(const struct tar_index *x,
                                      const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t dir = slash ? (size_t)(slash - path) : 0, length = strlen(name);
    size_t i = index_lower(x, path, dir, name, length);

    if (i == x->count ||
        node_compare_key(&x->nodes[i], path, dir, name, length) != 0)
        return NULL;
    return &x->nodes[i];
}

const struct tar_node *tar_index_child(const struct tar_index *x,
                                       const char *path, size_t i)
{
    size_t length = strlen(path), first = index_lower(x, path, length, "", 0);

    /* The root is a node too, the first of those whose directory is "". */
    if (length == 0)
        first++;
    if (i >= x->count - first)
        return NULL;
    const struct tar_node *n = &x->nodes[first + i];

    return path_compare(n->path, n->dir, path, length) == 0 ? n : NULL;
}
