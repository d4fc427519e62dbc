/* Looking for partitions (block_scan.c), for the registry. */
#ifndef KERNEL_FS_BLOCK_SCAN_H
#define KERNEL_FS_BLOCK_SCAN_H

#include <rayos/block.h>

#include "partition.h"

/* Body of a thread; `disk`: a struct block_device. */
void block_scan(void *disk);
/* block.c. -EEXIST, -ENOMEM. */
int block_add_partition(struct block_device *disk, const struct partition *p);

#endif
