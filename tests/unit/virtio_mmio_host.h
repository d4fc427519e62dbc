/*
 * The MMIO window of a virtio device on the host: a VM that only keeps the
 * region and its line, and a model that takes whatever its queues have. Include
 * it in one file of a program.
 */
#ifndef RAYOS_TEST_VIRTIO_MMIO_HOST_H
#define RAYOS_TEST_VIRTIO_MMIO_HOST_H

#include "virtio_driver.h"

#include <rayos/mm.h>
#include <rayos/sync.h>

#include "vmm/vm.h"

#define HOST_QUEUES 2
#define HOST_CONFIG 6 /* bytes */

static struct vm host_vm = {.memory = &driver_memory};
static struct vm_region *host_region;
static struct vm_device *host_owner;
static struct virtio_device host_device;
static bool host_line;
static bool host_wrong; /* a rule of the model's contract was broken */
static unsigned host_notified, host_resets, host_activations;
static uint8_t host_config[HOST_CONFIG];

/* --- what the transport stands on --- */

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

void mutex_init(struct mutex *m)
{
    (void)m;
}

void mutex_lock(struct mutex *m)
{
    (void)m;
}

void mutex_unlock(struct mutex *m)
{
    (void)m;
}

int vm_add_mmio(struct vm *vm, struct vm_region *r)
{
    (void)vm;
    host_region = r;
    return 0;
}

void vm_add_device(struct vm *vm, struct vm_device *d)
{
    host_owner = d;
    d->vm = vm;
}

void vm_set_irq(struct vm *vm, uint32_t gsi, bool level)
{
    (void)vm;
    host_wrong |= gsi != VIRTIO_MMIO_GSI(0);
    host_line = level;
}

void virtio_device_reset(struct virtio_device *d)
{
    for (unsigned i = 0; i < d->model->queue_count; i++) {
        struct virtio_queue *q = &d->queues[i];

        *q = (struct virtio_queue){.device = d,
                                   .index = (uint16_t)i,
                                   .size = d->model->queue_sizes[i],
                                   .size_max = d->model->queue_sizes[i]};
    }
    d->features = 0;
    d->status = 0;
    d->broken[0] = '\0';
}

/* --- the model --- */

static bool host_runs(const struct virtio_device *d)
{
    return (d->status & VIRTIO_STATUS_DRIVER_OK) &&
           (d->status & VIRTIO_STATUS_FEATURES_OK) &&
           (d->features & VIRTIO_F_VERSION_1);
}

static void host_notify(struct virtio_device *d, struct virtio_queue *q)
{
    static struct virtio_chain c;

    host_notified++;
    host_wrong |= !host_runs(d) || !q->ready ||
                  (d->status & VIRTIO_STATUS_NEEDS_RESET);
    for (unsigned i = 0; i < 2u * q->size && virtio_queue_pop(q, &c) == 1; i++)
        virtio_queue_push(q, c.head, c.write_size);
    virtio_queue_signal(q);
}

static void host_config_read(struct virtio_device *d, uint32_t offset,
                             void *out, uint32_t n)
{
    (void)d;
    memcpy(out, host_config + offset, n);
}

static void host_reset(struct virtio_device *d)
{
    host_wrong |= (d->status & VIRTIO_STATUS_DRIVER_OK) != 0;
    host_resets++;
}

static void host_activated(struct virtio_device *d)
{
    host_wrong |= !host_runs(d);
    host_activations++;
}

static void host_destroy(struct virtio_device *d)
{
    (void)d;
}

static const struct virtio_model host_model = {
    .name = "host",
    .id = 42,
    .features = 1,
    .queue_count = HOST_QUEUES,
    .queue_sizes = {8, 8},
    .config_size = HOST_CONFIG,
    .config_read = host_config_read,
    .notify = host_notify,
    .reset = host_reset,
    .activated = host_activated,
    .destroy = host_destroy,
};

/* --- for tests --- */

static void host_begin(void)
{
    memset(driver_memory.ram, 0, 0x8000);
    memcpy(host_config, "config", HOST_CONFIG);
    host_line = host_wrong = false;
    host_notified = host_resets = host_activations = 0;
    host_device = (struct virtio_device){
        .model = &host_model, .vm = &host_vm, .memory = &driver_memory};
    CHECK_EQ(virtio_mmio_attach(&host_vm, &host_device), 0);
}

static void host_end(void)
{
    host_owner->ops->destroy(host_owner);
}

static __attribute__((unused)) void host_read(uint32_t offset, unsigned size,
                                              uint64_t *value)
{
    host_region->read(NULL, host_region->device, offset, size, value);
}

static __attribute__((unused)) void host_write(uint32_t offset, unsigned size,
                                               uint64_t value)
{
    host_region->write(NULL, host_region->device, offset, size, value);
}

#endif
