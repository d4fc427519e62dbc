/*
 * The memory file system: files and directories that live until the next boot,
 * within a limit for all of them together. A removed file stays readable to
 * those who have it open. One mutex for everything. Thread context.
 */
#include "tmpfs.h"

#include <errno.h>
#include <string.h>

#include <rayos/rtc.h>
#include <rayos/mm.h>

#include "fs.h"

static struct tmpfs *tmpfs_from_fs(struct vfs_fs *fs)
{
    return container_of(fs, struct tmpfs, fs);
}

/* Lock the file system that an open file lies in. */
static struct tmpfs *tmpfs_lock(struct file *f)
{
    struct tmpfs *t = ((struct tmp_node *)f->node)->owner;

    mutex_lock(&t->lock);
    return t;
}

static void node_touch(struct tmp_node *n)
{
    n->mtime = wall_clock_now() / (int64_t)NS_PER_SEC;
}

static void node_stat(const struct tmp_node *n, struct vfs_stat *out)
{
    *out = (struct vfs_stat){
        .type = n->is_dir ? VFS_DIR : VFS_FILE,
        .size = n->size,
        .mtime = n->mtime,
    };
}

/* --- open files --- */

static ssize_t tmpfs_read(struct file *f, void *buf, size_t size,
                          uint64_t offset)
{
    struct tmpfs *t = tmpfs_lock(f);
    size_t n = tmp_data_read(f->node, buf, size, offset);

    mutex_unlock(&t->lock);
    return (ssize_t)n;
}

static ssize_t tmpfs_write(struct file *f, const void *buf, size_t size,
                           uint64_t offset)
{
    struct tmp_node *n = f->node;
    struct tmpfs *t = tmpfs_lock(f);

    if (f->flags & O_APPEND)
        offset = n->size;
    ssize_t done = tmp_data_write(t, n, buf, size, offset);

    if (done > 0)
        node_touch(n);
    mutex_unlock(&t->lock);
    return done;
}

static int tmpfs_truncate(struct file *f, uint64_t size)
{
    struct tmpfs *t = tmpfs_lock(f);
    int err = tmp_data_resize(t, f->node, size);

    if (!err)
        node_touch(f->node);
    mutex_unlock(&t->lock);
    return err;
}

static int tmpfs_file_stat(struct file *f, struct vfs_stat *out)
{
    struct tmpfs *t = tmpfs_lock(f);

    node_stat(f->node, out);
    mutex_unlock(&t->lock);
    return 0;
}

static void tmpfs_close(struct file *f)
{
    struct tmp_node *n = f->node;
    struct tmpfs *t = tmpfs_lock(f);

    if (--n->opens == 0 && !n->parent)
        tmp_node_free(t, n);
    mutex_unlock(&t->lock);
}

static const struct file_ops tmpfs_file_ops = {
    .read = tmpfs_read,
    .write = tmpfs_write,
    .truncate = tmpfs_truncate,
    .stat = tmpfs_file_stat,
    .close = tmpfs_close,
};

/* --- names --- */

/* Find or make the file that open asks for. Lock held. */
static int open_node(struct tmpfs *t, const char *path, int flags,
                     struct tmp_node **out)
{
    struct tmp_node *dir, *n = NULL;
    const char *name;

    if (!*path)
        return -EISDIR;
    int err = tmp_find_parent(t, path, &dir, &name);

    if (err)
        return err;
    n = tmp_child(dir, name);
    if (!n) {
        if (!(flags & O_CREAT))
            return -ENOENT;
        return tmp_create(t, dir, name, false, out);
    }
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (n->is_dir)
        return -EISDIR;
    if (flags & O_TRUNC && n->size) {
        tmp_data_resize(t, n, 0);
        node_touch(n);
    }
    *out = n;
    return 0;
}

static int tmpfs_open(struct vfs_fs *fs, const char *path, int flags,
                      struct file *out)
{
    struct tmpfs *t = tmpfs_from_fs(fs);
    struct tmp_node *n;

    mutex_lock(&t->lock);
    int err = open_node(t, path, flags, &n);

    if (!err) {
        n->opens++;
        out->ops = &tmpfs_file_ops;
        out->node = n;
    }
    mutex_unlock(&t->lock);
    return err;
}

static int tmpfs_stat(struct vfs_fs *fs, const char *path, struct vfs_stat *out)
{
    struct tmpfs *t = tmpfs_from_fs(fs);
    struct tmp_node *n;

    mutex_lock(&t->lock);
    int err = tmp_find(t, path, &n);

    if (!err)
        node_stat(n, out);
    mutex_unlock(&t->lock);
    return err;
}

static void dirent_fill(const struct tmp_node *n, struct vfs_dirent *out)
{
    memset(out, 0, sizeof(*out));
    strncpy(out->name, n->name, VFS_NAME_MAX);
    out->type = n->is_dir ? VFS_DIR : VFS_FILE;
    out->size = n->size;
}

static int tmpfs_readdir(struct vfs_fs *fs, const char *path, size_t index,
                         struct vfs_dirent *out)
{
    struct tmpfs *t = tmpfs_from_fs(fs);
    struct tmp_node *n;

    mutex_lock(&t->lock);
    int err = tmp_find(t, path, &n);

    if (!err && !n->is_dir)
        err = -ENOTDIR;
    if (!err && index >= n->child_count)
        err = -ENOENT;
    if (!err)
        dirent_fill(n->children[index], out);
    mutex_unlock(&t->lock);
    return err;
}

static int tmpfs_mkdir(struct vfs_fs *fs, const char *path)
{
    struct tmpfs *t = tmpfs_from_fs(fs);
    struct tmp_node *dir, *n;
    const char *name;

    mutex_lock(&t->lock);
    int err = tmp_find_parent(t, path, &dir, &name);

    if (!err && tmp_child(dir, name))
        err = -EEXIST;
    if (!err)
        err = tmp_create(t, dir, name, true, &n);
    mutex_unlock(&t->lock);
    return err;
}

static int tmpfs_unlink(struct vfs_fs *fs, const char *path)
{
    struct tmpfs *t = tmpfs_from_fs(fs);
    struct tmp_node *n;

    mutex_lock(&t->lock);
    int err = tmp_find(t, path, &n);

    if (!err && n->is_dir && n->child_count)
        err = -ENOTEMPTY;
    if (!err)
        tmp_remove(t, n);
    mutex_unlock(&t->lock);
    return err;
}

static bool node_is_within(const struct tmp_node *n, const struct tmp_node *top)
{
    for (; n; n = n->parent)
        if (n == top)
            return true;
    return false;
}

/* May `n` take the place of `old` in `dir`? POSIX.1-2008, rename. */
static int rename_check(const struct tmp_node *n, const struct tmp_node *dir,
                        const struct tmp_node *old)
{
    if (node_is_within(dir, n))
        return -EINVAL;
    if (!old)
        return 0;
    if (old->is_dir && !n->is_dir)
        return -EISDIR;
    if (!old->is_dir && n->is_dir)
        return -ENOTDIR;
    return old->child_count ? -ENOTEMPTY : 0;
}

static int tmpfs_rename(struct vfs_fs *fs, const char *from, const char *to)
{
    struct tmpfs *t = tmpfs_from_fs(fs);
    struct tmp_node *n, *dir;
    const char *name;

    mutex_lock(&t->lock);
    int err = tmp_find(t, from, &n);

    if (!err)
        err = tmp_find_parent(t, to, &dir, &name);
    if (!err) {
        struct tmp_node *old = tmp_child(dir, name);

        if (old != n)
            err = rename_check(n, dir, old);
        if (!err && old != n)
            err = tmp_move(t, n, dir, name, old);
    }
    mutex_unlock(&t->lock);
    return err;
}

int tmpfs_create(size_t limit, struct vfs_fs **out)
{
    struct tmpfs *t = kzalloc(sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->fs = (struct vfs_fs){
        .name = "tmpfs",
        .open = tmpfs_open,
        .stat = tmpfs_stat,
        .readdir = tmpfs_readdir,
        .mkdir = tmpfs_mkdir,
        .unlink = tmpfs_unlink,
        .rename = tmpfs_rename,
    };
    mutex_init(&t->lock);
    t->limit = limit;
    t->root.is_dir = true;
    node_touch(&t->root);
    t->root.owner = t;
    *out = &t->fs;
    return 0;
}
