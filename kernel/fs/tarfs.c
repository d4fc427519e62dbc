/*
 * The boot archive as a read-only file system. Files are read in place; only
 * the index is made, once, when it is mounted. No locks: nothing changes
 * afterwards. Thread context.
 */
#include "fs.h"

#include <errno.h>
#include <string.h>

#include <rayos/log.h>
#include <rayos/mm.h>

#include "tar_index.h"

static struct tar_index boot_index;

static ssize_t tarfs_read(struct file *f, void *buf, size_t size,
                          uint64_t offset)
{
    const struct tar_node *n = f->node;

    if (offset >= n->size)
        return 0;
    if (size > n->size - offset)
        size = n->size - offset;
    memcpy(buf, n->data + offset, size);
    return (ssize_t)size;
}

static void node_stat(const struct tar_node *n, struct vfs_stat *out)
{
    *out = (struct vfs_stat){
        .type = n->is_dir ? VFS_DIR : VFS_FILE,
        .size = n->size,
        .mtime = n->mtime,
        .read_only = true,
    };
}

static int tarfs_file_stat(struct file *f, struct vfs_stat *out)
{
    node_stat(f->node, out);
    return 0;
}

static const struct file_ops tarfs_file_ops = {
    .read = tarfs_read,
    .stat = tarfs_file_stat,
};

/* Why there is no node: a file in the way is another error than nothing. */
static int missing_reason(const char *path)
{
    char parent[VFS_PATH_MAX];
    size_t length = strnlen(path, sizeof(parent) - 1);

    memcpy(parent, path, length);
    for (; length > 0; length--) {
        if (parent[length - 1] != '/')
            continue;
        parent[length - 1] = '\0';
        const struct tar_node *n = tar_index_find(&boot_index, parent);

        if (n)
            return n->is_dir ? -ENOENT : -ENOTDIR;
    }
    return -ENOENT;
}

static int tarfs_open(struct vfs_fs *fs, const char *path, int flags,
                      struct file *out)
{
    const struct tar_node *n = tar_index_find(&boot_index, path);

    (void)fs;
    if (!n) {
        int err = missing_reason(path);

        return err == -ENOENT && flags & O_CREAT ? -EROFS : err;
    }
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (n->is_dir)
        return -EISDIR;
    if ((flags & O_ACCMODE) != O_RDONLY)
        return -EROFS;
    out->ops = &tarfs_file_ops;
    out->node = (void *)n; /* file->node is void *; nobody writes to it */
    return 0;
}

static int tarfs_stat(struct vfs_fs *fs, const char *path, struct vfs_stat *out)
{
    const struct tar_node *n = tar_index_find(&boot_index, path);

    (void)fs;
    if (!n)
        return missing_reason(path);
    node_stat(n, out);
    return 0;
}

static int tarfs_readdir(struct vfs_fs *fs, const char *path, size_t index,
                         struct vfs_dirent *out)
{
    const struct tar_node *n = tar_index_find(&boot_index, path);

    (void)fs;
    if (!n)
        return missing_reason(path);
    if (!n->is_dir)
        return -ENOTDIR;
    n = tar_index_child(&boot_index, path, index);
    if (!n)
        return -ENOENT;
    size_t length = n->length - n->name;

    memset(out, 0, sizeof(*out));
    memcpy(out->name, n->path + n->name, length);
    out->type = n->is_dir ? VFS_DIR : VFS_FILE;
    out->size = n->size;
    return 0;
}

static struct vfs_fs tarfs = {
    .name = "tarfs",
    .open = tarfs_open,
    .stat = tarfs_stat,
    .readdir = tarfs_readdir,
};

int tarfs_create(const void *archive, size_t size, struct vfs_fs **out)
{
    const char *why;
    int err = tar_index_build(&boot_index, archive, size, &why);

    if (err) {
        log_error("tarfs", "boot archive: %s", why);
        return err;
    }
    if (boot_index.skipped)
        log_warn("tarfs",
                 "boot archive: %zu entries skipped that are neither "
                 "file nor directory",
                 boot_index.skipped);
    log_info("tarfs", "%zu files and directories", boot_index.count);
    *out = &tarfs;
    return 0;
}
