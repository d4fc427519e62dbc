/*
 * virtio over MMIO, the device's side (virtio 1.2 4.2): a window of registers
 * for each device, and a level-triggered line that two windows share. vCPU
 * threads; interrupts from any context but NMI.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <rayos/mm.h>
#include <rayos/sync.h>

#include "vmm/devices/virtio.h"
#include "vmm/vm.h"

/* 4.2.2: registers of 32 bits, little endian */
enum {
    MAGIC = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SEL = 0x024,
    QUEUE_SEL = 0x030,
    QUEUE_SIZE_MAX = 0x034,
    QUEUE_SIZE = 0x038,
    QUEUE_READY = 0x044,
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESCRIPTORS = 0x080,
    QUEUE_DRIVER = 0x090,
    QUEUE_DEVICE = 0x0a0,
    SHM_LENGTH = 0x0b0, /* and base: 4 words, all ones: there is none */
    SHM_END = 0x0c0,
    CONFIG_GENERATION = 0x0fc,
    CONFIG = 0x100,
    WINDOW = 0x200
};

#define MAGIC_VALUE   0x74726976 /* "virt" */
#define VERSION_VALUE 2
#define VENDOR_VALUE  0x53594152 /* "RAYS" */

#define RESERVED_FEATURES \
    (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1)
#define STATUS_DRIVERS                                     \
    (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |    \
     VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK | \
     VIRTIO_STATUS_FAILED)

struct window {
    struct vm_device device;
    struct virtio_device *virtio;
    struct virtio_bus *bus;
    unsigned slot;
    struct vm_region region;
    struct mutex lock;        /* all registers, and calls of the model */
    uint64_t driver_features; /* lock */
    uint32_t device_select, driver_select; /* lock: of the features */
    uint32_t queue_select;                 /* lock */
    uint32_t interrupt_status;             /* bus->lock */
};

struct virtio_bus {
    struct spinlock lock;
    unsigned count;                            /* windows that are taken */
    unsigned live;                             /* and not destroyed yet */
    struct window *windows[VIRTIO_MMIO_COUNT]; /* lock */
};

/* --- the line --- */

/* bus->lock */
static void update_line(struct window *w)
{
    struct virtio_bus *bus = w->bus;
    uint32_t gsi = VIRTIO_MMIO_GSI(w->slot);
    bool level = false;

    for (unsigned i = 0; i < bus->count; i++)
        if (bus->windows[i] && VIRTIO_MMIO_GSI(i) == gsi)
            level |= bus->windows[i]->interrupt_status != 0;
    vm_set_irq(w->virtio->vm, gsi, level);
}

static void interrupt_change(struct window *w, uint32_t set, uint32_t clear)
{
    irqflags_t flags = spin_lock(&w->bus->lock);

    w->interrupt_status = (w->interrupt_status | set) & ~clear;
    update_line(w);
    spin_unlock(&w->bus->lock, flags);
}

static void window_interrupt(struct virtio_device *d, uint32_t bits)
{
    interrupt_change(d->transport, bits, 0);
}

/* --- status (2.1, 3.1) --- */

static uint64_t offered(const struct virtio_device *d)
{
    return d->model->features | RESERVED_FEATURES;
}

/* Lock held, or the VM does not run. */
static void window_reset(struct window *w)
{
    struct virtio_device *d = w->virtio;

    atomic_fetch_and(&d->status, ~(uint32_t)VIRTIO_STATUS_DRIVER_OK);
    d->model->reset(d);
    virtio_device_reset(d);
    w->driver_features = 0;
    w->device_select = w->driver_select = w->queue_select = 0;
    interrupt_change(w, 0, ~0u);
}

/* 3.1.1, step 6: what was not offered, or a driver of before 1.0, is refused by
 * leaving FEATURES_OK out. */
static uint32_t features_agreed(struct window *w, uint32_t value)
{
    struct virtio_device *d = w->virtio;

    if ((w->driver_features & ~offered(d)) ||
        !(w->driver_features & VIRTIO_F_VERSION_1))
        return value & ~VIRTIO_STATUS_FEATURES_OK;
    d->features = w->driver_features;
    return value;
}

static void write_status(struct window *w, uint32_t value)
{
    struct virtio_device *d = w->virtio;
    uint32_t before = d->status;

    if (!value) {
        window_reset(w);
        return;
    }
    /* Bits are only added; NEEDS_RESET is ours. */
    value = (value & STATUS_DRIVERS) | before;
    if (value & ~before & VIRTIO_STATUS_FEATURES_OK)
        value = features_agreed(w, value);
    if (!(value & VIRTIO_STATUS_FEATURES_OK))
        value &= ~VIRTIO_STATUS_DRIVER_OK;
    atomic_fetch_or(&d->status, value);
    if ((value & ~before & VIRTIO_STATUS_DRIVER_OK) && d->model->activated)
        d->model->activated(d);
}

/* --- queues --- */

static struct virtio_queue *selected(struct window *w)
{
    struct virtio_device *d = w->virtio;

    return w->queue_select < d->model->queue_count ? &d->queues[w->queue_select]
                                                   : NULL;
}

/* 2.7: alignment of the three parts */
static void queue_ready(struct virtio_queue *q)
{
    struct virtio_device *d = q->device;
    irqflags_t flags;

    if (!q->size || q->size > q->size_max || (q->size & (q->size - 1))) {
        virtio_break(d, "queue %u: size %u is not a power of two up to %u",
                     q->index, q->size, q->size_max);
        return;
    }
    if (q->descriptors % 16 || q->driver_area % 2 || q->device_area % 4) {
        virtio_break(d, "queue %u: a part is not aligned", q->index);
        return;
    }
    flags = spin_lock(&q->lock);
    q->next_available = q->next_used = q->signalled = 0;
    q->ready = true;
    spin_unlock(&q->lock, flags);
}

static void set_half(gpa_t *address, bool high, uint32_t value)
{
    if (high)
        *address = (*address & UINT32_MAX) | (uint64_t)value << 32;
    else
        *address = (*address & ~(uint64_t)UINT32_MAX) | value;
}

/* Its lock held; addresses and size only before it is ready (4.2.2). */
static void set_queue(struct virtio_queue *q, uint32_t offset, uint32_t value)
{
    if (offset == QUEUE_READY)
        q->ready = false;
    else if (q->ready)
        return;
    else if (offset == QUEUE_SIZE)
        q->size = value > UINT16_MAX ? 0 : (uint16_t)value;
    else if (offset >= QUEUE_DEVICE)
        set_half(&q->device_area, offset != QUEUE_DEVICE, value);
    else if (offset >= QUEUE_DRIVER)
        set_half(&q->driver_area, offset != QUEUE_DRIVER, value);
    else
        set_half(&q->descriptors, offset != QUEUE_DESCRIPTORS, value);
}

/* Completions may be at work on the queue now: under its lock. */
static void write_queue(struct virtio_queue *q, uint32_t offset, uint32_t value)
{
    irqflags_t flags;

    if (!q)
        return;
    if (offset == QUEUE_READY && value) {
        if (!q->ready)
            queue_ready(q);
        return;
    }
    /* Only a reset of the device does that: VIRTIO_F_RING_RESET (2.6.1) is not
     * offered. */
    if (offset == QUEUE_READY && q->ready &&
        (q->device->status & VIRTIO_STATUS_DRIVER_OK)) {
        virtio_break(q->device, "queue %u was taken away without a reset",
                     q->index);
        return;
    }
    flags = spin_lock(&q->lock);
    set_queue(q, offset, value);
    spin_unlock(&q->lock, flags);
}

static void notify(struct window *w, uint32_t index)
{
    struct virtio_device *d = w->virtio;
    uint32_t status = d->status;

    if (index >= d->model->queue_count || !(status & VIRTIO_STATUS_DRIVER_OK) ||
        (status & VIRTIO_STATUS_NEEDS_RESET) || !d->queues[index].ready)
        return;
    d->queues[index].notifications++;
    d->model->notify(d, &d->queues[index]);
}

/* --- registers --- */

static uint32_t read_queue(struct window *w, uint32_t offset)
{
    const struct virtio_queue *q = selected(w);

    if (!q)
        return 0;
    return offset == QUEUE_SIZE_MAX ? q->size_max : q->ready;
}

static uint32_t read_features(struct window *w)
{
    return w->device_select < 2
               ? (uint32_t)(offered(w->virtio) >> 32 * w->device_select)
               : 0;
}

static uint32_t read_register(struct window *w, uint32_t offset)
{
    switch (offset) {
    case MAGIC:
        return MAGIC_VALUE;
    case VERSION:
        return VERSION_VALUE;
    case DEVICE_ID:
        return w->virtio->model->id;
    case VENDOR_ID:
        return VENDOR_VALUE;
    case DEVICE_FEATURES:
        return read_features(w);
    case QUEUE_SIZE_MAX:
    case QUEUE_READY:
        return read_queue(w, offset);
    case INTERRUPT_STATUS:
        return w->interrupt_status;
    case STATUS:
        return w->virtio->status;
    case CONFIG_GENERATION:
        return w->virtio->generation;
    default:
        return offset >= SHM_LENGTH && offset < SHM_END ? UINT32_MAX : 0;
    }
}

static void write_driver_features(struct window *w, uint32_t value)
{
    if (w->driver_select < 2 &&
        !(w->virtio->status & VIRTIO_STATUS_FEATURES_OK))
        set_half(&w->driver_features, w->driver_select == 1, value);
}

static void write_register(struct window *w, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case DEVICE_FEATURES_SEL:
        w->device_select = value;
        break;
    case DRIVER_FEATURES:
        write_driver_features(w, value);
        break;
    case DRIVER_FEATURES_SEL:
        w->driver_select = value;
        break;
    case QUEUE_SEL:
        w->queue_select = value;
        break;
    case QUEUE_NOTIFY:
        notify(w, value);
        break;
    case INTERRUPT_ACK:
        interrupt_change(w, 0, value);
        break;
    case STATUS:
        write_status(w, value);
        break;
    case QUEUE_SIZE:
    case QUEUE_READY:
    case QUEUE_DESCRIPTORS:
    case QUEUE_DESCRIPTORS + 4:
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4:
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4:
        write_queue(selected(w), offset, value);
        break;
    default:
        break;
    }
}

/* 4.2.3.1.1: registers by aligned words only; the configuration by 1, 2, 4
 * (and 8) bytes. */
static bool in_config(const struct window *w, uint32_t offset, unsigned size)
{
    uint32_t end = w->virtio->model->config_size;

    return offset >= CONFIG && offset - CONFIG < end &&
           size <= end - (offset - CONFIG);
}

static enum mmio_result window_read(struct vcpu *v, void *device,
                                    uint64_t offset, unsigned size,
                                    uint64_t *value)
{
    struct window *w = device;
    struct virtio_device *d = w->virtio;

    (void)v;
    *value = 0;
    mutex_lock(&w->lock);
    if (in_config(w, (uint32_t)offset, size))
        d->model->config_read(d, (uint32_t)offset - CONFIG, value, size);
    else if (offset < CONFIG && size == 4 && offset % 4 == 0)
        *value = read_register(w, (uint32_t)offset);
    mutex_unlock(&w->lock);
    return MMIO_HANDLED;
}

static enum mmio_result window_write(struct vcpu *v, void *device,
                                     uint64_t offset, unsigned size,
                                     uint64_t value)
{
    struct window *w = device;
    struct virtio_device *d = w->virtio;

    (void)v;
    mutex_lock(&w->lock);
    if (in_config(w, (uint32_t)offset, size)) {
        if (d->model->config_write)
            d->model->config_write(d, (uint32_t)offset - CONFIG, &value, size);
    } else if (offset < CONFIG && size == 4 && offset % 4 == 0) {
        write_register(w, (uint32_t)offset, (uint32_t)value);
    }
    mutex_unlock(&w->lock);
    return MMIO_HANDLED;
}

/* --- as a device of the VM --- */

static void device_reset(struct vm_device *dev)
{
    window_reset(container_of(dev, struct window, device));
}

static void device_pause(struct vm_device *dev, bool paused)
{
    struct window *w = container_of(dev, struct window, device);

    if (w->virtio->model->pause)
        w->virtio->model->pause(w->virtio, paused);
}

/* The bus goes with its last window. */
static void leave_bus(struct window *w, struct vm *vm)
{
    struct virtio_bus *bus = w->bus;
    irqflags_t flags = spin_lock(&bus->lock);

    bus->windows[w->slot] = NULL;
    spin_unlock(&bus->lock, flags);
    if (--bus->live == 0) {
        vm->virtio = NULL;
        kfree(bus);
    }
}

static void device_destroy(struct vm_device *dev)
{
    struct window *w = container_of(dev, struct window, device);

    window_reset(w);
    w->virtio->model->destroy(w->virtio);
    leave_bus(w, dev->vm);
    kfree(w);
}

static const struct vm_device_ops window_ops = {
    .name = "virtio-mmio",
    .reset = device_reset,
    .destroy = device_destroy,
    .pause = device_pause,
};

static struct virtio_bus *bus_of(struct vm *vm)
{
    if (!vm->virtio)
        vm->virtio = kzalloc(sizeof(*vm->virtio));
    return vm->virtio;
}

/* The window is on the bus, its registers are not mapped yet. */
static void window_init(struct window *w, struct virtio_bus *bus,
                        struct virtio_device *d)
{
    mutex_init(&w->lock);
    w->device.ops = &window_ops;
    w->virtio = d;
    w->bus = bus;
    w->slot = bus->count;
    w->region = (struct vm_region){
        .base = VIRTIO_MMIO_BASE + w->slot * VIRTIO_MMIO_SIZE,
        .size = WINDOW,
        .name = d->model->name,
        .read = window_read,
        .write = window_write,
        .device = w,
    };
    d->transport = w;
    d->interrupt = window_interrupt;
    virtio_device_reset(d);
}

int virtio_mmio_attach(struct vm *vm, struct virtio_device *d)
{
    struct virtio_bus *bus = bus_of(vm);
    struct window *w;
    int err;

    if (!bus)
        return -ENOMEM;
    w = bus->count < VIRTIO_MMIO_COUNT ? kzalloc(sizeof(*w)) : NULL;
    err = w ? 0 : bus->count < VIRTIO_MMIO_COUNT ? -ENOMEM : -ENOSPC;
    if (!err) {
        window_init(w, bus, d);
        err = vm_add_mmio(vm, &w->region);
    }
    if (!err) {
        bus->windows[bus->count++] = w;
        bus->live++;
        vm_add_device(vm, &w->device);
        return 0;
    }
    kfree(w);
    if (!bus->live) {
        vm->virtio = NULL;
        kfree(bus);
    }
    return err;
}

unsigned virtio_mmio_count(const struct vm *vm)
{
    return vm->virtio ? vm->virtio->count : 0;
}
