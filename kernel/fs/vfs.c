/*
 * The mount table, and the operations on paths: each normalizes its path, finds
 * the file system with the longest matching mount point and hands on the rest.
 * The root itself belongs to no file system: it holds the mount points and
 * nothing else. Thread context.
 */
#include <rayos/vfs.h>

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "path.h"

#define VFS_MOUNT_MAX 16

struct vfs_mount {
    char path[VFS_NAME_MAX + 1]; /* normalized */
    struct vfs_fs *fs;
};

/* Mounts are only ever added, so that readers need no lock: an entry is
 * complete before the count covers it. */
static struct vfs_mount mounts[VFS_MOUNT_MAX];
static _Atomic size_t mount_count;
static struct mutex mount_lock = MUTEX_INIT(mount_lock);

int vfs_mount(const char *path, struct vfs_fs *fs)
{
    char norm[VFS_NAME_MAX + 1];
    int err = path_normalize(path, norm, sizeof(norm));

    if (err)
        return err;
    if (strcmp(norm, "/") == 0)
        return -EBUSY;
    mutex_lock(&mount_lock);
    size_t n = mount_count;

    for (size_t i = 0; i < n; i++)
        if (strcmp(mounts[i].path, norm) == 0)
            err = -EBUSY;
    if (!err && n == VFS_MOUNT_MAX)
        err = -ENOSPC;
    if (!err) {
        memcpy(mounts[n].path, norm, sizeof(norm));
        mounts[n].fs = fs;
        mount_count = n + 1;
    }
    mutex_unlock(&mount_lock);
    return err;
}

/* A path with the file system that it lies in. */
struct vfs_place {
    char path[VFS_PATH_MAX];
    struct vfs_fs *fs; /* NULL: the root's own directory */
    const char *rest;  /* in path: what the file system is asked for */
};

static int vfs_resolve(const char *path, struct vfs_place *out)
{
    int err = path_normalize(path, out->path, sizeof(out->path));
    size_t best = 0, n = mount_count;

    if (err)
        return err;
    out->fs = NULL;
    out->rest = out->path + 1;
    for (size_t i = 0; i < n; i++) {
        const char *rest = path_below(out->path, mounts[i].path);
        size_t length = strlen(mounts[i].path);

        if (rest && length > best) {
            best = length;
            out->fs = mounts[i].fs;
            out->rest = rest;
        }
    }
    return 0;
}

/* For operations that make or remove a name: -EBUSY for a mount point and for
 * the root, -EROFS for what would lie in the root itself. */
static int vfs_resolve_change(const char *path, struct vfs_place *out)
{
    int err = vfs_resolve(path, out);

    if (err)
        return err;
    if (!*out->rest)
        return -EBUSY;
    return out->fs ? 0 : -EROFS;
}

/* --- the root directory --- */

/* Name of a mount point directly below the root, else NULL. */
static const char *root_child(size_t i)
{
    const char *name = mounts[i].path + 1;

    return strchr(name, '/') ? NULL : name;
}

static int root_readdir(size_t index, struct vfs_dirent *out)
{
    size_t n = mount_count;

    for (size_t i = 0; i < n; i++) {
        const char *name = root_child(i);
        size_t before = 0;

        if (!name)
            continue;
        for (size_t k = 0; k < n; k++) {
            const char *other = root_child(k);

            if (other && strcmp(other, name) < 0)
                before++;
        }
        if (before != index)
            continue;
        memset(out, 0, sizeof(*out));
        strcpy(out->name, name);
        out->type = VFS_DIR;
        return 0;
    }
    return -ENOENT;
}

static int root_stat(const char *rest, struct vfs_stat *out)
{
    if (*rest)
        return -ENOENT;
    memset(out, 0, sizeof(*out));
    out->type = VFS_DIR;
    out->read_only = true;
    return 0;
}

/* What open answers for a path that no file system holds. */
static int root_open(const char *rest, int flags)
{
    if (!*rest)
        return -EISDIR;
    return flags & O_CREAT ? -EROFS : -ENOENT;
}

/* --- operations on paths --- */

static int open_flags_check(int flags)
{
    int mode = flags & O_ACCMODE;

    if (mode != O_RDONLY && mode != O_WRONLY && mode != O_RDWR)
        return -EINVAL;
    if (mode == O_RDONLY && flags & (O_TRUNC | O_APPEND))
        return -EINVAL;
    return 0;
}

int vfs_open(const char *path, int flags, struct file **out)
{
    struct vfs_place place;
    int err = open_flags_check(flags);

    if (!err)
        err = vfs_resolve(path, &place);
    if (err)
        return err;
    if (!place.fs)
        return root_open(place.rest, flags);
    struct file *f = kzalloc(sizeof(*f));

    if (!f)
        return -ENOMEM;
    f->flags = flags & (O_ACCMODE | O_APPEND);
    f->refs = 1;
    mutex_init(&f->lock);
    err = place.fs->open(place.fs, place.rest, flags, f);
    if (err) {
        kfree(f);
        return err;
    }
    *out = f;
    return 0;
}

int vfs_stat(const char *path, struct vfs_stat *out)
{
    struct vfs_place place;
    int err = vfs_resolve(path, &place);

    if (err)
        return err;
    if (!place.fs)
        return root_stat(place.rest, out);
    return place.fs->stat(place.fs, place.rest, out);
}

int vfs_readdir(const char *path, size_t index, struct vfs_dirent *out)
{
    struct vfs_place place;
    int err = vfs_resolve(path, &place);

    if (err)
        return err;
    if (!place.fs)
        return *place.rest ? -ENOENT : root_readdir(index, out);
    return place.fs->readdir(place.fs, place.rest, index, out);
}

int vfs_mkdir(const char *path)
{
    struct vfs_place place;
    int err = vfs_resolve_change(path, &place);

    if (err)
        return err == -EBUSY ? -EEXIST : err;
    return place.fs->mkdir ? place.fs->mkdir(place.fs, place.rest) : -EROFS;
}

int vfs_unlink(const char *path)
{
    struct vfs_place place;
    int err = vfs_resolve_change(path, &place);

    if (err == -EROFS)
        return -ENOENT;
    if (err)
        return err;
    return place.fs->unlink ? place.fs->unlink(place.fs, place.rest) : -EROFS;
}

int vfs_rename(const char *from, const char *to)
{
    struct vfs_place source, target;
    int err = vfs_resolve_change(from, &source);

    if (err == -EROFS)
        return -ENOENT;
    if (!err)
        err = vfs_resolve_change(to, &target);
    if (err)
        return err;
    if (source.fs != target.fs)
        return -EXDEV;
    if (!source.fs->rename)
        return -EROFS;
    return source.fs->rename(source.fs, source.rest, target.rest);
}

int vfs_read_all(const char *path, char **data, size_t *size)
{
    struct vfs_stat st;
    struct file *f;
    int err = vfs_open(path, O_RDONLY, &f);

    if (err)
        return err;
    err = file_stat(f, &st);
    if (!err && st.type != VFS_FILE)
        err = -EINVAL;
    char *buf = err ? NULL : kalloc(st.size + 1);

    if (!err && !buf)
        err = -ENOMEM;
    size_t have = 0;

    /* The file may shrink meanwhile; what it grows by is left out. */
    while (!err && have < st.size) {
        ssize_t n = file_read(f, buf + have, st.size - have);

        if (n == 0)
            break;
        if (n < 0)
            err = (int)n;
        else
            have += (size_t)n;
    }
    file_put(f);
    if (err) {
        kfree(buf);
        return err;
    }
    buf[have] = '\0';
    *data = buf;
    *size = have;
    return 0;
}
