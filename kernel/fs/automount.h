/* Volumes that are mounted when their disk comes (automount.c), for the
 * registry of disks. Thread context. */
#ifndef KERNEL_FS_AUTOMOUNT_H
#define KERNEL_FS_AUTOMOUNT_H

#include <rayos/block.h>

/* A disk without partitions, or a partition, is there and can be read. */
void automount_offer(struct block_device *b);
/* It is gone. */
void automount_withdraw(const struct block_device *b);

#endif
