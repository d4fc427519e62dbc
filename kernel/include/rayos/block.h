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
#include <rayos/workq.h>

#define BLOCK_NAME_MAX 32
#define BLOCK_SECTOR   512 /* unit of all sector numbers and counts here */
#define BLOCK_ALIGN    4   /* of the address of a segment, bytes */

enum block_op { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD };

struct block_device;

/* A stretch of memory, contiguous in physical memory. */
struct block_segment {
    phys_t phys;     /* a multiple of BLOCK_ALIGN */
    uint32_t length; /* bytes; a multiple of BLOCK_SECTOR */
};

/* What a driver is to do at once: a request, or, when that is larger than the
 * device takes, the next piece of it. */
struct block_piece {
    uint64_t sector; /* on the disk, whatever the request was submitted to */
    uint32_t sectors;
    const struct block_segment *segments; /* the last may be longer than that */
    uint32_t segment_count;
    uint32_t skip; /* bytes of the first segment that are not meant */
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
    /* 0, -EIO (the medium, or a device that breaks the rules), -ETIMEDOUT
     * (given up after reset and retry), -ENODEV (the device went away),
     * -ENOSPC, -EROFS, -ENOTSUP, -EINVAL (not on the disk, or not aligned). */
    int status;

    /* The block layer's, and `driver` the driver's. */
    struct block_piece piece;
    uint32_t sectors_left;       /* behind the piece */
    uint32_t tries;              /* how often it was given up */
    struct block_device *device; /* the disk */
    struct block_device *via;    /* the partition, or NULL */
    struct list node;
    nstime_t submitted;
    void *driver;
};

struct block_ops {
    /*
     * Make ready for submit what takes long; it may use r->driver. Without
     * b->lock, any context but NMI. Submit or forget of this request follows
     * soon, in the same context; submit undoes it when it fails. Both NULL:
     * there is nothing to do.
     */
    void (*prepare)(struct block_device *b, struct block_request *r);
    void (*forget)(struct block_device *b, struct block_request *r); /* lock */
    /*
     * Start r->piece, prepared or not. b->lock is held (any context but NMI);
     * answers only by block_complete, later. -ENOSPC: no room; it is asked
     * again after the next completion. Another error ends the request.
     */
    int (*submit)(struct block_device *b, struct block_request *r);
    /* Tell the device of all that was submitted; b->lock is held, taken anew
     * since submit, so that the time with interrupts off is cut in two. Also
     * called when there is nothing to tell, and while the device is stopped.
     * NULL: submit does it. */
    void (*kick)(struct block_device *b);
    /* Stop the device: on return it works on no memory any more, and all that
     * was under way has come back by block_complete with -EAGAIN (or its
     * result). submit is not called until `restart`. Thread context. NULL:
     * cannot. */
    void (*cancel)(struct block_device *b);
    /* Make it work again. Thread context. */
    int (*restart)(struct block_device *b);
    /* Nobody holds it any more: free it. Thread context. */
    void (*release)(struct block_device *b);
};

struct block_stats {
    uint64_t reads, writes, flushes, discards;
    uint64_t read_sectors, write_sectors;
    uint64_t errors, timeouts, retries, resets;
    nstime_t busy; /* sum of the time that requests took */
};

struct block_device {
    /* Set before block_register, then constant. */
    char name[BLOCK_NAME_MAX]; /* "vda", "vda1" */
    const struct block_ops *ops;
    void *driver;
    struct block_device *parent; /* of a partition: its disk, referenced */
    uint64_t first_sector;       /* of a partition, on its disk */
    uint64_t sectors;
    uint32_t logical_sector;  /* bytes; what is less cannot be done; 0: 512 */
    uint32_t physical_sector; /* bytes; writes of less are slow */
    uint32_t max_segments, max_sectors; /* of one piece */
    uint32_t max_discard;               /* sectors of one piece */
    nstime_t timeout;                   /* of a request; 0: the system's */
    bool read_only, can_flush, can_discard;
    char serial[32];                    /* as the device says; "" */
    char label[40], type[40], uuid[40]; /* of a partition; UTF-8 */

    /* The layer's. A partition uses its disk's lock. */
    struct spinlock lock;
    struct block_stats stats; /* lock */
    struct list active;       /* lock: what the driver has, oldest first */
    struct list waiting;      /* lock: what it has no room for */
    nstime_t last_done;       /* lock: the last completion */
    bool resetting, failed;   /* lock */
    bool dirty;               /* lock: written since the last flush */
    bool blame_all;           /* lock: the device broke, nobody timed out */
    bool timer_armed;         /* lock */
    _Atomic bool scanned;     /* partitions known, volumes mounted */
    _Atomic bool gone;        /* written under lock */
    struct timer timer;
    struct work reset_work;
    struct thread *scanner; /* the registry's mutex */
    uint32_t claims[2];     /* the registry's mutex: readers, writers */
    struct list all;        /* the registry's mutex */
    _Atomic uint32_t refs;
};

/* --- for drivers --- */

/* -EEXIST, -ENOMEM. Reads the partition table in a thread of its own, and
 * registers the partitions. Thread context. */
int block_register(struct block_device *b);
/* What is under way is completed with -ENODEV; on return nobody uses the device
 * any more but by handles that answer -ENODEV, and `release` is called when the
 * last of them is closed. Thread context. */
void block_unregister(struct block_device *b);
/* The piece is done. Any context but NMI; no lock of the driver's is held. */
void block_complete(struct block_request *r, int status);
/* The device is broken: reset it, and try again what is under way. Any context
 * but NMI; b->lock is not held. */
void block_needs_reset(struct block_device *b);

/* The i-th stretch of memory of a piece; `left` bytes of it are still to be
 * named, and are counted down. */
static inline struct block_segment
block_piece_segment(const struct block_piece *p, uint32_t i, uint64_t *left)
{
    uint32_t skip = i ? 0 : p->skip;
    struct block_segment s = {p->segments[i].phys + skip,
                              p->segments[i].length - skip};

    if (s.length > *left)
        s.length = (uint32_t)*left;
    *left -= s.length;
    return s;
}

/* --- for users --- */

/* A reference by name; NULL. Thread context. */
struct block_device *block_get(const char *name);
void block_put(struct block_device *b);
struct block_device *block_at(size_t i); /* with a reference; NULL */
/*
 * Whoever relies on what is on a device claims it: a mounted volume for
 * reading, a guest for reading or for writing. -EBUSY: somebody writes to a
 * part of it, or reads it and the claim is for writing; a disk and its
 * partitions are parts of each other. Raw handles of scripts claim nothing.
 * Thread context.
 */
int block_claim(struct block_device *b, bool write);
void block_disclaim(struct block_device *b, bool write);
/* A copy of its counters. Any context. */
void block_get_stats(struct block_device *b, struct block_stats *out);
/* The caller keeps its reference until this returns, whatever `done` does. Any
 * context but NMI. */
void block_submit(struct block_device *b, struct block_request *r);
/* And wait. `buffer` is any kernel memory, `sectors` any number. 0 or the
 * request's error. Thread context, not cancellable. */
int block_read(struct block_device *b, uint64_t sector, void *buffer,
               uint32_t sectors);
int block_write(struct block_device *b, uint64_t sector, const void *buffer,
                uint32_t sectors);
int block_flush(struct block_device *b);
int block_discard(struct block_device *b, uint64_t sector, uint32_t sectors);

#endif
