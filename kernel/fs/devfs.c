/*
 * /dev: the ttys in order of name, and null. Reading a tty through a file is
 * cooked (whole lines); raw reading is the business of those who hold the tty
 * itself. Thread context.
 */
#include "fs.h"

#include <errno.h>
#include <string.h>

#include <rayos/tty.h>

#define NULL_NAME "null"

/* --- /dev/null --- */

static ssize_t null_read(struct file *f, void *buf, size_t size,
                         uint64_t offset)
{
    (void)f, (void)buf, (void)size, (void)offset;
    return 0;
}

static ssize_t null_write(struct file *f, const void *buf, size_t size,
                          uint64_t offset)
{
    (void)f, (void)buf, (void)offset;
    return (ssize_t)size;
}

static int device_stat(struct file *f, struct vfs_stat *out)
{
    (void)f;
    *out = (struct vfs_stat){.type = VFS_DEVICE};
    return 0;
}

static const struct file_ops null_file_ops = {
    .read = null_read,
    .write = null_write,
    .stat = device_stat,
};

/* --- ttys --- */

static ssize_t tty_file_read(struct file *f, void *buf, size_t size,
                             uint64_t offset)
{
    (void)offset;
    return tty_read_cooked(f->node, buf, size);
}

static ssize_t tty_file_write(struct file *f, const void *buf, size_t size,
                              uint64_t offset)
{
    (void)offset;
    return tty_write(f->node, buf, size);
}

static const struct file_ops tty_file_ops = {
    .read = tty_file_read,
    .write = tty_file_write,
    .stat = device_stat,
};

struct tty *tty_from_file(const struct file *f)
{
    return f->ops == &tty_file_ops ? f->node : NULL;
}

/* --- the directory --- */

/* Name number i, in no order: null, then the ttys. */
static const char *device_name(size_t i)
{
    if (i == 0)
        return NULL_NAME;
    struct tty *t = tty_at(i - 1);

    return t ? t->name : NULL;
}

static int devfs_find(const char *path, struct tty **tty)
{
    *tty = NULL;
    if (strcmp(path, NULL_NAME) == 0)
        return 0;
    *tty = tty_find(path);
    return *tty ? 0 : -ENOENT;
}

static int devfs_open(struct vfs_fs *fs, const char *path, int flags,
                      struct file *out)
{
    struct tty *tty;

    (void)fs;
    if (!*path)
        return -EISDIR;
    int err = devfs_find(path, &tty);

    if (err)
        return flags & O_CREAT ? -EROFS : err;
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    out->stream = true;
    out->ops = tty ? &tty_file_ops : &null_file_ops;
    out->node = tty;
    return 0;
}

static int devfs_stat(struct vfs_fs *fs, const char *path, struct vfs_stat *out)
{
    struct tty *tty;
    int err = *path ? devfs_find(path, &tty) : 0;

    (void)fs;
    *out = (struct vfs_stat){.type = *path ? VFS_DEVICE : VFS_DIR};
    return err;
}

/* There are a handful of devices: the one with `index` smaller names. */
static int devfs_readdir(struct vfs_fs *fs, const char *path, size_t index,
                         struct vfs_dirent *out)
{
    struct tty *tty;
    const char *name, *other;

    (void)fs;
    if (*path)
        return devfs_find(path, &tty) ? -ENOENT : -ENOTDIR;
    for (size_t i = 0; (name = device_name(i)); i++) {
        size_t before = 0;

        for (size_t k = 0; (other = device_name(k)); k++)
            before += strcmp(other, name) < 0;
        if (before != index)
            continue;
        memset(out, 0, sizeof(*out));
        strncpy(out->name, name, VFS_NAME_MAX);
        out->type = VFS_DEVICE;
        return 0;
    }
    return -ENOENT;
}

static struct vfs_fs devfs = {
    .name = "devfs",
    .open = devfs_open,
    .stat = devfs_stat,
    .readdir = devfs_readdir,
};

struct vfs_fs *devfs_get(void)
{
    return &devfs;
}
