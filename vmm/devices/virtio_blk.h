/*
 * virtio block devices, inside: virtio_blk.c does requests,
 * virtio_blk_config.c makes devices of a VM's configuration. Private to both.
 */
#ifndef VMM_DEVICES_VIRTIO_BLK_H
#define VMM_DEVICES_VIRTIO_BLK_H

#include <rayos/waitq.h>
#include <rayos/workq.h>

#include "vmm/devices/disk.h"
#include "vmm/devices/virtio.h"

#define BLK_QUEUE_SIZE 64
/* One more than the driver can have under way: the last look at the queue,
 * which asks for the next notification, needs one too. */
#define BLK_REQUESTS      (BLK_QUEUE_SIZE + 1)
#define BLK_SEGMENTS      VIRTIO_SEGMENTS_MAX
#define BLK_BUFFER        (64 * 1024u)
#define BLK_ID_SIZE       20
#define BLK_RANGE_SECTORS (1u << 18) /* of one request: 128 MiB */

/* virtio 1.2 5.2.6 */
struct blk_header {
    uint32_t type, reserved;
    uint64_t sector;
};

struct blk;

struct blk_request {
    struct blk *blk;
    struct list node; /* free or slow */
    struct virtio_chain chain;
    uint32_t type, sectors;
    uint64_t sector;
    struct block_request block;
    struct block_segment segments[BLK_SEGMENTS];
};

struct blk {
    struct virtio_device virtio;
    struct virtio_model model; /* its features are this disk's */
    struct disk disk;
    char serial[BLK_ID_SIZE];
    struct workq *thread; /* for what is copied */
    struct work work;
    uint8_t *buffer; /* the thread's */
    struct blk_request *requests;
    struct spinlock lock;
    struct list free, slow; /* lock */
    uint32_t busy;          /* lock: requests that are not free */
    struct waitq idle;      /* lock */
    uint64_t errors;        /* lock */
};

void blk_notify(struct virtio_device *d, struct virtio_queue *q);
/* The thread's work. */
void blk_work(struct work *w);
void blk_reset(struct virtio_device *d);

static inline bool blk_can_discard(const struct blk *b)
{
    return b->disk.block && b->disk.block->can_discard;
}

#endif
