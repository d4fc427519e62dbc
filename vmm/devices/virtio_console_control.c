/*
 * virtio console: the control queues (virtio 1.2 5.3.6.2), by which driver and
 * device speak of ports. vCPU threads and whoever types; lock held.
 */
#include <string.h>

#include "vmm/devices/virtio_console.h"

/* The name and the size follow the message. */
struct told {
    struct vcons_message head;
    char rest[sizeof(((struct guest_port *)0)->name)];
};

_Static_assert(sizeof(struct vcons_message) == 8, "virtio 1.2 5.3.6.2");

/* --- to the driver --- */

/* struct virtio_console_resize: columns, rows */
static uint32_t put_size(const struct vcons *v, char *out)
{
    memcpy(out, &v->size, sizeof(v->size));
    return sizeof(v->size);
}

static uint32_t put_name(const struct vcons_port *p, char *out)
{
    uint32_t n = (uint32_t)strlen(p->host->name);

    memcpy(out, p->host->name, n);
    return n;
}

/* Bytes of the message. */
static uint32_t compose(const struct vcons_port *p, unsigned what,
                        struct told *t)
{
    uint32_t rest = 0;

    t->head.id = (uint32_t)(p - p->vcons->port);
    t->head.value = 1;
    switch (what) {
    case TELL_ADD:
        t->head.event = VCONS_PORT_ADD;
        break;
    case TELL_CONSOLE:
        t->head.event = VCONS_CONSOLE_PORT;
        break;
    case TELL_NAME:
        t->head.event = VCONS_PORT_NAME;
        rest = put_name(p, t->rest);
        break;
    case TELL_SIZE:
        t->head.event = VCONS_RESIZE;
        rest = put_size(p->vcons, t->rest);
        break;
    default: /* our end is always open */
        t->head.event = VCONS_PORT_OPEN;
        break;
    }
    return (uint32_t)sizeof(t->head) + rest;
}

/* false: no buffer, now. */
static bool tell(struct vcons *v, struct vcons_port *p, unsigned what)
{
    struct virtio_queue *q = &v->device.queues[VCONS_CONTROL_IN];
    struct told t;
    uint32_t n;

    if (virtio_queue_pop(q, &v->chain) <= 0)
        return false;
    n = compose(p, what, &t);
    if (virtio_chain_write(&v->device, &v->chain, 0, &t, n) != (ssize_t)n) {
        virtio_break(&v->device, "a buffer for control messages of %u bytes",
                     v->chain.write_size);
        return false;
    }
    virtio_queue_push(q, v->chain.head, n);
    p->tell &= ~what;
    return true;
}

void vcons_tell(struct vcons *v)
{
    bool any = false;

    for (unsigned i = 0; i < v->port_count; i++)
        for (unsigned what = TELL_ADD; what < TELL_END; what <<= 1) {
            if (!(v->port[i].tell & what))
                continue;
            if (!tell(v, &v->port[i], what))
                goto out;
            any = true;
        }
out:
    if (any)
        virtio_queue_signal(&v->device.queues[VCONS_CONTROL_IN]);
}

void vcons_check_size(struct vcons *v)
{
    if (!virtio_has(&v->device, VCONS_F_SIZE) || v->size == v->ports->size)
        return;
    v->size = v->ports->size;
    if (!virtio_has(&v->device, VCONS_F_MULTIPORT))
        virtio_config_changed(&v->device);
    else if (v->port[0].ready)
        v->port[0].tell |= TELL_SIZE;
}

/* --- from the driver --- */

static void device_is_ready(struct vcons *v, bool ready)
{
    if (ready && !v->device_ready)
        for (unsigned i = 0; i < v->port_count; i++)
            v->port[i].tell = TELL_ADD;
    v->device_ready = ready;
}

static void port_is_ready(struct vcons_port *p, bool ready)
{
    bool first = p == p->vcons->port;

    p->ready = ready;
    p->tell = 0;
    if (ready)
        p->tell = TELL_OPEN | (first ? TELL_CONSOLE : TELL_NAME) |
                  (first && p->vcons->size ? TELL_SIZE : 0);
}

/* Who listens next shall not hear what was meant for another. */
static void port_is_open(struct vcons_port *p, bool open)
{
    p->host->open = open;
    if (!open && p->host->console.lossless)
        console_drop_input(&p->host->console);
}

static void take(struct vcons *v, const struct vcons_message *m)
{
    if (m->event == VCONS_DEVICE_READY) {
        device_is_ready(v, m->value == 1);
        return;
    }
    if (m->id >= v->port_count) {
        virtio_break(&v->device, "a control message for port %u", m->id);
        return;
    }
    if (m->event == VCONS_PORT_READY)
        port_is_ready(&v->port[m->id], m->value == 1);
    else if (m->event == VCONS_PORT_OPEN)
        port_is_open(&v->port[m->id], m->value == 1);
    /* 5.3.6.2 knows no other from the driver: not ours to mind. */
}

bool vcons_take_message(struct vcons *v)
{
    struct virtio_queue *q = &v->device.queues[VCONS_CONTROL_OUT];
    struct vcons_message m;

    if (virtio_queue_pop(q, &v->chain) <= 0)
        return false;
    if (virtio_chain_read(&v->device, &v->chain, 0, &m, sizeof(m)) !=
        (ssize_t)sizeof(m)) {
        virtio_break(&v->device, "a control message of %u bytes",
                     v->chain.read_size);
        return false;
    }
    virtio_queue_push(q, v->chain.head, 0);
    take(v, &m);
    return true;
}
