/*
 * virtio block device (virtio 1.2 5.2) over a disk of ours. What is aligned
 * goes to the block layer as it is, from and to the guest's own frames; the
 * rest, and files, goes through a buffer on a thread of the device's own.
 * Notifications: vCPU threads; completions: any context but NMI.
 */
#include "vmm/devices/virtio_blk.h"

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "vmm/vm.h"

/* 5.2.6 */
enum {
    IN = 0,
    OUT = 1,
    FLUSH = 4,
    GET_ID = 8,
    DISCARD = 11,
    WRITE_ZEROES = 13
};
enum { STATUS_OK, STATUS_ERROR, STATUS_UNSUPPORTED };

/* --- completion --- */

static uint8_t status_of(int err)
{
    return !err              ? STATUS_OK
           : err == -ENOTSUP ? STATUS_UNSUPPORTED
                             : STATUS_ERROR;
}

static void put_free(struct blk_request *r)
{
    irqflags_t flags = spin_lock(&r->blk->lock);

    list_push_front(&r->blk->free, &r->node);
    spin_unlock(&r->blk->lock, flags);
}

static void less_busy(struct blk *b, bool failed)
{
    irqflags_t flags = spin_lock(&b->lock);

    b->errors += failed;
    b->busy--;
    waitq_wake_all(&b->idle);
    spin_unlock(&b->lock, flags);
}

/* `written` bytes of its data, and the status behind its last byte. The request
 * is free before the driver hears of it, and may notify of the next one. */
static void finish(struct blk_request *r, int err, uint32_t written)
{
    struct blk *b = r->blk;
    struct virtio_queue *q = &b->virtio.queues[0];
    uint16_t head = r->chain.head;
    uint8_t status = status_of(err);

    if (virtio_chain_write(&b->virtio, &r->chain, r->chain.write_size - 1,
                           &status, 1) != 1)
        virtio_break(&b->virtio, "a request's status is not in RAM");
    put_free(r);
    virtio_queue_push(q, head, written + 1);
    virtio_queue_signal(q);
    less_busy(b, err != 0);
}

static uint32_t read_bytes(const struct blk_request *r)
{
    return r->type == IN ? r->sectors * BLOCK_SECTOR : 0;
}

static void block_done(struct block_request *q)
{
    struct blk_request *r = q->arg;

    finish(r, q->status, q->status ? 0 : read_bytes(r));
}

/* --- the short way: frames of the guest's --- */

/* The data's stretches of memory, as the block layer wants them; false: they
 * cannot be given to it. `skip` bytes lie before them, `size` is their sum. */
static bool gather(struct blk_request *r, const struct virtio_segment *s,
                   unsigned count, uint32_t skip, uint32_t size)
{
    r->block.segment_count = 0;
    for (unsigned i = 0; i < count && size; i++) {
        gpa_t at = s[i].gpa + skip;
        uint32_t left = s[i].length > skip ? s[i].length - skip : 0;

        skip = s[i].length > skip ? 0 : skip - s[i].length;
        if (left > size)
            left = size;
        size -= left;
        while (left) {
            size_t got;
            phys_t p = guest_phys(r->blk->virtio.memory, at, left, &got);
            struct block_segment *o = &r->segments[r->block.segment_count];

            if (!got || p % BLOCK_ALIGN || got % BLOCK_SECTOR ||
                r->block.segment_count++ == BLK_SEGMENTS)
                return false;
            *o = (struct block_segment){p, (uint32_t)got};
            at += got;
            left -= (uint32_t)got;
        }
    }
    return size == 0;
}

static bool start_direct(struct blk_request *r)
{
    struct virtio_chain *c = &r->chain;
    bool in = r->type == IN;

    if (!r->blk->disk.block ||
        !gather(r, c->segments + (in ? c->readable : 0),
                in ? c->count - c->readable : c->readable,
                in ? 0 : sizeof(struct blk_header), r->sectors * BLOCK_SECTOR))
        return false;
    r->block.op = in ? BLOCK_READ : BLOCK_WRITE;
    r->block.sector = r->sector;
    r->block.sectors = r->sectors;
    r->block.segments = r->segments;
    r->block.done = block_done;
    r->block.arg = r;
    block_submit(r->blk->disk.block, &r->block);
    return true;
}

/* Flush and discard have no data. */
static void start_plain(struct blk_request *r, enum block_op op)
{
    r->block = (struct block_request){
        .op = op,
        .sector = op == BLOCK_DISCARD ? r->sector : 0,
        .sectors = op == BLOCK_DISCARD ? r->sectors : 0,
        .done = block_done,
        .arg = r,
    };
    block_submit(r->blk->disk.block, &r->block);
}

/* --- the long way: a buffer, on the device's thread --- */

static int copy_in(struct blk_request *r, uint32_t done, uint32_t sectors)
{
    struct blk *b = r->blk;
    size_t n = (size_t)sectors * BLOCK_SECTOR;
    int err = disk_read(&b->disk, r->sector + done, b->buffer, sectors);

    if (!err && virtio_chain_write(&b->virtio, &r->chain, done * BLOCK_SECTOR,
                                   b->buffer, n) != (ssize_t)n)
        err = -EFAULT;
    return err;
}

static int copy_out(struct blk_request *r, uint32_t done, uint32_t sectors)
{
    struct blk *b = r->blk;
    size_t n = (size_t)sectors * BLOCK_SECTOR;

    if (r->type == WRITE_ZEROES)
        memset(b->buffer, 0, n);
    else if (virtio_chain_read(&b->virtio, &r->chain,
                               sizeof(struct blk_header) + done * BLOCK_SECTOR,
                               b->buffer, n) != (ssize_t)n)
        return -EFAULT;
    return disk_write(&b->disk, r->sector + done, b->buffer, sectors);
}

/* Up to 128 MiB: a reset (or the VM's end) does not wait for the rest. */
static void copy(struct blk_request *r)
{
    const struct virtio_device *d = &r->blk->virtio;
    uint32_t done = 0, n;
    int err = 0;

    while (!err && done < r->sectors) {
        if (!(d->status & VIRTIO_STATUS_DRIVER_OK)) {
            err = -ECANCELED;
            break;
        }
        n = r->sectors - done < BLK_BUFFER / BLOCK_SECTOR
                ? r->sectors - done
                : BLK_BUFFER / BLOCK_SECTOR;
        err = r->type == IN ? copy_in(r, done, n) : copy_out(r, done, n);
        done += n;
    }
    finish(r, err, err ? 0 : read_bytes(r));
}

static struct blk_request *next_slow(struct blk *b)
{
    irqflags_t flags = spin_lock(&b->lock);
    struct list *n = list_pop_front(&b->slow);

    spin_unlock(&b->lock, flags);
    return n ? container_of(n, struct blk_request, node) : NULL;
}

void blk_work(struct work *w)
{
    struct blk *b = container_of(w, struct blk, work);
    struct blk_request *r;

    while ((r = next_slow(b)))
        copy(r);
}

static void start_copy(struct blk_request *r)
{
    struct blk *b = r->blk;
    irqflags_t flags = spin_lock(&b->lock);

    list_push_back(&b->slow, &r->node);
    spin_unlock(&b->lock, flags);
    work_submit(b->thread, &b->work);
}

/* --- requests --- */

static bool inside(const struct blk *b, uint64_t sector, uint64_t sectors)
{
    return sector <= b->disk.sectors && sectors <= b->disk.sectors - sector;
}

/* 5.2.6.2: one range, in the data. */
static int take_range(struct blk_request *r)
{
    struct {
        uint64_t sector;
        uint32_t sectors, flags;
    } range;

    if (r->chain.read_size != sizeof(struct blk_header) + sizeof(range) ||
        virtio_chain_read(&r->blk->virtio, &r->chain, sizeof(struct blk_header),
                          &range, sizeof(range)) != sizeof(range))
        return -EINVAL;
    if (range.flags & ~(r->type == WRITE_ZEROES ? 1u : 0u))
        return -ENOTSUP;
    r->sector = range.sector;
    r->sectors = range.sectors;
    return inside(r->blk, r->sector, r->sectors) &&
                   r->sectors <= BLK_RANGE_SECTORS
               ? 0
               : -EINVAL;
}

static int take_data(struct blk_request *r)
{
    const struct virtio_chain *c = &r->chain;
    uint32_t size = r->type == IN
                        ? c->write_size - 1
                        : c->read_size - (uint32_t)sizeof(struct blk_header);

    if (size % BLOCK_SECTOR || size / BLOCK_SECTOR > BLK_RANGE_SECTORS)
        return -EINVAL;
    r->sectors = size / BLOCK_SECTOR;
    return inside(r->blk, r->sector, r->sectors) ? 0 : -EINVAL;
}

static void give_id(struct blk_request *r)
{
    char id[BLK_ID_SIZE] = "";
    uint32_t n = r->chain.write_size - 1;

    memcpy(id, r->blk->serial, sizeof(id));
    if (n > sizeof(id))
        n = sizeof(id);
    if (virtio_chain_write(&r->blk->virtio, &r->chain, 0, id, n) != (ssize_t)n)
        finish(r, -EFAULT, 0);
    else
        finish(r, 0, n);
}

static void start_transfer(struct blk_request *r)
{
    int err = take_data(r);

    if (!err && r->type == OUT && r->blk->disk.read_only)
        err = -EROFS;
    if (err || !r->sectors)
        finish(r, err, 0);
    else if (!start_direct(r))
        start_copy(r);
}

static void start_range(struct blk_request *r)
{
    struct blk *b = r->blk;
    int err = take_range(r);

    if (!err && b->disk.read_only)
        err = -EROFS;
    if (!err && r->type == DISCARD && !blk_can_discard(b))
        err = -ENOTSUP;
    if (err || !r->sectors)
        finish(r, err, 0);
    else if (r->type == DISCARD)
        start_plain(r, BLOCK_DISCARD);
    else
        start_copy(r);
}

static void start(struct blk_request *r)
{
    switch (r->type) {
    case IN:
    case OUT:
        start_transfer(r);
        break;
    case FLUSH:
        r->sectors = 0;
        if (r->blk->disk.block)
            start_plain(r, BLOCK_FLUSH);
        else /* files of ours have nothing that waits to be written */
            finish(r, 0, 0);
        break;
    case GET_ID:
        give_id(r);
        break;
    case DISCARD:
    case WRITE_ZEROES:
        start_range(r);
        break;
    default:
        finish(r, -ENOTSUP, 0);
    }
}

static struct blk_request *take_free(struct blk *b)
{
    irqflags_t flags = spin_lock(&b->lock);
    struct list *n = list_pop_front(&b->free);

    b->busy += n != NULL;
    spin_unlock(&b->lock, flags);
    return n ? container_of(n, struct blk_request, node) : NULL;
}

static void give_back(struct blk_request *r)
{
    put_free(r);
    less_busy(r->blk, false);
}

/* There are more requests than descriptors: one is always free, unless a driver
 * has made a buffer available twice. */
void blk_notify(struct virtio_device *d, struct virtio_queue *q)
{
    struct blk *b = d->state;
    struct blk_request *r;
    struct blk_header h;

    while ((r = take_free(b))) {
        if (virtio_queue_pop(q, &r->chain) != 1) {
            give_back(r);
            return;
        }
        if (r->chain.read_size < sizeof(h) || !r->chain.write_size ||
            virtio_chain_read(d, &r->chain, 0, &h, sizeof(h)) != sizeof(h)) {
            give_back(r);
            virtio_break(d, "a request without header or status");
            return;
        }
        r->type = h.type;
        r->sector = h.sector;
        start(r);
    }
}

void blk_reset(struct virtio_device *d)
{
    struct blk *b = d->state;
    irqflags_t flags = spin_lock(&b->lock);

    while (b->busy)
        waitq_wait_uncancellable(&b->idle, &b->lock, TIME_NEVER);
    spin_unlock(&b->lock, flags);
}
