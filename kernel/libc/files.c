/*
 * newlib's system calls on files, over the current thread's descriptor table
 * and the VFS. Both names of each are here: _open_r is what newlib itself calls
 * (its own version of it would pass errors through one variable for all
 * threads), open is what programs call. Thread context.
 */
#include <errno.h>
#include <fcntl.h>
#include <reent.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rayos/tty.h>
#include <rayos/vfs.h>

/* 0 and up as they are; a negative errno as newlib wants it. */
static long result(struct _reent *r, long value)
{
    if (value >= 0)
        return value;
    r->_errno = (int)-value;
    return -1;
}

/* --- descriptors --- */

int _open_r(struct _reent *r, const char *path, int flags, int mode)
{
    struct file *f;
    int fd = vfs_open(path, flags, &f);

    (void)mode; /* there are no users to tell apart */
    if (fd == 0) {
        fd = fd_install(fdtable_current(), f, 0);
        file_put(f);
    }
    return (int)result(r, fd);
}

int _close_r(struct _reent *r, int fd)
{
    return (int)result(r, fd_close(fdtable_current(), fd));
}

_ssize_t _read_r(struct _reent *r, int fd, void *buf, size_t size)
{
    struct file *f = fd_get(fdtable_current(), fd);

    if (!f)
        return result(r, -EBADF);
    ssize_t n = file_read(f, buf, size);

    file_put(f);
    return result(r, n);
}

_ssize_t _write_r(struct _reent *r, int fd, const void *buf, size_t size)
{
    struct file *f = fd_get(fdtable_current(), fd);

    if (!f)
        return result(r, -EBADF);
    ssize_t n = file_write(f, buf, size);

    file_put(f);
    return result(r, n);
}

_off_t _lseek_r(struct _reent *r, int fd, _off_t offset, int whence)
{
    struct file *f = fd_get(fdtable_current(), fd);

    if (!f)
        return result(r, -EBADF);
    int64_t n = file_seek(f, offset, whence);

    file_put(f);
    return result(r, n);
}

int _isatty_r(struct _reent *r, int fd)
{
    struct file *f = fd_get(fdtable_current(), fd);
    bool tty;

    if (!f) {
        r->_errno = EBADF;
        return 0;
    }
    tty = tty_from_file(f) != NULL;
    file_put(f);
    if (!tty)
        r->_errno = ENOTTY;
    return tty;
}

int _fcntl_r(struct _reent *r, int fd, int command, int arg)
{
    struct fdtable *t = fdtable_current();
    struct file *f = fd_get(t, fd);
    int value;

    if (!f)
        return (int)result(r, -EBADF);
    switch (command) {
    case F_DUPFD:
        value = arg < 0 ? -EINVAL : fd_install(t, f, arg);
        break;
    case F_GETFD:
    case F_SETFD: /* close-on-exec: nothing is ever executed */
        value = 0;
        break;
    case F_GETFL:
        value = f->flags;
        break;
    default:
        value = -EINVAL;
    }
    file_put(f);
    return (int)result(r, value);
}

/* --- names --- */

#define STAT_BLOCK 512 /* the unit of st_blocks */

static void stat_convert(const struct vfs_stat *st, struct stat *out)
{
    static const mode_t modes[] = {
        [VFS_FILE] = S_IFREG | 0644,
        [VFS_DIR] = S_IFDIR | 0755,
        [VFS_DEVICE] = S_IFCHR | 0666,
    };

    memset(out, 0, sizeof(*out));
    out->st_mode = modes[st->type];
    if (st->read_only)
        out->st_mode &= (mode_t) ~(S_IWUSR | S_IWGRP | S_IWOTH);
    out->st_nlink = 1;
    out->st_size = (off_t)st->size;
    out->st_mtime = st->mtime;
    out->st_ctime = st->mtime;
    out->st_atime = st->mtime;
    out->st_blksize = BUFSIZ;
    out->st_blocks = (blkcnt_t)((st->size + STAT_BLOCK - 1) / STAT_BLOCK);
}

int _fstat_r(struct _reent *r, int fd, struct stat *out)
{
    struct file *f = fd_get(fdtable_current(), fd);
    struct vfs_stat st;

    if (!f)
        return (int)result(r, -EBADF);
    int err = file_stat(f, &st);

    file_put(f);
    if (!err)
        stat_convert(&st, out);
    return (int)result(r, err);
}

int _stat_r(struct _reent *r, const char *path, struct stat *out)
{
    struct vfs_stat st;
    int err = vfs_stat(path, &st);

    if (!err)
        stat_convert(&st, out);
    return (int)result(r, err);
}

int _unlink_r(struct _reent *r, const char *path)
{
    return (int)result(r, vfs_unlink(path));
}

/* newlib's own would make a second link first, and there are none here. */
int _rename_r(struct _reent *r, const char *from, const char *to)
{
    return (int)result(r, vfs_rename(from, to));
}

int _mkdir_r(struct _reent *r, const char *path, int mode)
{
    (void)mode;
    return (int)result(r, vfs_mkdir(path));
}

int _link_r(struct _reent *r, const char *from, const char *to)
{
    (void)from, (void)to;
    return (int)result(r, -EMLINK);
}

/* --- the same under their common names --- */

int open(const char *path, int flags, ...)
{
    return _open_r(_REENT, path, flags, 0);
}

int close(int fd)
{
    return _close_r(_REENT, fd);
}

_READ_WRITE_RETURN_TYPE read(int fd, void *buf, size_t size)
{
    return _read_r(_REENT, fd, buf, size);
}

_READ_WRITE_RETURN_TYPE write(int fd, const void *buf, size_t size)
{
    return _write_r(_REENT, fd, buf, size);
}

off_t lseek(int fd, off_t offset, int whence)
{
    return _lseek_r(_REENT, fd, offset, whence);
}

int isatty(int fd)
{
    return _isatty_r(_REENT, fd);
}

int fcntl(int fd, int command, ...)
{
    va_list ap;

    va_start(ap, command);
    int arg = va_arg(ap, int);

    va_end(ap);
    return _fcntl_r(_REENT, fd, command, arg);
}

int fstat(int fd, struct stat *out)
{
    return _fstat_r(_REENT, fd, out);
}

int stat(const char *restrict path, struct stat *restrict out)
{
    return _stat_r(_REENT, path, out);
}

int unlink(const char *path)
{
    return _unlink_r(_REENT, path);
}

/* vfs_unlink removes both kinds; each name takes only its own. */
int rmdir(const char *path)
{
    struct vfs_stat st;
    int err = vfs_stat(path, &st);

    if (!err)
        err = st.type == VFS_DIR ? vfs_unlink(path) : -ENOTDIR;
    return (int)result(_REENT, err);
}

int mkdir(const char *path, mode_t mode)
{
    return _mkdir_r(_REENT, path, (int)mode);
}

int link(const char *from, const char *to)
{
    return _link_r(_REENT, from, to);
}

int ftruncate(int fd, off_t size)
{
    struct file *f = fd_get(fdtable_current(), fd);
    int err = f ? 0 : -EBADF;

    if (!err && size < 0)
        err = -EINVAL;
    if (!err)
        err = file_truncate(f, (uint64_t)size);
    if (f)
        file_put(f);
    return (int)result(_REENT, err);
}
