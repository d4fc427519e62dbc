/*
 * Open files: reference counts, offsets, and the rights that they were opened
 * with. Files with an offset are used by one thread at a time (file->lock);
 * streams are not locked, so that a reader who waits does not keep writers out.
 * Thread context.
 */
#include <rayos/vfs.h>

#include <errno.h>
#include <unistd.h>

#include <rayos/mm.h>

void file_get(struct file *f)
{
    f->refs++;
}

void file_put(struct file *f)
{
    if (--f->refs > 0)
        return;
    if (f->ops->close)
        f->ops->close(f);
    kfree(f);
}

ssize_t file_read(struct file *f, void *buf, size_t size)
{
    if ((f->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    if (!f->ops->read)
        return -EINVAL;
    if (f->stream)
        return f->ops->read(f, buf, size, 0);
    mutex_lock(&f->lock);
    ssize_t n = f->ops->read(f, buf, size, f->offset);

    if (n > 0)
        f->offset += (uint64_t)n;
    mutex_unlock(&f->lock);
    return n;
}

/* After an append the offset is the file's end. */
static void file_seek_end(struct file *f)
{
    struct vfs_stat st;

    if (f->ops->stat(f, &st) == 0)
        f->offset = st.size;
}

ssize_t file_write(struct file *f, const void *buf, size_t size)
{
    if ((f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (!f->ops->write)
        return -EROFS;
    if (f->stream)
        return f->ops->write(f, buf, size, 0);
    mutex_lock(&f->lock);
    ssize_t n = f->ops->write(f, buf, size, f->offset);

    if (n > 0 && f->flags & O_APPEND)
        file_seek_end(f);
    else if (n > 0)
        f->offset += (uint64_t)n;
    mutex_unlock(&f->lock);
    return n;
}

/* Where SEEK_END and the like count from; negative errno. */
static int64_t seek_base(struct file *f, int whence)
{
    struct vfs_stat st;
    int err;

    switch (whence) {
    case SEEK_SET:
        return 0;
    case SEEK_CUR:
        return (int64_t)f->offset;
    case SEEK_END:
        err = f->ops->stat(f, &st);
        return err ? err : (int64_t)st.size;
    default:
        return -EINVAL;
    }
}

int64_t file_seek(struct file *f, int64_t offset, int whence)
{
    if (f->stream)
        return -ESPIPE;
    mutex_lock(&f->lock);
    int64_t base = seek_base(f, whence), result = base;

    if (base >= 0) {
        if (__builtin_add_overflow(base, offset, &result))
            result = -EOVERFLOW;
        else if (result < 0)
            result = -EINVAL;
        else
            f->offset = (uint64_t)result;
    }
    mutex_unlock(&f->lock);
    return result;
}

int file_truncate(struct file *f, uint64_t size)
{
    if ((f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (f->stream || !f->ops->truncate)
        return -EINVAL;
    mutex_lock(&f->lock);
    int err = f->ops->truncate(f, size);

    mutex_unlock(&f->lock);
    return err;
}

int file_stat(struct file *f, struct vfs_stat *out)
{
    return f->ops->stat(f, out);
}
