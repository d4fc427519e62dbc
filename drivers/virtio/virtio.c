/*
 * The virtio bus and a device's life: start, feature negotiation, queues, stop
 * (virtio 1.2 3.1). Transports add devices to the bus, drivers of the device
 * types bind to it. Thread context.
 */
#include "virtio.h"

#include <errno.h>

#include <rayos/clock.h>
#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/thread.h>

#include "virtqueue.h"

/* Device status, virtio 1.2 2.1 */
#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER      2u
#define STATUS_DRIVER_OK   4u
#define STATUS_FEATURES_OK 8u
#define STATUS_FAILED      128u

#define RESET_PATIENCE (2 * NS_PER_SEC)
#define CONFIG_TRIES   16
#define NAMES_MAX      64 /* devices of one type */

/* Indirect tables that a queue has, of its descriptors. */
#define TABLE_SHARE 4

static const char *const type_names[] = {
    [VIRTIO_NET] = "net",         [VIRTIO_BLOCK] = "blk",
    [VIRTIO_CONSOLE] = "console", [VIRTIO_RNG] = "rng",
    [VIRTIO_BALLOON] = "balloon", [VIRTIO_GPU] = "gpu",
    [VIRTIO_INPUT] = "input",
};

/* --- the bus --- */

static bool virtio_match(const struct device *d, const struct driver *drv)
{
    const struct virtio_device *v = container_of(d, const struct virtio_device,
                                                 dev);

    for (const struct virtio_id *id = drv->ids; id->type; id++)
        if (id->type == v->type)
            return true;
    return false;
}

static void virtio_describe(const struct device *d, struct device_report *r)
{
    const struct virtio_device *v = container_of(d, const struct virtio_device,
                                                 dev);

    device_report_number(r, "type", v->type);
    device_report_text(r, "transport", v->transport->name);
    device_report_hex(r, "features", v->features);
    device_report_number(r, "queues", v->queue_count);
    if (v->broken)
        device_report_text(r, "broken", "it broke the rules");
}

/* Whatever its driver did: the device works no more on our memory. */
static void virtio_bus_quiesce(struct device *d)
{
    virtio_stop(virtio_device_of(d));
}

const struct bus virtio_bus = {
    .name = "virtio",
    .match = virtio_match,
    .describe = virtio_describe,
    .quiesce = virtio_bus_quiesce,
};

int virtio_add(struct virtio_device *v)
{
    const char *type = v->type < ARRAY_SIZE(type_names) ? type_names[v->type]
                                                        : NULL;
    int err = -EEXIST;

    v->dev.bus = &virtio_bus;
    for (unsigned n = 0; err == -EEXIST && n < NAMES_MAX; n++) {
        if (type)
            fmt_snprintf(v->dev.name, sizeof(v->dev.name), "virtio:%s%u", type,
                         n);
        else
            fmt_snprintf(v->dev.name, sizeof(v->dev.name), "virtio:type%u-%u",
                         v->type, n);
        err = device_add(&v->dev);
    }
    return err;
}

/* --- status and features --- */

static void add_status(struct virtio_device *v, uint8_t bits)
{
    v->transport->set_status(v, (uint8_t)(v->transport->get_status(v) | bits));
}

/* Write 0 and wait until it reads so (virtio 1.2 4.1.4.3.2). */
static int reset_device(struct virtio_device *v)
{
    nstime_t end = clock_now() + RESET_PATIENCE;

    v->transport->set_status(v, 0);
    while (v->transport->get_status(v)) {
        if (clock_now() > end) {
            log_error("virtio", "%s does not answer to a reset", v->dev.name);
            return -EIO;
        }
        thread_sleep(NS_PER_MS);
    }
    return 0;
}

static int fail_start(struct virtio_device *v, const char *why)
{
    log_error("virtio", "%s: %s", v->dev.name, why);
    add_status(v, STATUS_FAILED);
    return -EPROTO;
}

int virtio_start(struct virtio_device *v, uint64_t wanted, uint64_t required)
{
    uint64_t modern = v->transport->legacy ? 0 : VIRTIO_F_VERSION_1;
    uint64_t offered;

    v->features = 0;
    if (reset_device(v))
        return -EIO;
    v->broken = false;
    add_status(v, STATUS_ACKNOWLEDGE);
    add_status(v, STATUS_DRIVER);
    offered = v->transport->get_features(v);
    required |= modern;
    if ((offered & required) != required)
        return fail_start(v, "it lacks a feature that its driver needs");
    v->features = offered & (wanted | required);
    v->transport->set_features(v, v->features);
    if (v->transport->legacy)
        return 0;
    add_status(v, STATUS_FEATURES_OK);
    if (!(v->transport->get_status(v) & STATUS_FEATURES_OK))
        return fail_start(v, "it refuses the features that were chosen");
    return 0;
}

void virtio_ready(struct virtio_device *v)
{
    add_status(v, STATUS_DRIVER_OK);
}

/* --- queues --- */

static unsigned order_for(size_t bytes)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < bytes)
        order++;
    return order;
}

static void free_queue(struct virtqueue *q)
{
    if (q->ring_phys != FRAME_NONE)
        frame_free(q->ring_phys, q->ring_order);
    if (q->tables_phys != FRAME_NONE)
        frame_free(q->tables_phys, q->tables_order);
    kfree(q->slots);
    kfree(q->table_stack);
    kfree(q);
}

/* Without memory for tables the queue does without. */
static void alloc_tables(struct virtqueue *q, uint32_t length)
{
    uint16_t count = (uint16_t)(q->size / TABLE_SHARE);
    size_t bytes = (size_t)count * length * sizeof(struct vring_desc);

    if (!length || !count || length > VIRTQUEUE_SIZE_MAX ||
        !(q->device->features & VIRTIO_F_INDIRECT_DESC))
        return;
    q->tables_order = order_for(bytes);
    q->table_stack = kalloc(count * sizeof(*q->table_stack));
    if (!q->table_stack)
        return;
    q->tables_phys = frame_alloc(q->tables_order, 0);
    if (q->tables_phys == FRAME_NONE)
        return;
    q->tables = phys_to_virt(q->tables_phys);
    q->table_length = (uint16_t)length;
    q->table_free = count;
}

/* A power of two that the device can take; 0: none. */
static uint32_t choose_size(struct virtio_device *v, uint32_t index,
                            uint32_t wanted)
{
    uint32_t max = v->transport->queue_max(v, index);

    if (v->transport->legacy) /* its size is not ours to choose */
        return max <= VIRTQUEUE_SIZE_MAX && !(max & (max - 1)) ? max : 0;
    if (wanted > VIRTQUEUE_SIZE_MAX)
        wanted = VIRTQUEUE_SIZE_MAX;
    while (wanted > max)
        wanted /= 2;
    return wanted;
}

static int create_queue(struct virtio_device *v,
                        const struct virtqueue_spec *spec, uint32_t index)
{
    uint32_t size = choose_size(v, index, spec->size);
    struct virtqueue *q;

    if (!size) {
        log_error("virtio", "%s has no usable queue %u (%s)", v->dev.name,
                  index, spec->name);
        return -EPROTO;
    }
    q = kzalloc(sizeof(*q));
    if (!q)
        return -ENOMEM;
    v->queues[index] = q;
    v->queue_count = index + 1;
    q->device = v;
    q->name = spec->name;
    q->callback = spec->callback;
    q->arg = spec->arg;
    q->index = (uint16_t)index;
    q->size = (uint16_t)size;
    q->tables_phys = FRAME_NONE;
    q->ring_order = order_for(virtqueue_bytes(q->size));
    q->ring_phys = frame_alloc(q->ring_order, FRAME_ZERO);
    q->slots = kalloc(size * sizeof(*q->slots));
    if (q->ring_phys == FRAME_NONE || !q->slots)
        return -ENOMEM;
    alloc_tables(q, spec->indirect);
    virtqueue_init(q, phys_to_virt(q->ring_phys));
    return 0;
}

int virtio_create_queues(struct virtio_device *v,
                         const struct virtqueue_spec *specs, unsigned count)
{
    int err = 0;

    v->queues = kzalloc(count * sizeof(struct virtqueue *));
    if (!v->queues)
        return -ENOMEM;
    for (unsigned i = 0; i < count && !err; i++)
        err = create_queue(v, &specs[i], i);
    if (!err)
        err = v->transport->irq_setup(v, count);
    for (unsigned i = 0; i < count && !err; i++)
        err = v->transport->queue_enable(v, v->queues[i]);
    if (err)
        virtio_stop(v);
    return err;
}

struct virtqueue *virtio_queue(struct virtio_device *v, unsigned index)
{
    return index < v->queue_count ? v->queues[index] : NULL;
}

int virtio_quiesce(struct virtio_device *v)
{
    int err = reset_device(v);

    if (err) /* our memory must be safe from it all the same */
        v->transport->isolate(v);
    v->transport->irq_teardown(v);
    return err;
}

void virtio_stop(struct virtio_device *v)
{
    virtio_quiesce(v);
    for (uint32_t i = 0; i < v->queue_count; i++)
        free_queue(v->queues[i]);
    kfree(v->queues);
    v->queues = NULL;
    v->queue_count = 0;
}

/* --- configuration space --- */

void virtio_config_read(struct virtio_device *v, uint32_t offset, void *out,
                        uint32_t size)
{
    uint8_t before;
    int tries = 0;

    do {
        before = v->transport->config_generation(v);
        v->transport->config_read(v, offset, out, size);
    } while (v->transport->config_generation(v) != before &&
             ++tries < CONFIG_TRIES);
}

void virtio_config_write(struct virtio_device *v, uint32_t offset,
                         const void *data, uint32_t size)
{
    v->transport->config_write(v, offset, data, size);
}
