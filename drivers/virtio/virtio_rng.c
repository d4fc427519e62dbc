/*
 * virtio-rng (virtio 1.2 5.4): an entropy device. It is asked for a buffer of
 * random bytes when it comes, and again from time to time, for the pool of
 * kernel/core/random.c. Set-up in thread context, the rest in interrupt
 * context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/random.h>
#include <rayos/timer.h>
#include <rayos/virtio.h>

#define BYTES    64
#define INTERVAL (30 * NS_PER_SEC)

/* The host is asked for random bytes, and may be the one that wants to know
 * ours: half of what it says to give is counted. */
#define BITS_PER_BYTE 4

struct virtio_rng {
    struct virtio_device *v;
    struct spinlock lock;
    struct virtqueue *q; /* lock; NULL: stopped */
    phys_t buffer;       /* a frame */
    struct timer timer;
    _Atomic uint64_t bytes; /* that came */
};

static void ask(struct virtio_rng *r)
{
    const struct virtio_buffer b = {r->buffer, BYTES};
    irqflags_t flags = spin_lock(&r->lock);

    if (r->q && virtqueue_add(r->q, &b, 0, 1, r) == 0)
        virtqueue_kick(r->q);
    spin_unlock(&r->lock, flags);
}

static void on_timer(struct timer *t)
{
    ask(container_of(t, struct virtio_rng, timer));
}

/* Taken into a copy, as the device may go on writing. */
static void on_bytes(struct virtqueue *q, void *arg)
{
    struct virtio_rng *r = arg;
    uint8_t copy[BYTES];
    uint32_t written = 0;
    irqflags_t flags = spin_lock(&r->lock);
    bool came = virtqueue_get(q, &written);

    if (came) {
        memcpy(copy, phys_to_virt(r->buffer), written);
        memset(phys_to_virt(r->buffer), 0, BYTES);
    }
    virtqueue_enable_callback(q); /* one buffer: nothing else can come */
    spin_unlock(&r->lock, flags);
    if (!came)
        return;
    random_add_from("virtio-rng", copy, written, written * BITS_PER_BYTE);
    r->bytes += written;
    memset(copy, 0, sizeof(copy));
    timer_start(&r->timer, clock_now() + INTERVAL);
}

static void stop(struct virtio_rng *r)
{
    irqflags_t flags;

    virtio_quiesce(r->v);
    flags = spin_lock(&r->lock);
    r->q = NULL;
    spin_unlock(&r->lock, flags);
    timer_cancel_sync(&r->timer);
    virtio_stop(r->v);
    frame_free(r->buffer, 0);
    kfree(r);
}

static int rng_probe(struct device *d)
{
    struct virtio_rng *r = kzalloc(sizeof(*r));
    const struct virtqueue_spec spec = {
        .name = "requests",
        .size = 8,
        .callback = on_bytes,
        .arg = r,
    };
    int err;

    if (!r)
        return -ENOMEM;
    r->v = virtio_device_of(d);
    r->buffer = frame_alloc(0, FRAME_ZERO);
    if (r->buffer == FRAME_NONE) {
        kfree(r);
        return -ENOMEM;
    }
    timer_init(&r->timer, on_timer);
    err = virtio_start(r->v, VIRTIO_F_EVENT_IDX, 0);
    if (!err)
        err = virtio_create_queues(r->v, &spec, 1);
    if (err) {
        stop(r);
        return err;
    }
    d->driver_data = r;
    r->q = virtio_queue(r->v, 0);
    virtio_ready(r->v);
    ask(r);
    return 0;
}

static void rng_remove(struct device *d)
{
    stop(d->driver_data);
}

static void rng_describe(const struct device *d, struct device_report *report)
{
    const struct virtio_rng *r = d->driver_data;

    device_report_number(report, "bytes", r->bytes);
}

static const struct virtio_id rng_ids[] = {{VIRTIO_RNG}, {0}};

DRIVER(virtio_rng, .bus = &virtio_bus, .ids = rng_ids, .probe = rng_probe,
       .remove = rng_remove, .describe = rng_describe);
