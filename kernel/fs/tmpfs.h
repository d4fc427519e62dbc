/*
 * Inside of the memory file system: the tree of nodes (tmpfs_tree.c) and the
 * contents of files (tmpfs_data.c). Everything is under fs->lock. Also built
 * for the host tests.
 */
#ifndef KERNEL_FS_TMPFS_H
#define KERNEL_FS_TMPFS_H

#include <rayos/vfs.h>

struct tmpfs;

struct tmp_node {
    struct tmpfs *owner;
    char *name;
    struct tmp_node *parent; /* NULL: the root, or removed from the tree */
    bool is_dir;
    uint32_t opens; /* open files; the last close frees a removed node */
    int64_t mtime;
    /* Files: 4 KiB pages, NULL where nothing was written. */
    uint8_t **pages;
    size_t page_slots;
    uint64_t size;
    /* Directories: sorted by name. */
    struct tmp_node **children;
    size_t child_count, child_slots;
};

struct tmpfs {
    struct vfs_fs fs;
    struct mutex lock;
    size_t used, limit; /* bytes, names and tables included */
    struct tmp_node root;
};

/* --- tmpfs_tree.c --- */

/* Memory of the file system: cleared; NULL over the limit or out of memory.
 * `size` is given again to free it. */
void *tmp_alloc(struct tmpfs *t, size_t size);
void tmp_free(struct tmpfs *t, void *p, size_t size);

/* The node of a path; -ENOENT, -ENOTDIR. */
int tmp_find(struct tmpfs *t, const char *path, struct tmp_node **out);
/* The directory that holds, or would hold, the last component, which *name
 * points to. The path is not "". */
int tmp_find_parent(struct tmpfs *t, const char *path, struct tmp_node **dir,
                    const char **name);
struct tmp_node *tmp_child(const struct tmp_node *dir, const char *name);
/* Make an empty node; -ENOSPC. */
int tmp_create(struct tmpfs *t, struct tmp_node *dir, const char *name,
               bool is_dir, struct tmp_node **out);
/* Take a node out of the tree; it is freed when nobody has it open. */
void tmp_remove(struct tmpfs *t, struct tmp_node *n);
/* Give a node another place, replacing `old` (NULL: there is none). -ENOSPC. */
int tmp_move(struct tmpfs *t, struct tmp_node *n, struct tmp_node *dir,
             const char *name, struct tmp_node *old);
void tmp_node_free(struct tmpfs *t, struct tmp_node *n);

/* --- tmpfs_data.c --- */

size_t tmp_data_read(const struct tmp_node *n, void *buf, size_t size,
                     uint64_t offset);
/* Bytes written, fewer than `size` when space ends; -ENOSPC for none. */
ssize_t tmp_data_write(struct tmpfs *t, struct tmp_node *n, const void *buf,
                       size_t size, uint64_t offset);
/* Cut, or grow by zeros. -ENOSPC beyond the file system's limit. */
int tmp_data_resize(struct tmpfs *t, struct tmp_node *n, uint64_t size);

#endif
