/*
 * A guest's display: see virtio_gpu.h. Commands are carried out on the vCPU
 * thread that notifies, one at a time under a mutex, and are done when it goes
 * back into the guest; what they mean is in gpu.c.
 */
#include "vmm/devices/virtio_gpu.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <rayos/mm.h>
#include <rayos/sync.h>

#include "vmm/devices/virtio_stop.h"

/* virtio 1.2 5.7.2 to 5.7.4 */
#define QUEUE_CONTROL  0
#define CONTROL_LENGTH 64
#define CURSOR_LENGTH  16
#define F_EDID         (UINT64_C(1) << 1)
#define EVENT_DISPLAY  1u
#define CONFIG_CLEAR   4 /* offset of events_clear */

struct gpu_config {
    uint32_t events_read, events_clear, scanouts, capsets;
};

struct virtio_gpu {
    struct virtio_device device;
    struct mutex lock;
    struct gpu gpu;                   /* lock */
    struct virtio_chain chain;        /* lock */
    uint8_t answer[GPU_RESPONSE_MAX]; /* lock */
    _Atomic uint64_t wanted;          /* size: width, then height above */
    _Atomic uint32_t events; /* EVENT_* that the driver did not clear */
};

static struct virtio_gpu *gpu_of(struct virtio_device *d)
{
    return d->state;
}

/* --- commands --- */

static int read_request(const struct gpu_request *rq, uint32_t offset,
                        void *out, size_t n)
{
    struct virtio_gpu *v = rq->arg;
    ssize_t got = virtio_chain_read(&v->device, &v->chain, offset, out, n);

    return got == (ssize_t)n ? 0 : -EFAULT;
}

/* The one that was popped. Lock held. */
static void execute(struct virtio_gpu *v, struct virtio_queue *q)
{
    const struct gpu_request rq = {v->chain.read_size, read_request, v};
    uint64_t wanted = atomic_load(&v->wanted);
    size_t size;
    ssize_t written;

    v->gpu.width = (uint32_t)wanted;
    v->gpu.height = (uint32_t)(wanted >> 32);
    size = gpu_execute(&v->gpu, &rq, v->answer);
    /* What has no room for an answer gets none: cursor commands mostly. */
    if (v->chain.write_size < size)
        size = v->chain.write_size < sizeof(struct gpu_header)
                   ? 0
                   : v->chain.write_size;
    written = virtio_chain_write(&v->device, &v->chain, 0, v->answer, size);
    if (written < 0)
        virtio_break(&v->device, "an answer's buffer is no memory");
    else
        virtio_queue_push(q, v->chain.head, (uint32_t)written);
}

static void notify(struct virtio_device *d, struct virtio_queue *q)
{
    struct virtio_gpu *v = gpu_of(d);

    mutex_lock(&v->lock);
    while (!virtio_must_stop(d) && virtio_queue_pop(q, &v->chain) > 0)
        execute(v, q);
    virtio_queue_signal(q);
    mutex_unlock(&v->lock);
}

/* --- the model --- */

static void config_read(struct virtio_device *d, uint32_t offset, void *out,
                        uint32_t n)
{
    const struct gpu_config c = {
        .events_read = atomic_load(&gpu_of(d)->events),
        .scanouts = 1,
    };

    memcpy(out, (const uint8_t *)&c + offset, n);
}

/* 5.7.4: what is written to events_clear clears bits of events_read. */
static void config_write(struct virtio_device *d, uint32_t offset,
                         const void *data, uint32_t n)
{
    uint32_t bits = 0;

    if (offset != CONFIG_CLEAR || n > sizeof(bits))
        return;
    memcpy(&bits, data, n);
    atomic_fetch_and(&gpu_of(d)->events, ~bits);
}

static void reset(struct virtio_device *d)
{
    struct virtio_gpu *v = gpu_of(d);

    mutex_lock(&v->lock);
    gpu_reset(&v->gpu);
    atomic_store(&v->events, 0);
    mutex_unlock(&v->lock);
}

static void destroy(struct virtio_device *d)
{
    kfree(gpu_of(d));
}

static const struct virtio_model model = {
    .name = "virtio-gpu",
    .id = VIRTIO_ID_GPU,
    .features = F_EDID,
    .queue_count = 2,
    .queue_sizes = {CONTROL_LENGTH, CURSOR_LENGTH},
    .config_size = sizeof(struct gpu_config),
    .config_read = config_read,
    .config_write = config_write,
    .notify = notify,
    .reset = reset,
    .destroy = destroy,
};

static uint64_t size_of(uint32_t width, uint32_t height)
{
    return (uint64_t)height << 32 | width;
}

struct virtio_gpu *virtio_gpu_new(struct vm *vm, uint32_t width,
                                  uint32_t height, const struct gpu_ops *ops,
                                  void *arg)
{
    struct virtio_gpu *v = kzalloc(sizeof(*v));

    if (!v)
        return NULL;
    mutex_init(&v->lock);
    virtio_device_init(&v->device, &model, vm, v);
    gpu_init(&v->gpu, ops, v->device.memory, VIRTIO_GPU_MEMORY);
    v->gpu.arg = arg;
    atomic_store(&v->wanted, size_of(width, height));
    return v;
}

struct virtio_device *virtio_gpu_device(struct virtio_gpu *v)
{
    return &v->device;
}

int virtio_gpu_create(struct vm *vm, uint32_t width, uint32_t height,
                      const struct gpu_ops *ops, void *arg,
                      struct virtio_gpu **out)
{
    struct virtio_gpu *v = virtio_gpu_new(vm, width, height, ops, arg);
    int err;

    if (!v)
        return -ENOMEM;
    err = virtio_mmio_attach(vm, &v->device);
    if (err)
        kfree(v);
    else
        *out = v;
    return err;
}

void virtio_gpu_resize(struct virtio_gpu *v, uint32_t width, uint32_t height)
{
    uint64_t size = size_of(width, height);

    if (atomic_exchange(&v->wanted, size) == size)
        return;
    atomic_fetch_or(&v->events, EVENT_DISPLAY);
    virtio_config_changed(&v->device);
}

void virtio_gpu_get_stats(struct virtio_gpu *v, struct virtio_gpu_stats *out)
{
    mutex_lock(&v->lock);
    *out = (struct virtio_gpu_stats){
        .commands = v->gpu.commands,
        .errors = v->gpu.errors,
        .memory = v->gpu.table.used,
        .resources = v->gpu.table.count,
    };
    mutex_unlock(&v->lock);
}
