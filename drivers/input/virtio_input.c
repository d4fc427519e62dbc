/*
 * virtio-input (virtio 1.2 5.8): keyboards, mice and tablets that report events
 * as ours are. What the device says of itself and every event is copied and
 * checked. Probe and remove: thread context; events: interrupt context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/input.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/timer.h>
#include <rayos/virtio.h>

/* 5.8.2 */
enum { QUEUE_EVENTS, QUEUE_STATUS, QUEUES };

/* 5.8.4: the configuration, a window on what is selected */
#define CONFIG_SELECT 0
#define CONFIG_SUBSEL 1
#define CONFIG_SIZE   2
#define CONFIG_DATA   8
#define CONFIG_ROOM   128

#define SELECT_NAME     0x01
#define SELECT_IDS      0x03
#define SELECT_EVENTS   0x11
#define SELECT_ABSOLUTE 0x12

/* 5.8.6 */
struct wire_event {
    uint16_t type, code;
    uint32_t value;
};

struct wire_ids {
    uint16_t bus, vendor, product, version;
};

struct wire_absolute {
    uint32_t min, max, fuzz, flat, resolution;
};

#define EVENTS 64 /* what may come while our CPU stands still */
#define LEDS   3
/* LEDs and the SYN behind them */
#define STATUSES 4
/* Turns of the interrupt; a device that has more to say must wait a little. */
#define ROUNDS     4
#define STORM_REST (2 * NS_PER_MS)

struct wire {
    struct wire_event events[EVENTS], status[STATUSES];
};

_Static_assert(sizeof(struct wire) <= PAGE_SIZE, "one frame");

struct virtio_input {
    struct virtio_device *v;
    struct spinlock lock;
    struct virtqueue *queue[QUEUES]; /* lock */
    struct wire *wire;
    phys_t phys;
    bool closing;               /* lock: events and LEDs are over */
    unsigned wanted, lit, busy; /* lock: LEDs; status buffers under way */
    uint64_t odd;               /* lock: events of a wrong length */
    struct timer again;         /* after a storm */
    struct input_device input;
};

/* --- what it is --- */

/* Bytes of the selected answer, zeroes behind them; 0: it has none. */
static uint8_t config_get(struct virtio_input *i, uint8_t select,
                          uint8_t subsel, void *out, size_t room)
{
    uint8_t answer[CONFIG_ROOM] = {0}, size;

    virtio_config_write(i->v, CONFIG_SELECT, &select, 1);
    virtio_config_write(i->v, CONFIG_SUBSEL, &subsel, 1);
    virtio_config_read(i->v, CONFIG_SIZE, &size, 1);
    if (size > CONFIG_ROOM)
        size = 0;
    if (size)
        virtio_config_read(i->v, CONFIG_DATA, answer, size);
    memcpy(out, answer, room < CONFIG_ROOM ? room : CONFIG_ROOM);
    return size;
}

static bool any_bit(const uint8_t *bits, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bits[i])
            return true;
    return false;
}

static void read_name(struct virtio_input *i)
{
    char name[INPUT_NAME_MAX];

    if (!config_get(i, SELECT_NAME, 0, name, sizeof(name)))
        strncpy(name, "virtio input", sizeof(name));
    name[sizeof(name) - 1] = '\0';
    for (char *p = name; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    memcpy(i->input.name, name, sizeof(name));
}

static bool read_axis(struct virtio_input *i, uint8_t axis,
                      struct input_absolute *out)
{
    struct wire_absolute a;

    if (config_get(i, SELECT_ABSOLUTE, axis, &a, sizeof(a)) <
        offsetof(struct wire_absolute, fuzz))
        return false;
    *out = (struct input_absolute){(int32_t)a.min, (int32_t)a.max};
    return out->min < out->max;
}

static void read_axes(struct virtio_input *i)
{
    uint8_t bits[CONFIG_ROOM];

    config_get(i, SELECT_EVENTS, INPUT_ABS, bits, sizeof(bits));
    i->input.has_absolute = bits[0] & 1u << ABS_X && bits[0] & 1u << ABS_Y &&
                            read_axis(i, ABS_X, &i->input.x) &&
                            read_axis(i, ABS_Y, &i->input.y);
}

static int read_config(struct virtio_input *i)
{
    struct input_device *d = &i->input;
    uint8_t bits[CONFIG_ROOM];
    struct wire_ids ids;

    read_name(i);
    config_get(i, SELECT_IDS, 0, &ids, sizeof(ids));
    d->bus = ids.bus;
    d->vendor = ids.vendor;
    d->product = ids.product;
    config_get(i, SELECT_EVENTS, INPUT_KEY, bits, sizeof(bits));
    d->has_keys = any_bit(bits, sizeof(bits));
    config_get(i, SELECT_EVENTS, INPUT_REL, bits, sizeof(bits));
    d->has_relative = any_bit(bits, sizeof(bits));
    config_get(i, SELECT_EVENTS, INPUT_LED, bits, sizeof(bits));
    d->has_leds = any_bit(bits, sizeof(bits));
    read_axes(i);
    return d->has_keys || d->has_relative || d->has_absolute ? 0 : -ENOTSUP;
}

/* --- events --- */

static phys_t wire_at(const struct virtio_input *i, const void *p)
{
    return i->phys + (phys_t)((const uint8_t *)p - (const uint8_t *)i->wire);
}

/* Lock held. */
static void offer(struct virtio_input *i, struct wire_event *w)
{
    struct virtio_buffer b = {wire_at(i, w), sizeof(*w)};

    virtqueue_add(i->queue[QUEUE_EVENTS], &b, 0, 1, w);
}

static int32_t clamp(int32_t value, const struct input_absolute *a)
{
    return value < a->min ? a->min : value > a->max ? a->max : value;
}

static void take(struct virtio_input *i, const struct wire_event *e)
{
    struct input_device *d = &i->input;
    int32_t value = (int32_t)e->value;

    if (e->type == INPUT_ABS) {
        if (!d->has_absolute || e->code > ABS_Y)
            return;
        value = clamp(value, e->code == ABS_X ? &d->x : &d->y);
    }
    if (e->type == INPUT_SYN && e->code)
        return;
    input_report(d, e->type, e->code, value);
}

/* Lock held. Take what is there, then give the buffers back: no more than the
 * queue holds. */
static void take_all(struct virtio_input *i)
{
    struct virtqueue *q = i->queue[QUEUE_EVENTS];
    struct wire_event *taken[EVENTS];
    uint32_t written;
    unsigned n = 0;

    while (n < EVENTS && (taken[n] = virtqueue_get(q, &written))) {
        struct wire_event e;

        memcpy(&e, taken[n++], sizeof(e));
        if (written == sizeof(e))
            take(i, &e);
        else
            i->odd++;
    }
    for (unsigned k = 0; k < n; k++)
        offer(i, taken[k]);
    virtqueue_kick(q);
}

static void on_events(struct virtqueue *q, void *arg)
{
    struct virtio_input *i = arg;
    irqflags_t flags = spin_lock(&i->lock);
    bool done = i->closing;

    for (unsigned round = 0; round < ROUNDS && !done; round++) {
        take_all(i);
        done = virtqueue_enable_callback(q);
    }
    spin_unlock(&i->lock, flags);
    if (!done)
        timer_start(&i->again, clock_now() + STORM_REST);
}

static void on_events_left(struct timer *t)
{
    struct virtio_input *i = container_of(t, struct virtio_input, again);

    on_events(i->queue[QUEUE_EVENTS], i);
}

/* --- LEDs --- */

/* Lock held; nothing is under way. */
static void send_leds(struct virtio_input *i)
{
    static const uint16_t leds[LEDS] = {LED_NUML, LED_CAPSL, LED_SCROLLL};
    struct virtqueue *q = i->queue[QUEUE_STATUS];

    i->lit = i->wanted;
    for (unsigned k = 0; k < STATUSES; k++) {
        struct wire_event *w = &i->wire->status[k];
        struct virtio_buffer b = {wire_at(i, w), sizeof(*w)};

        *w = (struct wire_event){.type = INPUT_SYN};
        if (k < LEDS)
            *w = (struct wire_event){.type = INPUT_LED,
                                     .code = leds[k],
                                     .value = i->lit >> leds[k] & 1};
        if (!virtqueue_add(q, &b, 1, 0, w))
            i->busy++;
    }
    virtqueue_kick(q);
}

static void on_status(struct virtqueue *q, void *arg)
{
    struct virtio_input *i = arg;
    irqflags_t flags = spin_lock(&i->lock);

    do {
        while (virtqueue_get(q, NULL))
            i->busy--;
    } while (!virtqueue_enable_callback(q));
    if (!i->busy && i->wanted != i->lit && !i->closing)
        send_leds(i);
    spin_unlock(&i->lock, flags);
}

static void set_leds(struct input_device *d, unsigned leds)
{
    struct virtio_input *i = d->driver;
    irqflags_t flags = spin_lock(&i->lock);

    i->wanted = leds;
    if (!i->busy && !i->closing)
        send_leds(i);
    spin_unlock(&i->lock, flags);
}

/* --- the device --- */

static int start_device(struct virtio_input *i)
{
    const struct virtqueue_spec specs[QUEUES] = {
        {.name = "events", .size = EVENTS, .callback = on_events, .arg = i},
        {.name = "status", .size = EVENTS, .callback = on_status, .arg = i},
    };
    int err = virtio_start(i->v, VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX,
                           VIRTIO_F_VERSION_1);

    if (!err)
        err = read_config(i);
    if (!err)
        err = virtio_create_queues(i->v, specs, QUEUES);
    for (unsigned k = 0; k < QUEUES && !err; k++) {
        i->queue[k] = virtio_queue(i->v, k);
        if (virtqueue_free_slots(i->queue[k]) < STATUSES)
            err = -ENOSPC;
    }
    return err;
}

static void start_events(struct virtio_input *i)
{
    irqflags_t flags;
    uint32_t room = virtqueue_free_slots(i->queue[QUEUE_EVENTS]);

    virtio_ready(i->v);
    flags = spin_lock(&i->lock);
    for (unsigned k = 0; k < EVENTS && k < room; k++)
        offer(i, &i->wire->events[k]);
    virtqueue_kick(i->queue[QUEUE_EVENTS]);
    spin_unlock(&i->lock, flags);
}

static struct virtio_input *create(struct virtio_device *v)
{
    struct virtio_input *i = kzalloc(sizeof(*i));

    if (!i)
        return NULL;
    i->phys = frame_alloc(0, FRAME_ZERO);
    if (i->phys == FRAME_NONE) {
        kfree(i);
        return NULL;
    }
    i->v = v;
    i->wire = phys_to_virt(i->phys);
    i->input.driver = i;
    i->input.set_leds = set_leds;
    timer_init(&i->again, on_events_left);
    return i;
}

static void destroy(struct virtio_input *i)
{
    virtio_stop(i->v);
    frame_free(i->phys, 0);
    kfree(i);
}

static int virtio_input_probe(struct device *d)
{
    struct virtio_input *i = create(virtio_device_of(d));
    int err;

    if (!i)
        return -ENOMEM;
    err = start_device(i);
    if (err) {
        destroy(i);
        return err;
    }
    d->driver_data = i;
    input_register(&i->input);
    start_events(i);
    log_info("input", "%s", i->input.name);
    return 0;
}

static void virtio_input_remove(struct device *d)
{
    struct virtio_input *i = d->driver_data;
    irqflags_t flags = spin_lock(&i->lock);

    i->closing = true;
    spin_unlock(&i->lock, flags);
    virtio_quiesce(i->v); /* no interrupt comes from here on */
    timer_cancel_sync(&i->again);
    input_unregister(&i->input);
    destroy(i);
}

static void virtio_input_describe(const struct device *d,
                                  struct device_report *r)
{
    const struct virtio_input *i = d->driver_data;

    device_report_number(r, "input", i->input.id);
    device_report_text(r, "model", i->input.name);
    device_report_number(r, "events", i->input.events);
    device_report_number(r, "bad_events", i->odd);
}

static const struct virtio_id ids[] = {{VIRTIO_INPUT}, {0}};

DRIVER(virtio_input, .bus = &virtio_bus, .ids = ids,
       .probe = virtio_input_probe, .remove = virtio_input_remove,
       .describe = virtio_input_describe);
