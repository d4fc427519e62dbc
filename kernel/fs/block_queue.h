/* The requests of a block device (block_queue.c), for the registry. */
#ifndef KERNEL_FS_BLOCK_QUEUE_H
#define KERNEL_FS_BLOCK_QUEUE_H

#include <rayos/block.h>

/* Prepare lists, timer and reset work. */
void block_queue_init(struct block_device *b);
/* Nobody may submit any more; what waits and what is under way is completed
 * with -ENODEV. On return neither timer nor reset runs. Thread context. */
void block_queue_close(struct block_device *b);

/* How long the oldest request may take while the device answers nothing
 * (`block.timeout` on the command line, seconds), and how much longer while it
 * answers others. */
#define BLOCK_TIMEOUT  (10 * NS_PER_SEC)
#define BLOCK_PATIENCE 4
/* After so many time-outs a request has failed. */
#define BLOCK_TRIES 3

/* A request that takes longer is told of (`block.slow` on the command line,
 * milliseconds). */
#define BLOCK_SLOW_NS (500 * NS_PER_MS)

void block_queue_set_slow(nstime_t slow);
void block_queue_set_timeout(nstime_t timeout);

/* block_event.c: tell the world. `err`: negative errno, or 0. */
enum block_event {
    BLOCK_CAME = 1,
    BLOCK_GONE,
    BLOCK_RESET,
    BLOCK_ERROR,
    BLOCK_LOST,
    BLOCK_SLOW,
};
void block_event(const struct block_device *b, enum block_event what, int err);
/* A request took long, though it was done. The device's lock may be held. */
void block_event_slow(const struct block_device *b, nstime_t took);

/* block.c: have the reset work done, and wait until none is under way. */
void block_reset_submit(struct block_device *b);
void block_reset_flush(void);

#endif
