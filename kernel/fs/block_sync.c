/*
 * Reading and writing with waiting, into any kernel memory. What lies in the
 * direct map is one stretch of physical memory; other memory is looked up page
 * by page; what is not aligned goes through a buffer of our own. Thread
 * context.
 */
#include <rayos/block.h>

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>
#include <rayos/thread.h>

#define SEGMENTS       32
#define MOST_SECTORS   32768 /* of one request: 16 MiB */
#define BOUNCE_ORDER   4     /* 64 KiB */
#define BOUNCE_SECTORS ((uint32_t)((PAGE_SIZE << BOUNCE_ORDER) / BLOCK_SECTOR))

struct waiter {
    struct spinlock lock;
    bool done; /* lock */
    struct waitq wq;
};

/* Interrupt or thread context. Nothing of the waiter is touched after the lock
 * is free: it lies on the stack of who waits. */
static void wake_waiter(struct block_request *r)
{
    struct waiter *w = r->arg;
    irqflags_t flags = spin_lock(&w->lock);

    w->done = true;
    waitq_wake_one(&w->wq);
    spin_unlock(&w->lock, flags);
}

static int submit_and_wait(struct block_device *b, struct block_request *r)
{
    struct waiter w = {.lock = SPINLOCK_INIT};
    irqflags_t flags;

    waitq_init(&w.wq);
    r->done = wake_waiter;
    r->arg = &w;
    block_submit(b, r);
    flags = spin_lock(&w.lock);
    while (!w.done)
        waitq_wait_uncancellable(&w.wq, &w.lock, TIME_NEVER);
    spin_unlock(&w.lock, flags);
    return r->status;
}

static int transfer(struct block_device *b, enum block_op op, uint64_t sector,
                    const struct block_segment *segments, uint32_t count,
                    uint32_t sectors)
{
    struct block_request r = {
        .op = op,
        .sector = sector,
        .sectors = sectors,
        .segments = segments,
        .segment_count = count,
    };

    return submit_and_wait(b, &r);
}

/* --- memory --- */

static bool in_direct_map(const void *p)
{
    return (uintptr_t)p >= DIRECT_MAP_BASE && (uintptr_t)p < KSPACE_BASE;
}

/* The stretches of physical memory behind `sectors` sectors at `p`, as many as
 * there is room for. How many sectors they hold; 0: they cannot be used. */
static uint32_t look_up(const uint8_t *p, uint32_t sectors,
                        struct block_segment out[SEGMENTS], uint32_t *count)
{
    uint64_t left = (uint64_t)sectors * BLOCK_SECTOR, found = 0;
    uint32_t n = 0;

    if ((uintptr_t)p % BLOCK_SECTOR) /* a sector would cross a page */
        return 0;
    while (found < left) {
        uint64_t in_page = PAGE_SIZE - (uintptr_t)(p + found) % PAGE_SIZE;
        uint32_t step = (uint32_t)(left - found < in_page ? left - found
                                                          : in_page);
        enum kspace_prot prot;
        phys_t phys;

        if (!kspace_lookup((uintptr_t)(p + found), &phys, &prot))
            return 0;
        if (n && out[n - 1].phys + out[n - 1].length == phys)
            out[n - 1].length += step;
        else if (n == SEGMENTS)
            break;
        else
            out[n++] = (struct block_segment){phys, step};
        found += step;
    }
    *count = n;
    return (uint32_t)(found / BLOCK_SECTOR);
}

/* Through a buffer of our own. Frames are contiguous. */
static int bounce(struct block_device *b, enum block_op op, uint64_t sector,
                  uint8_t *p, uint32_t sectors)
{
    phys_t frame = frame_alloc(BOUNCE_ORDER, 0);
    int err = 0;

    if (frame == FRAME_NONE)
        return -ENOMEM;
    while (sectors && !err) {
        uint32_t n = sectors < BOUNCE_SECTORS ? sectors : BOUNCE_SECTORS;
        struct block_segment s = {frame, n * BLOCK_SECTOR};

        if (op == BLOCK_WRITE)
            memcpy(phys_to_virt(frame), p, s.length);
        err = transfer(b, op, sector, &s, 1, n);
        if (!err && op == BLOCK_READ)
            memcpy(p, phys_to_virt(frame), s.length);
        p += s.length;
        sector += n;
        sectors -= n;
    }
    frame_free(frame, BOUNCE_ORDER);
    return err;
}

/* What the device cannot end with, as its sectors are bigger, is left for the
 * next turn: less than a page, and the last stretch is one at least. */
static uint32_t trim(const struct block_device *b, uint32_t sectors,
                     struct block_segment *last)
{
    uint32_t unit = b->logical_sector / BLOCK_SECTOR;
    uint32_t rest = unit > 1 ? sectors % unit : 0;

    if (rest * BLOCK_SECTOR >= last->length)
        return 0;
    last->length -= rest * BLOCK_SECTOR;
    return sectors - rest;
}

/* Memory that is not in the direct map, or not aligned. */
static int any_memory(struct block_device *b, enum block_op op, uint64_t sector,
                      uint8_t *p, uint32_t sectors)
{
    struct block_segment segments[SEGMENTS];
    uint32_t count = 0, n = 0;
    int err;

    if (!in_direct_map(p))
        n = look_up(p, sectors, segments, &count);
    if (n)
        n = trim(b, n, &segments[count - 1]);
    if (!n)
        return bounce(b, op, sector, p, sectors);
    err = transfer(b, op, sector, segments, count, n);
    return err ? err : (int)n;
}

static int sync(struct block_device *b, enum block_op op, uint64_t sector,
                uint8_t *p, uint32_t sectors)
{
    if (!sectors)
        return 0;
    while (sectors) {
        uint32_t n = sectors < MOST_SECTORS ? sectors : MOST_SECTORS;
        struct block_segment s = {0, n * BLOCK_SECTOR};
        int err;

        if (in_direct_map(p) && (uintptr_t)p % BLOCK_ALIGN == 0) {
            s.phys = virt_to_phys(p);
            err = transfer(b, op, sector, &s, 1, n);
        } else {
            err = any_memory(b, op, sector, p, n);
            n = err > 0 ? (uint32_t)err : n;
        }
        if (err < 0)
            return err;
        p += (size_t)n * BLOCK_SECTOR;
        sector += n;
        sectors -= n;
    }
    return 0;
}

int block_read(struct block_device *b, uint64_t sector, void *buffer,
               uint32_t sectors)
{
    return sync(b, BLOCK_READ, sector, buffer, sectors);
}

/* The cast: what is written is only read. */
int block_write(struct block_device *b, uint64_t sector, const void *buffer,
                uint32_t sectors)
{
    return sync(b, BLOCK_WRITE, sector, (uint8_t *)buffer, sectors);
}

int block_flush(struct block_device *b)
{
    return transfer(b, BLOCK_FLUSH, 0, NULL, 0, 0);
}

int block_discard(struct block_device *b, uint64_t sector, uint32_t sectors)
{
    return sectors ? transfer(b, BLOCK_DISCARD, sector, NULL, 0, sectors) : 0;
}
