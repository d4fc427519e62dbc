/*
 * A guest's keyboard or tablet: see virtio_input.h. Events come in interrupt
 * context and go straight into the driver's buffers; those for which there is
 * none wait in the backlog. One spin lock.
 */
#include "vmm/devices/virtio_input.h"

#include <errno.h>
#include <string.h>

#include <rayos/input.h>
#include <rayos/mm.h>

#include "vmm/devices/input_backlog.h"
#include "vmm/devices/virtio_stop.h"

/* virtio 1.2 5.8.2 */
#define QUEUE_EVENTS 0
#define QUEUE_STATUS 1
#define QUEUE_LENGTH 64

/* virtio 1.2 5.8.5: struct virtio_input_config */
#define CONFIG_SELECT 0
#define CONFIG_SUBSEL 1
#define CONFIG_SIZE   2
#define CONFIG_ANSWER 8
#define CONFIG_BYTES  (CONFIG_ANSWER + INPUT_CONFIG_ANSWER)

struct virtio_input {
    struct virtio_device device;
    const struct input_kind *kind;
    virtio_input_leds_t leds_changed;
    void *arg;
    struct spinlock lock;
    /* lock: all below */
    bool active; /* the driver is ready */
    unsigned leds;
    uint64_t events;
    uint8_t config[CONFIG_BYTES];
    struct input_backlog backlog;
    struct virtio_chain chain; /* too large for an interrupt's stack */
};

static struct virtio_input *input_of(struct virtio_device *d)
{
    return d->state;
}

/* --- events --- */

/* Lock held. As much of the backlog as the driver has buffers for. */
static void deliver(struct virtio_input *in)
{
    struct virtio_queue *q = &in->device.queues[QUEUE_EVENTS];
    const struct backlog_event *e;
    bool any = false;

    while (in->active && (e = backlog_first(&in->backlog)) &&
           virtio_queue_pop(q, &in->chain) > 0) {
        if (in->chain.write_size < sizeof(*e)) {
            virtio_break(&in->device, "a buffer for events has %u bytes",
                         in->chain.write_size);
            in->active = false;
        } else if (virtio_chain_write(&in->device, &in->chain, 0, e,
                                      sizeof(*e)) != (ssize_t)sizeof(*e)) {
            virtio_break(&in->device, "a buffer for events is no memory");
            in->active = false;
        } else {
            backlog_pop(&in->backlog);
            virtio_queue_push(q, in->chain.head, sizeof(*e));
            in->events++;
            any = true;
        }
    }
    if (any)
        virtio_queue_signal(q);
}

void virtio_input_event(struct virtio_input *in, uint16_t type, uint16_t code,
                        int32_t value)
{
    irqflags_t flags;

    if (!input_kind_has(in->kind, type, code))
        return;
    flags = spin_lock(&in->lock);
    if (in->active) {
        backlog_add(&in->backlog, type, code, value);
        if (type == INPUT_SYN)
            deliver(in);
    }
    spin_unlock(&in->lock, flags);
}

/* --- LEDs --- */

static void take_status(struct virtio_input *in, const struct backlog_event *e)
{
    unsigned bit;

    if (e->type != INPUT_LED || e->code > LED_SCROLLL)
        return;
    bit = 1u << e->code;
    in->leds = e->value ? in->leds | bit : in->leds & ~bit;
}

/* One buffer; false: there is none. Its own turn of the lock, for interrupts
 * are off under it. */
static bool read_status(struct virtio_input *in, struct virtio_queue *q)
{
    irqflags_t flags = spin_lock(&in->lock);
    bool got = in->active && virtio_queue_pop(q, &in->chain) > 0;
    struct backlog_event e;

    if (got) {
        if (virtio_chain_read(&in->device, &in->chain, 0, &e, sizeof(e)) ==
            (ssize_t)sizeof(e))
            take_status(in, &e);
        virtio_queue_push(q, in->chain.head, 0);
    }
    spin_unlock(&in->lock, flags);
    return got;
}

static void read_all_status(struct virtio_input *in, struct virtio_queue *q)
{
    while (read_status(in, q) && !virtio_must_stop(&in->device))
        ;
    virtio_queue_signal(q);
    if (in->leds_changed)
        in->leds_changed(in->arg, in->leds);
}

/* --- the model --- */

static void config_read(struct virtio_device *d, uint32_t offset, void *out,
                        uint32_t n)
{
    struct virtio_input *in = input_of(d);
    irqflags_t flags = spin_lock(&in->lock);

    memcpy(out, in->config + offset, n);
    spin_unlock(&in->lock, flags);
}

static void config_write(struct virtio_device *d, uint32_t offset,
                         const void *data, uint32_t n)
{
    struct virtio_input *in = input_of(d);
    const uint8_t *bytes = data;
    irqflags_t flags = spin_lock(&in->lock);

    for (uint32_t i = 0; i < n; i++)
        if (offset + i <= CONFIG_SUBSEL)
            in->config[offset + i] = bytes[i];
    in->config[CONFIG_SIZE] = input_config_answer(
        in->kind, in->config[CONFIG_SELECT], in->config[CONFIG_SUBSEL],
        in->config + CONFIG_ANSWER);
    spin_unlock(&in->lock, flags);
}

static void activated(struct virtio_device *d)
{
    struct virtio_input *in = input_of(d);
    irqflags_t flags = spin_lock(&in->lock);

    in->active = true;
    spin_unlock(&in->lock, flags);
}

static void notify(struct virtio_device *d, struct virtio_queue *q)
{
    struct virtio_input *in = input_of(d);
    irqflags_t flags;

    if (q->index == QUEUE_STATUS) {
        read_all_status(in, q);
        return;
    }
    flags = spin_lock(&in->lock);
    deliver(in);
    spin_unlock(&in->lock, flags);
}

static void reset(struct virtio_device *d)
{
    struct virtio_input *in = input_of(d);
    irqflags_t flags = spin_lock(&in->lock);

    in->active = false;
    in->leds = 0;
    memset(in->config, 0, sizeof(in->config));
    backlog_reset(&in->backlog);
    spin_unlock(&in->lock, flags);
    if (in->leds_changed)
        in->leds_changed(in->arg, 0);
}

static void destroy(struct virtio_device *d)
{
    kfree(input_of(d));
}

static const struct virtio_model model = {
    .name = "virtio-input",
    .id = VIRTIO_ID_INPUT,
    .queue_count = 2,
    .queue_sizes = {QUEUE_LENGTH, QUEUE_LENGTH},
    .config_size = CONFIG_BYTES,
    .config_read = config_read,
    .config_write = config_write,
    .activated = activated,
    .notify = notify,
    .reset = reset,
    .destroy = destroy,
};

struct virtio_input *virtio_input_new(struct vm *vm,
                                      const struct input_kind *kind,
                                      virtio_input_leds_t leds, void *arg)
{
    struct virtio_input *in = kzalloc(sizeof(*in));

    if (!in)
        return NULL;
    in->kind = kind;
    in->leds_changed = leds;
    in->arg = arg;
    virtio_device_init(&in->device, &model, vm, in);
    return in;
}

struct virtio_device *virtio_input_device(struct virtio_input *in)
{
    return &in->device;
}

int virtio_input_create(struct vm *vm, const struct input_kind *kind,
                        virtio_input_leds_t leds, void *arg,
                        struct virtio_input **out)
{
    struct virtio_input *in = virtio_input_new(vm, kind, leds, arg);
    int err;

    if (!in)
        return -ENOMEM;
    err = virtio_mmio_attach(vm, &in->device);
    if (err)
        kfree(in);
    else
        *out = in;
    return err;
}

void virtio_input_get_stats(struct virtio_input *in,
                            struct virtio_input_stats *out)
{
    irqflags_t flags = spin_lock(&in->lock);

    *out = (struct virtio_input_stats){
        .events = in->events,
        .dropped = in->backlog.dropped,
        .waiting = in->backlog.count,
        .ready = in->active,
    };
    spin_unlock(&in->lock, flags);
}
