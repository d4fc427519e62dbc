/*
 * Directories of a FAT volume: read whole, sorted, and a few of them kept.
 * Pure; thread context, under the volume's lock.
 */
#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "fat.h"

/* FAT 6: offsets in an entry of 32 bytes */
#define ENTRY        32
#define ATTRIBUTES   11
#define CLUSTER_HIGH 20
#define TIME         22
#define DATE         24
#define CLUSTER_LOW  26
#define SIZE         28

#define ENTRY_END  0x00
#define ENTRY_FREE 0xe5

#define ATTR_LABEL     0x08
#define ATTR_DIRECTORY 0x10
#define ATTR_LONG      0x0f
#define ATTR_LONG_MASK 0x3f

/* FAT 7: a long name's piece */
#define LONG_LAST     0x40
#define LONG_CHECKSUM 13
#define LONG_UNITS    13
#define LONG_PIECES   20

/* FAT 6: a directory has 65536 entries at most */
#define DIRECTORY_MOST (65536u * ENTRY)

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

/* --- reading one whole --- */

/* A fresh block with all entries; *size may be 0. */
static int read_chain(struct fat_volume *v, uint32_t cluster, uint8_t **data,
                      uint64_t *size)
{
    uint32_t most = DIRECTORY_MOST / v->cluster_size + 1;
    struct fat_chain chain;
    uint64_t length;
    int err = fat_chain_make(v, cluster, most, &chain);

    if (err)
        return err;
    *size = (uint64_t)chain.clusters * v->cluster_size;
    *data = kalloc(*size ? *size : 1);
    if (!*data)
        err = -ENOMEM;
    for (uint64_t at = 0; !err && at < *size; at += length) {
        uint64_t from = fat_chain_find(v, &chain, at, &length);

        err = fat_read(v, from, *data + at, length);
    }
    fat_chain_free(&chain);
    return err;
}

static int read_directory(struct fat_volume *v, uint32_t cluster,
                          uint8_t **data, uint64_t *size)
{
    int err;

    *data = NULL;
    if (cluster) {
        err = read_chain(v, cluster, data, size);
    } else {
        *size = v->root_size;
        *data = kalloc(*size);
        err = *data ? fat_read(v, v->root, *data, *size) : -ENOMEM;
    }
    if (err)
        kfree(*data);
    else if (*size > DIRECTORY_MOST)
        *size = DIRECTORY_MOST;
    return err;
}

/* Where the root is; also what ".." of its children, cluster 0, stands for. */
static uint32_t root_cluster(const struct fat_volume *v)
{
    return v->bits == 32 ? v->root_cluster : 0;
}

/* --- the entries --- */

/* A long name that is being put together. Its pieces come in falling order. */
struct long_name {
    uint8_t units[LONG_PIECES * LONG_UNITS * 2];
    uint32_t next;   /* the piece that must follow; 0: it is complete */
    uint32_t pieces; /* 0: there is none */
    uint8_t checksum;
};

static void long_name_add(struct long_name *l, const uint8_t *e)
{
    static const uint8_t part[3][2] = {{1, 5}, {14, 6}, {28, 2}};
    uint32_t number = e[0] & (LONG_LAST - 1);
    uint8_t *to;

    if (!number || number > LONG_PIECES) {
        l->pieces = 0;
        return;
    }
    if (e[0] & LONG_LAST) {
        l->pieces = number;
        l->checksum = e[LONG_CHECKSUM];
    } else if (!l->pieces || number != l->next ||
               e[LONG_CHECKSUM] != l->checksum) {
        l->pieces = 0;
        return;
    }
    l->next = number - 1;
    to = l->units + (size_t)(number - 1) * LONG_UNITS * 2;
    for (size_t i = 0; i < 3; i++) {
        memcpy(to, e + part[i][0], 2 * part[i][1]);
        to += 2 * part[i][1];
    }
}

/* The name of the entry behind it, or 0: it has none that can be used. */
static size_t long_name_take(struct long_name *l, const uint8_t *e,
                             char out[FAT_NAME_MAX + 1])
{
    size_t most = l->pieces * LONG_UNITS, units = 0;
    bool good = l->pieces && !l->next && l->checksum == fat_short_checksum(e);

    l->pieces = 0;
    if (!good)
        return 0;
    while (units < most && get16(l->units + 2 * units))
        units++;
    return fat_long_name(l->units, units, out);
}

static void take_node(const struct fat_volume *v, const uint8_t *e,
                      struct fat_node *out)
{
    out->cluster = get16(e + CLUSTER_LOW);
    if (v->bits == 32)
        out->cluster |= get16(e + CLUSTER_HIGH) << 16;
    out->is_dir = e[ATTRIBUTES] & ATTR_DIRECTORY;
    out->size = out->is_dir ? 0 : get16(e + SIZE) | get16(e + SIZE + 2) << 16;
    out->mtime = fat_time(get16(e + DATE), get16(e + TIME));
}

/* Calls `found` for each file and directory; names are gone when it returns. */
struct walk {
    const struct fat_volume *v;
    void (*found)(struct walk *w, const char *name, size_t length,
                  const struct fat_node *n);
    struct fat_list *list;
    size_t names; /* bytes */
    uint32_t skipped;
};

static bool is_dot_entry(const uint8_t *e)
{
    return e[0] == '.' && (e[1] == ' ' || (e[1] == '.' && e[2] == ' '));
}

static void walk(struct walk *w, const uint8_t *data, uint64_t size)
{
    struct long_name name = {.pieces = 0};
    char text[FAT_NAME_MAX + 1];
    struct fat_node node;

    for (uint64_t at = 0; at + ENTRY <= size; at += ENTRY) {
        const uint8_t *e = data + at;
        size_t length;

        if (e[0] == ENTRY_END)
            return;
        if (e[0] == ENTRY_FREE || is_dot_entry(e)) {
            name.pieces = 0;
            continue;
        }
        if ((e[ATTRIBUTES] & ATTR_LONG_MASK) == ATTR_LONG) {
            long_name_add(&name, e);
            continue;
        }
        length = long_name_take(&name, e, text);
        if (e[ATTRIBUTES] & ATTR_LABEL)
            continue;
        if (!length)
            length = fat_short_name(e, text);
        take_node(w->v, e, &node);
        /* A directory has a cluster, and the root is in no directory. */
        if (!length || (node.is_dir && !fat_cluster_valid(w->v, node.cluster)))
            w->skipped++;
        else
            w->found(w, text, length, &node);
    }
}

static void count_entry(struct walk *w, const char *name, size_t length,
                        const struct fat_node *n)
{
    (void)name;
    (void)n;
    w->list->count++;
    w->names += length + 1;
}

static void add_entry(struct walk *w, const char *name, size_t length,
                      const struct fat_node *n)
{
    char *to = w->list->names + w->names;

    memcpy(to, name, length + 1);
    w->list->entries[w->list->count++] = (struct fat_entry){to, *n};
    w->names += length + 1;
}

/* --- sorting: a heap, which has no worst case --- */

static bool before(const struct fat_entry *a, const struct fat_entry *b)
{
    return strcmp(a->name, b->name) < 0;
}

static void sift(struct fat_entry *v, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && before(&v[child], &v[child + 1]))
            child++;
        if (!before(&v[at], &v[child]))
            return;
        struct fat_entry t = v[at];

        v[at] = v[child];
        v[child] = t;
    }
}

static void sort(struct fat_entry *v, size_t count)
{
    for (size_t i = count / 2; i > 0; i--)
        sift(v, i - 1, count);
    for (size_t n = count; n > 1; n--) {
        struct fat_entry t = v[0];

        v[0] = v[n - 1];
        v[n - 1] = t;
        sift(v, 0, n - 1);
    }
}

/* --- lists --- */

static void list_free(struct fat_list *l)
{
    if (!l)
        return;
    kfree(l->entries);
    kfree(l->names);
    kfree(l);
}

static int list_make(struct fat_volume *v, uint32_t cluster,
                     struct fat_list **out)
{
    struct fat_list *l = kzalloc(sizeof(*l));
    struct walk w = {.v = v, .found = count_entry, .list = l};
    uint64_t size;
    uint8_t *data;
    int err;

    if (!l)
        return -ENOMEM;
    err = read_directory(v, cluster, &data, &size);
    if (err)
        goto out;
    walk(&w, data, size);
    l->skipped = w.skipped;
    l->entries = kalloc(l->count * sizeof(*l->entries) + 1);
    l->names = kalloc(w.names + 1);
    if (l->entries && l->names) {
        l->count = w.names = 0;
        w.found = add_entry;
        walk(&w, data, size);
        sort(l->entries, l->count);
    } else {
        err = -ENOMEM;
    }
    kfree(data);
out:
    if (err)
        list_free(l);
    else
        *out = l;
    return err;
}

int fat_list_get(struct fat_volume *v, const struct fat_node *dir,
                 const struct fat_list **out)
{
    size_t oldest = 0;
    struct fat_list *l;
    int err;

    for (size_t i = 0; i < FAT_LISTS; i++) {
        if (v->lists[i].list && v->lists[i].cluster == dir->cluster) {
            v->lists[i].used = ++v->uses;
            *out = v->lists[i].list;
            return 0;
        }
        if (v->lists[i].used < v->lists[oldest].used)
            oldest = i;
    }
    err = list_make(v, dir->cluster, &l);
    if (err)
        return err;
    list_free(v->lists[oldest].list);
    v->lists[oldest].list = l;
    v->lists[oldest].cluster = dir->cluster;
    v->lists[oldest].used = ++v->uses;
    *out = l;
    return 0;
}

void fat_lists_free(struct fat_volume *v)
{
    for (size_t i = 0; i < FAT_LISTS; i++) {
        list_free(v->lists[i].list);
        v->lists[i].list = NULL;
        v->lists[i].used = 0;
    }
}

/* --- paths --- */

static const struct fat_node *list_find(const struct fat_list *l,
                                        const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (fat_name_compare(l->entries[i].name, name) == 0)
            return &l->entries[i].node;
    return NULL;
}

int fat_find(struct fat_volume *v, const char *path, struct fat_node *out)
{
    *out = (struct fat_node){.cluster = root_cluster(v), .is_dir = true};
    while (*path) {
        char name[FAT_NAME_MAX + 1];
        size_t length = strcspn(path, "/");
        const struct fat_list *l;
        const struct fat_node *n;
        int err;

        if (!out->is_dir)
            return -ENOTDIR;
        if (length > FAT_NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, path, length);
        name[length] = '\0';
        err = fat_list_get(v, out, &l);
        if (err)
            return err;
        n = list_find(l, name);
        if (!n)
            return -ENOENT;
        *out = *n;
        path += length + (path[length] == '/');
    }
    return 0;
}

/* --- the volume's label: an entry of the root directory (FAT 6.1) --- */

int fat_label_read(struct fat_volume *v)
{
    uint64_t size;
    uint8_t *data;
    int err = read_directory(v, root_cluster(v), &data, &size);

    for (uint64_t at = 0; !err && at + ENTRY <= size; at += ENTRY) {
        const uint8_t *e = data + at;
        size_t n = FAT_LABEL_MAX;

        if (e[0] == ENTRY_END)
            break;
        if (e[0] == ENTRY_FREE || !(e[ATTRIBUTES] & ATTR_LABEL) ||
            (e[ATTRIBUTES] & ATTR_LONG_MASK) == ATTR_LONG)
            continue;
        while (n > 0 && e[n - 1] == ' ')
            n--;
        for (size_t i = 0; i < n; i++)
            v->label[i] = (char)(e[i] >= 0x20 && e[i] < 0x7f ? e[i] : '?');
        v->label[n] = '\0';
        break;
    }
    if (!err)
        kfree(data);
    return err;
}
