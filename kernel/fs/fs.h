/* The file systems that mounts.c puts in place at boot. Thread context. */
#ifndef KERNEL_FS_FS_H
#define KERNEL_FS_FS_H

#include <rayos/vfs.h>

/* The archive stays in use. -EINVAL (malformed, logged), -ENOMEM. */
int tarfs_create(const void *archive, size_t size, struct vfs_fs **out);
/* At most `limit` bytes for contents and names. -ENOMEM. */
int tmpfs_create(size_t limit, struct vfs_fs **out);
struct vfs_fs *devfs_get(void);

#endif
