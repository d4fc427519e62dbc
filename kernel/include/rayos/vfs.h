/*
 * The virtual file system: a tree of mounted file systems, absolute paths with
 * '/', "." and ".." resolved here. Mounted at boot: /boot (the boot archive,
 * read-only), /tmp (memory), /dev (ttys: /dev/ttyS0, /dev/tty0, /dev/null);
 * when their disks come /esp and /guests (automount.c). All functions: thread
 * context; errors are negative errno values. Names are at most VFS_NAME_MAX
 * bytes.
 */
#ifndef RAYOS_VFS_H
#define RAYOS_VFS_H

#include <fcntl.h>
#include <sys/types.h>

#include <rayos/sync.h>
#include <rayos/types.h>

#define VFS_NAME_MAX 255
#define VFS_PATH_MAX 1024
#define FD_MAX       64

enum vfs_type { VFS_FILE, VFS_DIR, VFS_DEVICE };

struct vfs_stat {
    enum vfs_type type;
    uint64_t size;
    int64_t mtime; /* seconds since 1970 */
    bool read_only;
};

struct vfs_dirent {
    char name[VFS_NAME_MAX + 1];
    enum vfs_type type;
    uint64_t size;
};

struct file;

struct file_ops {
    ssize_t (*read)(struct file *f, void *buf, size_t size, uint64_t offset);
    ssize_t (*write)(struct file *f, const void *buf, size_t size,
                     uint64_t offset);
    int (*truncate)(struct file *f, uint64_t size);
    int (*stat)(struct file *f, struct vfs_stat *out);
    void (*close)(struct file *f);
};

struct file {
    const struct file_ops *ops;
    void *node;  /* the file system's */
    int flags;   /* O_RDONLY, O_WRONLY, O_RDWR, O_APPEND */
    bool stream; /* no offset: ttys and the like */
    struct mutex lock;
    uint64_t offset; /* lock */
    _Atomic uint32_t refs;
};

/* A mounted file system; paths it gets are relative to its root, normalized,
 * without a leading slash ("" is the root). Operations that are NULL answer
 * -EROFS. */
struct vfs_fs {
    const char *name;
    int (*open)(struct vfs_fs *fs, const char *path, int flags,
                struct file *out);
    int (*stat)(struct vfs_fs *fs, const char *path, struct vfs_stat *out);
    /* Entry number `index` of a directory, in the order of names; -ENOENT past
     * the end. */
    int (*readdir)(struct vfs_fs *fs, const char *path, size_t index,
                   struct vfs_dirent *out);
    int (*mkdir)(struct vfs_fs *fs, const char *path);
    int (*unlink)(struct vfs_fs *fs,
                  const char *path); /* files and empty directories */
    int (*rename)(struct vfs_fs *fs, const char *from, const char *to);
};

int vfs_mount(const char *path, struct vfs_fs *fs);
int vfs_open(const char *path, int flags, struct file **out);
void file_get(struct file *f);
void file_put(struct file *f); /* closes with the last reference */
ssize_t file_read(struct file *f, void *buf, size_t size);
ssize_t file_write(struct file *f, const void *buf, size_t size);
int64_t file_seek(struct file *f, int64_t offset, int whence);
int file_truncate(struct file *f, uint64_t size);
int file_stat(struct file *f, struct vfs_stat *out);
int vfs_stat(const char *path, struct vfs_stat *out);
int vfs_readdir(const char *path, size_t index, struct vfs_dirent *out);
int vfs_mkdir(const char *path);
int vfs_unlink(const char *path);
int vfs_rename(const char *from, const char *to);
/* Whole file into a fresh kalloc block, NUL added; size without it. */
int vfs_read_all(const char *path, char **data, size_t *size);

/* --- file descriptors: a table per domain (thread->files), the kernel's own
 * else --- */
struct fdtable {
    struct mutex lock;
    struct file *files[FD_MAX]; /* lock */
};

int fdtable_create(struct fdtable **out);
/* Close all and free. */
void fdtable_destroy(struct fdtable *t);
/* Put f (a reference is taken) at the lowest free number >= `from`: the number,
 * or -EMFILE. */
int fd_install(struct fdtable *t, struct file *f, int from);
/* The file, with a reference taken; NULL. */
struct file *fd_get(struct fdtable *t, int fd);
int fd_close(struct fdtable *t, int fd);
/* The current thread's table. */
struct fdtable *fdtable_current(void);

#endif
