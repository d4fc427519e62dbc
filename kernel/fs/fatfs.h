/* FAT volumes as file systems (fatfs.c), for automount.c. Thread context. */
#ifndef KERNEL_FS_FATFS_H
#define KERNEL_FS_FATFS_H

#include <rayos/block.h>
#include <rayos/vfs.h>

struct fatfs;
struct fatfs_medium; /* a volume on a block device */

/* Look for a volume; takes a reference to `b`. -ENOENT: there is none; -EINVAL
 * (logged), -ENOMEM, or the error of reading. */
int fatfs_probe(struct block_device *b, struct fatfs_medium **out);
void fatfs_medium_put(struct fatfs_medium *m);
const char *fatfs_medium_label(const struct fatfs_medium *m);
uint32_t fatfs_medium_bits(const struct fatfs_medium *m);
/* Is there a file of this path and size? */
bool fatfs_medium_has(struct fatfs_medium *m, const char *path, uint64_t size);

/* A file system without a medium, for good. -ENOMEM. */
int fatfs_create(struct fatfs **out);
struct vfs_fs *fatfs_fs(struct fatfs *f);
/* Give it a medium (a reference is taken); false: it has one. */
bool fatfs_attach(struct fatfs *f, struct fatfs_medium *m);
/* Take the medium away if it is on this device; was it? */
bool fatfs_detach(struct fatfs *f, const struct block_device *b);

#endif
