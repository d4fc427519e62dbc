/*
 * The file systems of every boot: /boot, /tmp and /dev. Whoever needs files
 * starts after the unit `vfs`. Thread context.
 */
#include <errno.h>

#include <rayos/boot.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/unit.h>

#include "fs.h"

#define TMPFS_LIMIT_MAX (UINT64_C(64) << 20)
#define TMPFS_RAM_SHARE 4 /* a quarter of memory at most */

static size_t tmpfs_limit(void)
{
    struct frame_stats stats;

    frame_get_stats(&stats);
    uint64_t share = stats.total * PAGE_SIZE / TMPFS_RAM_SHARE;

    return share < TMPFS_LIMIT_MAX ? share : TMPFS_LIMIT_MAX;
}

static int mount_boot(void)
{
    const struct boot_info *info = boot_info_get();
    struct vfs_fs *fs;

    if (!info->archive) {
        log_error("vfs", "the loader gave no boot archive");
        return -ENOENT;
    }
    int err = tarfs_create(phys_to_virt(info->archive), info->archive_size,
                           &fs);

    return err ? err : vfs_mount("/boot", fs);
}

static int mount_tmp(void)
{
    struct vfs_fs *fs;
    int err = tmpfs_create(tmpfs_limit(), &fs);

    return err ? err : vfs_mount("/tmp", fs);
}

/* A bad archive must not take /tmp and /dev with it: the prompt may yet tell
 * what is wrong. */
static int vfs_start(void)
{
    int boot = mount_boot(), tmp = mount_tmp();
    int dev = vfs_mount("/dev", devfs_get());

    if (boot)
        return boot;
    return tmp ? tmp : dev;
}

UNIT(vfs, .start = vfs_start);
