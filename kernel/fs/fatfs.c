/*
 * FAT volumes as read-only file systems. A file system stays mounted for good,
 * its medium comes and goes: without one, everything answers -ENODEV. Files
 * that are open keep their medium, and answer -ENODEV as well once the disk is
 * gone. Thread context.
 */
#include "fatfs.h"

#include <errno.h>
#include <string.h>

#include <rayos/log.h>
#include <rayos/mm.h>

#include "fat.h"

/* A volume that was found on a block device. */
struct fatfs_medium {
    struct mutex lock;           /* the volume, but for what open files read */
    struct fat_volume volume;    /* lock */
    struct block_device *device; /* referenced */
    bool claimed;                /* for reading: once it is mounted */
    _Atomic uint32_t refs;
};

struct fatfs {
    struct vfs_fs fs;
    struct mutex lock;
    struct fatfs_medium *medium; /* lock; NULL: there is none */
};

struct open_file {
    struct fat_file file;
    struct fatfs_medium *medium; /* referenced */
};

/* --- media --- */

static int read_device(void *arg, uint64_t sector, void *buffer, uint32_t count)
{
    return block_read(arg, sector, buffer, count);
}

/* -EIO and -EINVAL come with a reason. */
static int tell(struct fatfs_medium *m, int err)
{
    if (m->volume.why) {
        log_warn("fatfs", "%s: %s", m->device->name, m->volume.why);
        m->volume.why = NULL;
    }
    return err;
}

int fatfs_probe(struct block_device *b, struct fatfs_medium **out)
{
    struct fatfs_medium *m = kzalloc(sizeof(*m));
    const struct fat_source source = {
        .read = read_device,
        .arg = b,
        .sectors = b->sectors,
        .block_size = b->logical_sector,
    };
    int err;

    if (!m)
        return -ENOMEM;
    mutex_init(&m->lock);
    m->device = b;
    m->refs = 1;
    err = tell(m, fat_open(&m->volume, &source));
    if (err) {
        kfree(m);
        return err;
    }
    b->refs++;
    *out = m;
    return 0;
}

void fatfs_medium_put(struct fatfs_medium *m)
{
    if (--m->refs)
        return;
    fat_close(&m->volume);
    if (m->claimed)
        block_disclaim(m->device, false);
    block_put(m->device);
    kfree(m);
}

const char *fatfs_medium_label(const struct fatfs_medium *m)
{
    return m->volume.label;
}

uint32_t fatfs_medium_bits(const struct fatfs_medium *m)
{
    return m->volume.bits;
}

static int medium_find(struct fatfs_medium *m, const char *path,
                       struct fat_node *out)
{
    int err;

    mutex_lock(&m->lock);
    err = tell(m, fat_find(&m->volume, path, out));
    mutex_unlock(&m->lock);
    return err;
}

bool fatfs_medium_has(struct fatfs_medium *m, const char *path, uint64_t size)
{
    struct fat_node n;

    return medium_find(m, path, &n) == 0 && !n.is_dir && n.size == size;
}

/* --- the file system's medium --- */

/* With a reference; NULL. */
static struct fatfs_medium *medium_get(struct vfs_fs *fs)
{
    struct fatfs *f = container_of(fs, struct fatfs, fs);
    struct fatfs_medium *m;

    mutex_lock(&f->lock);
    m = f->medium;
    if (m)
        m->refs++;
    mutex_unlock(&f->lock);
    return m;
}

bool fatfs_attach(struct fatfs *f, struct fatfs_medium *m)
{
    bool free;

    mutex_lock(&f->lock);
    free = !f->medium && (m->claimed || !block_claim(m->device, false));
    if (free) {
        m->claimed = true;
        f->medium = m;
        m->refs++;
    }
    mutex_unlock(&f->lock);
    return free;
}

bool fatfs_detach(struct fatfs *f, const struct block_device *b)
{
    struct fatfs_medium *m;

    mutex_lock(&f->lock);
    m = f->medium;
    if (m && m->device == b)
        f->medium = NULL;
    else
        m = NULL;
    mutex_unlock(&f->lock);
    if (m)
        fatfs_medium_put(m);
    return m;
}

/* --- files --- */

static void node_stat(const struct fat_node *n, struct vfs_stat *out)
{
    *out = (struct vfs_stat){
        .type = n->is_dir ? VFS_DIR : VFS_FILE,
        .size = n->size,
        .mtime = n->mtime,
        .read_only = true,
    };
}

static ssize_t fatfs_read(struct file *f, void *buf, size_t size,
                          uint64_t offset)
{
    struct open_file *o = f->node;

    return fat_file_read(&o->file, buf, size, offset);
}

static int fatfs_file_stat(struct file *f, struct vfs_stat *out)
{
    struct open_file *o = f->node;

    node_stat(&o->file.node, out);
    return 0;
}

static void fatfs_close(struct file *f)
{
    struct open_file *o = f->node;

    fat_file_close(&o->file);
    fatfs_medium_put(o->medium);
    kfree(o);
}

static const struct file_ops file_ops = {
    .read = fatfs_read,
    .stat = fatfs_file_stat,
    .close = fatfs_close,
};

static int open_node(struct fatfs_medium *m, const struct fat_node *n,
                     struct file *out)
{
    struct open_file *o = kzalloc(sizeof(*o));
    int err;

    if (!o)
        return -ENOMEM;
    mutex_lock(&m->lock);
    err = tell(m, fat_file_open(&m->volume, n, &o->file));
    mutex_unlock(&m->lock);
    if (err) {
        kfree(o);
        return err;
    }
    m->refs++;
    o->medium = m;
    out->ops = &file_ops;
    out->node = o;
    return 0;
}

/* --- the file system's operations --- */

static int open_in(struct fatfs_medium *m, const char *path, int flags,
                   struct file *out)
{
    struct fat_node n;
    int err = medium_find(m, path, &n);

    if (err)
        return err == -ENOENT && flags & O_CREAT ? -EROFS : err;
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (n.is_dir)
        return -EISDIR;
    if ((flags & O_ACCMODE) != O_RDONLY)
        return -EROFS;
    return open_node(m, &n, out);
}

static int fatfs_open(struct vfs_fs *fs, const char *path, int flags,
                      struct file *out)
{
    struct fatfs_medium *m = medium_get(fs);
    int err;

    if (!m)
        return -ENODEV;
    err = open_in(m, path, flags, out);
    fatfs_medium_put(m);
    return err;
}

static int fatfs_stat(struct vfs_fs *fs, const char *path, struct vfs_stat *out)
{
    struct fatfs_medium *m = medium_get(fs);
    struct fat_node n;
    int err;

    if (!m)
        return -ENODEV;
    err = medium_find(m, path, &n);
    if (!err)
        node_stat(&n, out);
    fatfs_medium_put(m);
    return err;
}

/* The volume's lock is held: the list may be forgotten when it is not. */
static int list_entry(struct fat_volume *v, const char *path, size_t index,
                      struct vfs_dirent *out)
{
    const struct fat_list *l;
    struct fat_node dir;
    int err = fat_find(v, path, &dir);

    if (!err && !dir.is_dir)
        err = -ENOTDIR;
    if (!err)
        err = fat_list_get(v, &dir, &l);
    if (err)
        return err;
    if (index >= l->count)
        return -ENOENT;
    _Static_assert(FAT_NAME_MAX <= VFS_NAME_MAX, "names fit");
    memset(out, 0, sizeof(*out));
    strcpy(out->name, l->entries[index].name);
    out->type = l->entries[index].node.is_dir ? VFS_DIR : VFS_FILE;
    out->size = l->entries[index].node.size;
    return 0;
}

static int fatfs_readdir(struct vfs_fs *fs, const char *path, size_t index,
                         struct vfs_dirent *out)
{
    struct fatfs_medium *m = medium_get(fs);
    int err;

    if (!m)
        return -ENODEV;
    mutex_lock(&m->lock);
    err = tell(m, list_entry(&m->volume, path, index, out));
    mutex_unlock(&m->lock);
    fatfs_medium_put(m);
    return err;
}

int fatfs_create(struct fatfs **out)
{
    struct fatfs *f = kzalloc(sizeof(*f));

    if (!f)
        return -ENOMEM;
    mutex_init(&f->lock);
    f->fs = (struct vfs_fs){
        .name = "fatfs",
        .open = fatfs_open,
        .stat = fatfs_stat,
        .readdir = fatfs_readdir,
    };
    *out = f;
    return 0;
}

struct vfs_fs *fatfs_fs(struct fatfs *f)
{
    return &f->fs;
}
