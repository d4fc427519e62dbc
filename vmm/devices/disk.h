/*
 * Where a guest's disk lies: a block device of ours (a disk or a partition) or
 * a file. Who may write has it alone; readers share. Thread context.
 */
#ifndef VMM_DEVICES_DISK_H
#define VMM_DEVICES_DISK_H

#include <rayos/block.h>
#include <rayos/list.h>
#include <rayos/sync.h>

struct file;

struct disk {
    struct block_device *block; /* one of the two */
    struct file *file;
    char path[256];    /* of the file */
    struct mutex lock; /* the file's position */
    uint64_t sectors;  /* of BLOCK_SECTOR bytes */
    bool read_only;
    struct list node; /* of all files that are open */
};

/* A path, a block device's name, or "serial:" and a disk's serial number, which
 * stays when names change. -ENOENT; -EBUSY: it is mounted, or a guest has it
 * already, and one of the two writes; -EROFS: it cannot be written; -EINVAL: it
 * is no disk, a directory for instance, or has not whole sectors. */
int disk_open(struct disk *d, const char *source, bool read_only);
void disk_close(struct disk *d);

/* Wait for it; any kernel memory, inside of the disk. 0 or a negative errno. */
int disk_read(struct disk *d, uint64_t sector, void *buffer, uint32_t sectors);
int disk_write(struct disk *d, uint64_t sector, const void *buffer,
               uint32_t sectors);

#endif
