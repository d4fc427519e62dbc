/*
 * File descriptor tables: small numbers for open files, one table a domain, one
 * for the kernel's own threads. A table holds one reference to each of its
 * files. Thread context.
 */
#include <rayos/vfs.h>

#include <errno.h>

#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>
#include <rayos/tty.h>

static struct fdtable kernel_files = {.lock = MUTEX_INIT(kernel_files.lock)};

struct fdtable *fdtable_current(void)
{
    struct thread *t = thread_current();

    return t && t->files ? t->files : &kernel_files;
}

int fdtable_create(struct fdtable **out)
{
    struct fdtable *t = kzalloc(sizeof(*t));

    if (!t)
        return -ENOMEM;
    mutex_init(&t->lock);
    *out = t;
    return 0;
}

void fdtable_destroy(struct fdtable *t)
{
    for (int fd = 0; fd < FD_MAX; fd++)
        fd_close(t, fd);
    kfree(t);
}

int fd_install(struct fdtable *t, struct file *f, int from)
{
    int fd = from < 0 ? 0 : from;

    mutex_lock(&t->lock);
    while (fd < FD_MAX && t->files[fd])
        fd++;
    if (fd < FD_MAX) {
        file_get(f);
        t->files[fd] = f;
    }
    mutex_unlock(&t->lock);
    return fd < FD_MAX ? fd : -EMFILE;
}

struct file *fd_get(struct fdtable *t, int fd)
{
    if (fd < 0 || fd >= FD_MAX)
        return NULL;
    mutex_lock(&t->lock);
    struct file *f = t->files[fd];

    if (f)
        file_get(f);
    mutex_unlock(&t->lock);
    return f;
}

/* Put f (NULL: nothing) at fd and return what was there. References move with
 * the pointers; the caller puts the old file outside the lock, because closing
 * it may take the file system's. */
static struct file *fd_swap(struct fdtable *t, int fd, struct file *f)
{
    mutex_lock(&t->lock);
    struct file *old = t->files[fd];

    t->files[fd] = f;
    mutex_unlock(&t->lock);
    return old;
}

int fd_close(struct fdtable *t, int fd)
{
    if (fd < 0 || fd >= FD_MAX)
        return -EBADF;
    struct file *old = fd_swap(t, fd, NULL);

    if (!old)
        return -EBADF;
    file_put(old);
    return 0;
}

int fdtable_attach_tty(struct fdtable *t, struct tty *tty)
{
    char path[VFS_NAME_MAX + 1];
    struct file *f;

    fmt_snprintf(path, sizeof(path), "/dev/%s", tty->name);
    int err = vfs_open(path, O_RDWR, &f);

    if (err)
        return err;
    for (int fd = 0; fd <= 2; fd++) {
        file_get(f);
        struct file *old = fd_swap(t, fd, f);

        if (old)
            file_put(old);
    }
    file_put(f);
    return 0;
}
