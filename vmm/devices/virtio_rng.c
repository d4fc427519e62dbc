/*
 * virtio entropy device (virtio 1.2 5.4): random bytes from the kernel's
 * generator, a bounded part of each buffer. vCPU threads.
 */
#include <errno.h>

#include <rayos/mm.h>
#include <rayos/random.h>

#include "vmm/devices/virtio_stop.h"
#include "vmm/vm.h"

#define PART  256  /* bytes at a time */
#define BYTES 4096 /* of one buffer at most: the driver asks again */

static uint32_t fill(struct virtio_device *d, const struct virtio_chain *c)
{
    uint32_t want = c->write_size < BYTES ? c->write_size : BYTES, done = 0;
    uint8_t bytes[PART];

    while (done < want) {
        size_t n = want - done < PART ? want - done : PART;

        random_bytes(bytes, n);
        if (virtio_chain_write(d, c, done, bytes, n) != (ssize_t)n) {
            virtio_break(d, "a buffer is not in RAM");
            break;
        }
        done += (uint32_t)n;
    }
    return done;
}

/* The transport has one call at a time. */
static void rng_notify(struct virtio_device *d, struct virtio_queue *q)
{
    struct virtio_chain *c = d->state;

    while (!virtio_must_stop(d) && virtio_queue_pop(q, c) == 1)
        virtio_queue_push(q, c->head, fill(d, c));
    virtio_queue_signal(q);
}

static void rng_reset(struct virtio_device *d)
{
    (void)d; /* nothing is ever under way */
}

static void rng_destroy(struct virtio_device *d)
{
    kfree(d->state);
    kfree(d);
}

static const struct virtio_model rng_model = {
    .name = "virtio-rng",
    .id = VIRTIO_ID_RNG,
    .queue_count = 1,
    .queue_sizes = {64},
    .notify = rng_notify,
    .reset = rng_reset,
    .destroy = rng_destroy,
};

static int rng_create(struct vm *vm)
{
    struct virtio_device *d;
    int err = -ENOMEM;

    if (!vm->config.has_rng)
        return 0;
    d = kzalloc(sizeof(*d));
    if (d) {
        virtio_device_init(d, &rng_model, vm,
                           kzalloc(sizeof(struct virtio_chain)));
        err = d->state ? virtio_mmio_attach(vm, d) : -ENOMEM;
    }
    if (err && d)
        rng_destroy(d);
    return err;
}

VM_DEVICE_TYPE(virtio_rng, .create = rng_create);
