/* The two kinds of disk that guests get. See disk.h. Thread context. */
#include "vmm/devices/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <rayos/fmt.h>
#include <rayos/vfs.h>

#define SERIAL "serial:"

static struct mutex disks_lock = MUTEX_INIT(disks_lock);
static struct list disks = LIST_INIT(disks); /* disks_lock: files */

/* --- who has what --- */

static bool same_file(const struct disk *a, const struct disk *b)
{
    return strcmp(a->path, b->path) == 0 ||
           (a->file->ops == b->file->ops && a->file->node == b->file->node);
}

static int claim_file(struct disk *d)
{
    int err = 0;

    mutex_lock(&disks_lock);
    for (struct list *n = disks.next; n != &disks && !err; n = n->next) {
        const struct disk *o = container_of(n, struct disk, node);

        if (same_file(d, o) && !(d->read_only && o->read_only))
            err = -EBUSY;
    }
    if (!err)
        list_push_back(&disks, &d->node);
    mutex_unlock(&disks_lock);
    return err;
}

/* --- opening --- */

static int open_file(struct disk *d, const char *path)
{
    struct vfs_stat st;
    int err = vfs_open(path, d->read_only ? O_RDONLY : O_RDWR, &d->file);

    fmt_snprintf(d->path, sizeof(d->path), "%s", path);
    if (!err)
        err = file_stat(d->file, &st);
    if (err)
        return err;
    if (st.type != VFS_FILE || !st.size || st.size % BLOCK_SECTOR)
        return -EINVAL;
    d->sectors = st.size / BLOCK_SECTOR;
    return 0;
}

/* With a reference; NULL. */
static struct block_device *find_serial(const char *serial)
{
    struct block_device *b;

    for (size_t i = 0; (b = block_at(i)); i++) {
        if (!b->parent && strcmp(b->serial, serial) == 0)
            return b;
        block_put(b);
    }
    return NULL;
}

static int open_block(struct disk *d, const char *name)
{
    bool by_serial = strncmp(name, SERIAL, strlen(SERIAL)) == 0;

    d->block = by_serial ? find_serial(name + strlen(SERIAL)) : block_get(name);
    if (!d->block)
        return -ENOENT;
    d->sectors = d->block->sectors;
    return d->block->read_only && !d->read_only ? -EROFS : 0;
}

static void drop(struct disk *d)
{
    if (d->file)
        file_put(d->file);
    if (d->block)
        block_put(d->block);
    d->file = NULL;
    d->block = NULL;
}

int disk_open(struct disk *d, const char *source, bool read_only)
{
    int err;

    *d = (struct disk){.read_only = read_only};
    mutex_init(&d->lock);
    err = source[0] == '/' ? open_file(d, source) : open_block(d, source);
    if (!err)
        err = d->file ? claim_file(d) : block_claim(d->block, !read_only);
    if (err)
        drop(d);
    return err;
}

void disk_close(struct disk *d)
{
    if (d->block) {
        block_disclaim(d->block, !d->read_only);
    } else {
        mutex_lock(&disks_lock);
        list_remove(&d->node);
        mutex_unlock(&disks_lock);
    }
    drop(d);
}

/* --- work --- */

static int file_transfer(struct disk *d, uint64_t sector, void *buffer,
                         uint32_t sectors, bool write)
{
    size_t size = (size_t)sectors * BLOCK_SECTOR, done = 0;
    ssize_t n = 1;

    mutex_lock(&d->lock);
    if (file_seek(d->file, (int64_t)(sector * BLOCK_SECTOR), SEEK_SET) < 0)
        n = -EIO;
    while (n > 0 && done < size) {
        n = write ? file_write(d->file, (uint8_t *)buffer + done, size - done)
                  : file_read(d->file, (uint8_t *)buffer + done, size - done);
        done += n > 0 ? (size_t)n : 0;
    }
    mutex_unlock(&d->lock);
    return done == size ? 0 : n < 0 ? (int)n : -EIO;
}

int disk_read(struct disk *d, uint64_t sector, void *buffer, uint32_t sectors)
{
    if (d->file)
        return file_transfer(d, sector, buffer, sectors, false);
    return block_read(d->block, sector, buffer, sectors);
}

int disk_write(struct disk *d, uint64_t sector, const void *buffer,
               uint32_t sectors)
{
    if (d->file) /* which only reads from it */
        return file_transfer(d, sector, (void *)(uintptr_t)buffer, sectors,
                             true);
    return block_write(d->block, sector, buffer, sectors);
}
