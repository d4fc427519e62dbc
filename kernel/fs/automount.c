/*
 * Which volumes are mounted when their disk comes: read-only, and two of them.
 *
 *     /esp     the FAT volume that this system was started from: it holds
 *              rayos/boot.tar, as long as the one that the loader brought
 *     /guests  a FAT volume with the label RAYOSGUEST: kernels and disks of
 *              virtual machines
 *
 * The first that fits is taken; when its disk goes, the next one that comes. A
 * mount point is made with its first volume, and stays. Thread context.
 */
#include "automount.h"

#include <errno.h>
#include <string.h>

#include <rayos/boot.h>
#include <rayos/log.h>

#include "fatfs.h"

#define BOOT_ARCHIVE "rayos/boot.tar"
#define GUESTS_LABEL "RAYOSGUEST"

static bool is_boot_volume(struct fatfs_medium *m)
{
    return fatfs_medium_has(m, BOOT_ARCHIVE, boot_info_get()->archive_size);
}

static bool has_guests_label(struct fatfs_medium *m)
{
    return strcmp(fatfs_medium_label(m), GUESTS_LABEL) == 0;
}

static struct place {
    const char *path;
    bool (*fits)(struct fatfs_medium *m);
    struct fatfs *fs; /* lock; made with the first volume */
} places[] = {
    {"/esp", is_boot_volume, NULL},
    {"/guests", has_guests_label, NULL},
};
#define PLACES (sizeof(places) / sizeof(places[0]))

static struct mutex lock = MUTEX_INIT(lock);

/* The mount point; lock held. */
static int prepare(struct place *p)
{
    struct fatfs *fs;
    int err;

    if (p->fs)
        return 0;
    err = fatfs_create(&fs);
    if (!err)
        err = vfs_mount(p->path, fatfs_fs(fs));
    if (!err)
        p->fs = fs;
    return err;
}

/* Lock held. */
static bool put_in_place(struct place *p, const struct block_device *b,
                         struct fatfs_medium *m)
{
    int err = prepare(p);

    if (err) {
        log_warn("automount", "%s could not be mounted: error %d", p->path,
                 -err);
        return false;
    }
    if (!fatfs_attach(p->fs, m))
        return false;
    log_info("automount", "%s is %s, FAT%u%s%s", p->path, b->name,
             fatfs_medium_bits(m), *fatfs_medium_label(m) ? ", " : "",
             fatfs_medium_label(m));
    return true;
}

void automount_offer(struct block_device *b)
{
    struct fatfs_medium *m;
    int err = fatfs_probe(b, &m);

    if (err) {
        if (err != -ENOENT && err != -ENODEV)
            log_warn("automount", "%s could not be looked at: error %d",
                     b->name, -err);
        return;
    }
    mutex_lock(&lock);
    for (size_t i = 0; i < PLACES; i++)
        if (places[i].fits(m) && put_in_place(&places[i], b, m))
            break;
    mutex_unlock(&lock);
    fatfs_medium_put(m);
}

void automount_withdraw(const struct block_device *b)
{
    mutex_lock(&lock);
    for (size_t i = 0; i < PLACES; i++)
        if (places[i].fs && fatfs_detach(places[i].fs, b))
            log_info("automount", "%s is empty: %s is gone", places[i].path,
                     b->name);
    mutex_unlock(&lock);
}
