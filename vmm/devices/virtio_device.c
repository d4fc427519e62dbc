/*
 * What all virtio devices of a guest share, whatever their kind and transport.
 * Any context but NMI.
 */
#include <stdarg.h>
#include <stdatomic.h>

#include <rayos/event.h>
#include <rayos/fmt.h>
#include <rayos/log.h>

#include "vmm/devices/virtio.h"
#include "vmm/vm.h"

static const struct event_field virtio_fields[] = {
    EVENT_FIELD(code, EVENT_U32, "the machine's number"),
    EVENT_FIELD(value, EVENT_I64, "the device's kind (virtio 1.2 section 5)"),
    {0}};

EVENT_TYPE(virtio_broken,
           .doc = "a guest broke the rules of one of its virtio devices, which "
                  "now waits for a reset",
           .fields = virtio_fields);

void virtio_device_init(struct virtio_device *d, const struct virtio_model *m,
                        struct vm *vm, void *state)
{
    *d = (struct virtio_device){
        .model = m, .vm = vm, .memory = vm->memory, .state = state};
    for (uint16_t i = 0; i < m->queue_count; i++) {
        d->queues[i].device = d;
        d->queues[i].index = i;
        d->queues[i].size_max = m->queue_sizes[i];
    }
}

static void reset_queue(struct virtio_queue *q)
{
    irqflags_t flags = spin_lock(&q->lock);

    q->ready = false;
    q->size = q->size_max;
    q->descriptors = q->driver_area = q->device_area = 0;
    q->next_available = q->next_used = q->signalled = 0;
    spin_unlock(&q->lock, flags);
}

void virtio_device_reset(struct virtio_device *d)
{
    for (uint16_t i = 0; i < d->model->queue_count; i++)
        reset_queue(&d->queues[i]);
    d->features = 0;
    d->status = 0;
    d->broken[0] = '\0';
}

void virtio_break(struct virtio_device *d, const char *format, ...)
{
    uint32_t before = atomic_fetch_or(&d->status,
                                      (uint32_t)VIRTIO_STATUS_NEEDS_RESET);
    uint32_t breaks;
    va_list args;

    if (before & VIRTIO_STATUS_NEEDS_RESET)
        return;
    breaks = atomic_fetch_add(&d->breaks, 1) + 1;
    va_start(args, format);
    fmt_vsnprintf(d->broken, sizeof(d->broken), format, args);
    va_end(args);
    if (!(breaks & (breaks - 1))) /* a guest may do that all day */
        log_warn("vm", "%s: %s: %s (for the %u. time)", d->vm->config.name,
                 d->model->name, d->broken, breaks);
    event_raise(&event_type_virtio_broken,
                &(struct event){.code = d->vm->id, .value = d->model->id});
    if (before & VIRTIO_STATUS_DRIVER_OK) /* 2.1.2 */
        d->interrupt(d, VIRTIO_INTERRUPT_CONFIG);
}

void virtio_config_changed(struct virtio_device *d)
{
    atomic_fetch_add(&d->generation, 1);
    if (d->status & VIRTIO_STATUS_DRIVER_OK)
        d->interrupt(d, VIRTIO_INTERRUPT_CONFIG);
}
