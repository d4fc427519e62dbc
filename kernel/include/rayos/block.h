/*
 * Block devices: disks, partitions, later overlays. One asynchronous interface:
 * a request is submitted and its `done` is called once, with the result.
 */
#ifndef RAYOS_BLOCK_H
#define RAYOS_BLOCK_H

#include <rayos/list.h>
#include <rayos/sync.h>
#include <rayos/timer.h>
#include <rayos/types.h>

#define BLOCK_NAME_MAX 32
#define BLOCK_SECTOR   512 /* unit of all sector numbers and counts here */

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD };

struct block_device;

/* A stretch of memory, contiguous in physical memory. */
struct block_segment {
    phys_t phys;
    uint32_t length; /* bytes; a multiple of BLOCK_SECTOR */
};

struct block_request {
    /* The caller's; constant until `done`. */
    enum block_op op;
    uint64_t sector;
    uint32_t sectors; /* sum of the segments, or the range of a discard */
    const struct block_segment *segments;
    uint32_t segment_count;
    /* Called once, interrupt or thread context, never before submit has begun;
     * the request is the caller's again. */
    void (*done)(struct block_request *r);
    void *arg;
    /* 0, -EIO (the medium), -ETIMEDOUT (given up after reset and retry),
     * -ENODEV (the device went away), -ENOSPC, -EROFS, -ENOTSUP. */
    int status;

    /* The block layer's and the driver's. */
    struct list node;
    nstime_t submitted;
    uint32_t tries;
    void *driver;
};

struct block_ops {
    /* Start it; it is checked (range, read-only). Any context but NMI. Answers
     * only by block_complete. A driver without room keeps it. */
    void (*submit)(struct block_device *b, struct block_request *r);
    /* Cancel and forget all that is under way, reset the device and make it
     * ready; the requests come back to the layer by block_complete with -EAGAIN
     * and are tried again. Thread context. NULL: cannot. */
    int (*reset)(struct block_device *b);
};

struct block_stats {
    uint64_t reads, writes, flushes, discards;
    uint64_t read_sectors, write_sectors;
    uint64_t errors, timeouts, retries, resets;
    nstime_t busy; /* sum of the time that requests took */
};

struct block_device {
    char name[BLOCK_NAME_MAX]; /* "vda", "vda1" */
    const struct block_ops *ops;
    void *driver;
    struct block_device *parent; /* of a partition: its disk */
    uint64_t first_sector;       /* of a partition, on its disk */
    uint64_t sectors;
    uint32_t physical_sector;           /* bytes; writes of less are slow */
    uint32_t max_segments, max_sectors; /* of one request */
    bool read_only, can_flush, can_discard;
    char serial[32];                    /* as the device says; "" */
    char label[40], type[40], uuid[40]; /* of a GPT partition */
    /* The layer's (kernel/block or drivers/block; see block.c). */
    struct block_stats stats;
    struct spinlock lock;
    struct list active; /* lock: requests under way */
    struct list all;
    _Atomic uint32_t refs;
    _Atomic bool gone;
};

/* --- for drivers --- */

/* -EEXIST. Reads the partition table in a thread of its own, and registers the
 * partitions. Thread context. */
int block_register(struct block_device *b);
/* What is under way is completed with -ENODEV; on return nobody uses the device
 * any more but by handles that answer -ENODEV. Thread context. */
void block_unregister(struct block_device *b);
void block_complete(struct block_request *r, int status);

/* --- for users --- */

/* A reference by name; NULL. Thread context. */
struct block_device *block_get(const char *name);
void block_put(struct block_device *b);
struct block_device *block_at(size_t i); /* with a reference; NULL */
/* Any context but NMI. */
void block_submit(struct block_device *b, struct block_request *r);
/* And wait. `buffer` is any kernel memory; `sectors` any number. 0 or the
 * request's error. Thread context, not cancellable. */
int block_read(struct block_device *b, uint64_t sector, void *buffer,
               uint32_t sectors);
int block_write(struct block_device *b, uint64_t sector, const void *buffer,
                uint32_t sectors);
int block_flush(struct block_device *b);

#endif
