/*
 * A virtio console with two ports, and a driver of it: for its test and its
 * fuzzer.
 */
#ifndef RAYOS_TEST_VIRTIO_CONSOLE_HOST_H
#define RAYOS_TEST_VIRTIO_CONSOLE_HOST_H

#include "virtio_driver.h"

#include <rayos/waitq.h>

#include "vmm/devices/virtio_console.h"
#include "vmm/vm.h"

#define HOST_QUEUES 6
#define HOST_DATA   0x20000u /* buffers to fill */

static struct vm host_vm;
static struct virtio_device *host_device;
static struct vcons *host_vcons;
static struct driver_queue host_queues[HOST_QUEUES];

/* --- the kernel below --- */

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void *kalloc(size_t size)
{
    return malloc(size);
}

void kfree(void *p)
{
    free(p);
}

void waitq_init(struct waitq *wq)
{
    list_init(&wq->waiters);
}

bool waitq_wake_all(struct waitq *wq)
{
    (void)wq;
    return false;
}

/* One thread only: nobody would come. */
int waitq_wait(struct waitq *wq, struct spinlock *lock, nstime_t deadline)
{
    (void)wq, (void)lock, (void)deadline;
    return -ETIMEDOUT;
}

int waitq_wait_uncancellable(struct waitq *wq, struct spinlock *lock,
                             nstime_t deadline)
{
    (void)wq, (void)lock, (void)deadline;
    abort();
}

void virtio_device_init(struct virtio_device *d, const struct virtio_model *m,
                        struct vm *vm, void *state)
{
    *d = (struct virtio_device){.model = m,
                                .vm = vm,
                                .state = state,
                                .memory = &driver_memory,
                                .interrupt = driver_interrupt};
}

int virtio_mmio_attach(struct vm *vm, struct virtio_device *d)
{
    (void)vm, (void)d;
    return -ENOSPC;
}

/* --- the driver --- */

static void host_begin(uint64_t features)
{
    memset(&host_vm, 0, sizeof(host_vm));
    host_vm.config.has_console = true;
    host_vm.config.port_count = 1;
    strcpy(host_vm.config.ports[0], GUEST_AGENT);
    if (guest_ports_make(&host_vm))
        abort();
    host_vcons = vcons_new(&host_vm);
    host_device = &host_vcons->device;
    memset(driver_interrupts, 0, sizeof(driver_interrupts));
    for (unsigned i = 0; i < HOST_QUEUES; i++)
        host_queues[i] = driver_queue_make(host_device, i);
    host_device->features = features;
    host_device->status |= VIRTIO_STATUS_DRIVER_OK;
    host_device->model->activated(host_device);
}

/* The device goes, its ports stay. */
static void host_leave(void)
{
    host_device->model->reset(host_device);
    host_device->model->destroy(host_device);
}

static void host_end(void)
{
    host_leave();
    guest_ports_free(host_vm.guest_ports);
}

/* As the transport does. */
static void host_notify(unsigned queue)
{
    if (!(host_device->status & VIRTIO_STATUS_NEEDS_RESET))
        host_device->model->notify(host_device, host_queues[queue].q);
}

static __attribute__((unused)) bool host_broken(void)
{
    return host_device->status & VIRTIO_STATUS_NEEDS_RESET;
}

static gpa_t host_data(unsigned queue, unsigned i)
{
    return HOST_DATA + queue * 0x4000 + i * 0x400;
}

/* A buffer for the device to fill. */
static __attribute__((unused)) void host_buffer(unsigned queue, unsigned i,
                                                uint32_t size)
{
    driver_describe(&host_queues[queue], i, host_data(queue, i), size,
                    DRIVER_WRITE, 0);
    driver_offer(&host_queues[queue], i);
}

/* Bytes that it was filled with, -1: none was. */
static __attribute__((unused)) int host_taken(unsigned queue, char *out)
{
    uint32_t id, length;

    if (!driver_take(&host_queues[queue], &id, &length))
        return -1;
    if (out) {
        memcpy(out, driver_memory.ram + host_data(queue, id), length);
        out[length] = '\0';
    }
    return (int)length;
}

/* A buffer of the driver's; each in its place. */
static __attribute__((unused)) void host_say(unsigned queue, const void *data,
                                             uint32_t size)
{
    struct driver_queue *q = &host_queues[queue];
    unsigned i = q->available->index % DRIVER_RING;
    gpa_t at = 0x80000 + i * 0x8000;

    if (size)
        memcpy(driver_memory.ram + at, data, size);
    driver_describe(q, i, at, size, 0, 0);
    driver_offer(q, i);
    host_notify(queue);
}

static __attribute__((unused)) void host_control(uint32_t id, uint16_t event,
                                                 uint16_t value)
{
    const struct vcons_message m = {id, event, value};

    host_say(VCONS_CONTROL_OUT, &m, sizeof(m));
}

#endif
