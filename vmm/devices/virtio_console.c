/*
 * virtio console (virtio 1.2 5.3): a terminal and ports for programs. What the
 * guest says goes to the port's console as far as that has room, the rest stays
 * in the driver's buffers; what is typed waits in the console until the driver
 * has a buffer. vCPU threads, and whoever types and reads; one spin lock.
 */
#include "vmm/devices/virtio_console.h"

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "vmm/devices/virtio_stop.h"

#define QUEUE_LENGTH 64

/* 5.3.4 */
struct vcons_config {
    uint16_t columns, rows;
    uint32_t max_ports, emergency;
};

static struct vcons *vcons_of(struct virtio_device *d)
{
    return d->state;
}

/* 5.3.2; the other queue of a port is the next one. */
static struct virtio_queue *input_queue(struct vcons_port *p)
{
    unsigned i = (unsigned)(p - p->vcons->port);

    return &p->vcons->device.queues[i ? 2 * i + 2 : 0];
}

/* NULL: it has no such port, or not without multiport. */
static struct vcons_port *port_of(struct vcons *v, unsigned queue)
{
    unsigned i = queue < VCONS_CONTROL_IN ? 0 : queue / 2 - 1;

    if (i && !virtio_has(&v->device, VCONS_F_MULTIPORT))
        return NULL;
    return i < v->port_count ? &v->port[i] : NULL;
}

/* --- to the driver --- */

/* A port for programs gets nothing while none of them has it open; Linux would
 * throw it away. */
static bool wants_input(const struct vcons_port *p)
{
    struct vcons *v = p->vcons;

    if (!v->active)
        return false;
    if (!virtio_has(&v->device, VCONS_F_MULTIPORT))
        return p == v->port;
    return p->ready && (!p->host->console.lossless || p->host->open);
}

static bool deliver_one(struct vcons_port *p, struct virtio_queue *q)
{
    struct vcons *v = p->vcons;
    size_t n;

    if (virtio_queue_pop(q, &v->chain) <= 0)
        return false;
    n = v->chain.write_size < VCONS_PART ? v->chain.write_size : VCONS_PART;
    n = console_take(&p->host->console, v->bytes, n);
    if (!n || virtio_chain_write(&v->device, &v->chain, 0, v->bytes, n) !=
                  (ssize_t)n) {
        virtio_break(&v->device, "a buffer for input of %u bytes",
                     v->chain.write_size);
        return false;
    }
    virtio_queue_push(q, v->chain.head, (uint32_t)n);
    return true;
}

/* Lock held. At most what the console holds: it ends. */
static void deliver(struct vcons_port *p)
{
    struct virtio_queue *q = input_queue(p);
    bool any = false;

    while (wants_input(p) && console_waiting(&p->host->console) &&
           deliver_one(p, q))
        any = true;
    if (any)
        virtio_queue_signal(q);
}

/* --- from the driver --- */

/* A part of the buffer in turn; false: there is none, or no room. Its own turn
 * of the lock, for interrupts are off under it; so the buffer is given back
 * and looked at anew while more of it is left. */
static bool take_part(struct vcons_port *p, struct virtio_queue *q)
{
    struct vcons *v = p->vcons;
    struct console *c = &p->host->console;
    irqflags_t flags = spin_lock(&v->lock);
    size_t room = v->active ? console_room(c) : 0;
    bool got = room && virtio_queue_pop(q, &v->chain) > 0;
    ssize_t n;

    if (got) {
        n = virtio_chain_read(&v->device, &v->chain, p->offset, v->bytes,
                              room < VCONS_PART ? room : VCONS_PART);
        if (n < 0 || (n == 0 && p->offset < v->chain.read_size)) {
            virtio_break(&v->device, "a buffer of output is not in RAM");
            n = 0;
            got = false;
        }
        console_output(c, v->bytes, (size_t)n);
        p->offset += (uint32_t)n;
        if (p->offset < v->chain.read_size) {
            virtio_queue_unpop(q, 1);
        } else {
            virtio_queue_push(q, v->chain.head, 0);
            p->offset = 0;
        }
    }
    spin_unlock(&v->lock, flags);
    return got;
}

static void take_output(struct vcons_port *p)
{
    struct virtio_queue *q = input_queue(p) + 1;

    while (take_part(p, q) && !virtio_must_stop(&p->vcons->device))
        ;
    virtio_queue_signal(q);
}

/* --- what makes it move --- */

/* Somebody typed, read, or changed the terminal's size. */
static void port_ready(void *arg)
{
    struct vcons_port *p = arg;
    struct vcons *v = p->vcons;
    irqflags_t flags = spin_lock(&v->lock);

    deliver(p);
    if (v->active) {
        vcons_check_size(v);
        vcons_tell(v);
    }
    spin_unlock(&v->lock, flags);
    take_output(p);
}

/* One message and what it leads to; a turn of the lock. */
static bool take_control(struct vcons *v)
{
    irqflags_t flags = spin_lock(&v->lock);
    bool got = v->active && vcons_take_message(v);

    if (got) {
        vcons_tell(v);
        for (unsigned i = 0; i < v->port_count; i++)
            deliver(&v->port[i]);
    }
    spin_unlock(&v->lock, flags);
    return got;
}

static void notify_control(struct vcons *v, unsigned queue)
{
    irqflags_t flags;

    if (!virtio_has(&v->device, VCONS_F_MULTIPORT))
        return;
    if (queue == VCONS_CONTROL_OUT) {
        while (take_control(v) && !virtio_must_stop(&v->device))
            ;
        virtio_queue_signal(&v->device.queues[VCONS_CONTROL_OUT]);
        return;
    }
    flags = spin_lock(&v->lock);
    if (v->active)
        vcons_tell(v);
    spin_unlock(&v->lock, flags);
}

static void notify(struct virtio_device *d, struct virtio_queue *q)
{
    struct vcons *v = vcons_of(d);
    struct vcons_port *p;
    irqflags_t flags;

    if (q->index == VCONS_CONTROL_IN || q->index == VCONS_CONTROL_OUT) {
        notify_control(v, q->index);
        return;
    }
    p = port_of(v, q->index);
    if (!p)
        return;
    if (q->index % 2) {
        take_output(p);
        return;
    }
    flags = spin_lock(&v->lock);
    deliver(p);
    spin_unlock(&v->lock, flags);
}

/* --- the model --- */

static void config_read(struct virtio_device *d, uint32_t offset, void *out,
                        uint32_t n)
{
    const struct vcons *v = vcons_of(d);
    const struct vcons_config c = {
        .columns = (uint16_t)v->ports->size,
        .rows = (uint16_t)(v->ports->size >> 16),
        .max_ports = v->port_count,
    };

    memcpy(out, (const uint8_t *)&c + offset, n);
}

/* A guest that can do nothing else writes a byte there. */
static void config_write(struct virtio_device *d, uint32_t offset,
                         const void *data, uint32_t n)
{
    struct vcons *v = vcons_of(d);

    if (offset == offsetof(struct vcons_config, emergency) && n)
        console_output(&v->port[0].host->console, data, 1);
}

static void activated(struct virtio_device *d)
{
    struct vcons *v = vcons_of(d);
    irqflags_t flags = spin_lock(&v->lock);

    v->active = true;
    v->size = v->ports->size;
    spin_unlock(&v->lock, flags);
}

static void reset(struct virtio_device *d)
{
    struct vcons *v = vcons_of(d);
    irqflags_t flags = spin_lock(&v->lock);

    v->active = v->device_ready = false;
    for (unsigned i = 0; i < v->port_count; i++) {
        struct vcons_port *p = &v->port[i];

        p->ready = false;
        p->tell = p->offset = 0;
        p->host->open = false;
        if (p->host->console.lossless)
            console_drop_input(&p->host->console);
    }
    spin_unlock(&v->lock, flags);
}

static void destroy(struct virtio_device *d)
{
    struct vcons *v = vcons_of(d);

    for (unsigned i = 0; i < v->port_count; i++)
        console_detach(&v->port[i].host->console);
    kfree(v);
}

static const struct virtio_model model = {
    .name = "virtio-console",
    .id = VIRTIO_ID_CONSOLE,
    .features = VCONS_F_SIZE | VCONS_F_MULTIPORT | VCONS_F_EMERGENCY,
    .config_size = sizeof(struct vcons_config),
    .config_read = config_read,
    .config_write = config_write,
    .activated = activated,
    .notify = notify,
    .reset = reset,
    .destroy = destroy,
};

_Static_assert(2 * (1 + VM_PORTS_MAX) + 2 <= VIRTIO_QUEUES_MAX,
               "each port has two queues");

struct vcons *vcons_new(struct vm *vm)
{
    struct vcons *v = kzalloc(sizeof(*v));

    if (!v)
        return NULL;
    v->ports = vm->guest_ports;
    v->port_count = v->ports->count;
    v->model = model;
    v->model.queue_count = (uint16_t)(2 * v->port_count + 2);
    for (unsigned i = 0; i < v->model.queue_count; i++)
        v->model.queue_sizes[i] = QUEUE_LENGTH;
    virtio_device_init(&v->device, &v->model, vm, v);
    for (unsigned i = 0; i < v->port_count; i++) {
        v->port[i] = (struct vcons_port){v, &v->ports->port[i], false, 0, 0};
        console_attach(&v->port[i].host->console, port_ready, &v->port[i]);
    }
    return v;
}

static int vcons_create(struct vm *vm)
{
    int err = 0;
    struct vcons *v;

    if (!vm->config.has_console)
        return 0;
    if (!vm->guest_ports)
        err = guest_ports_make(vm);
    if (err)
        return err;
    v = vcons_new(vm);
    err = v ? virtio_mmio_attach(vm, &v->device) : -ENOMEM;
    if (err && v)
        destroy(&v->device);
    return err;
}

VM_DEVICE_TYPE(virtio_console, .create = vcons_create);
