/*
 * The legacy interface of virtio over PCI, of transitional devices and of old
 * ones (virtio 1.2 4.1.4.8): I/O ports in BAR 0. Thread context, but notify:
 * any.
 */
#include "virtio.h"

#include <errno.h>

#include <arch/cpu.h>

#include "virtqueue.h"

#define REG_FEATURES        0
#define REG_DRIVER_FEATURES 4
#define REG_QUEUE_FRAME     8
#define REG_QUEUE_SIZE      12
#define REG_QUEUE_SELECT    14
#define REG_QUEUE_NOTIFY    16
#define REG_STATUS          18
#define REG_ISR             19
#define REG_CONFIG_VECTOR   20 /* only while MSI-X is on */
#define REG_QUEUE_VECTOR    22
#define REG_CONFIG          20
#define REG_CONFIG_MSIX     24

#define ISR_QUEUE  1u
#define ISR_CONFIG 2u

static uint16_t port_of(struct virtio_device *v, uint32_t reg)
{
    return (uint16_t)(virtio_pci_of(v)->port + reg);
}

static uint8_t legacy_get_status(struct virtio_device *v)
{
    return arch_in8(port_of(v, REG_STATUS));
}

static void legacy_set_status(struct virtio_device *v, uint8_t status)
{
    arch_out8(port_of(v, REG_STATUS), status);
}

static uint64_t legacy_get_features(struct virtio_device *v)
{
    return arch_in32(port_of(v, REG_FEATURES));
}

static void legacy_set_features(struct virtio_device *v, uint64_t features)
{
    arch_out32(port_of(v, REG_DRIVER_FEATURES), (uint32_t)features);
}

/* There is none: what changes while it is read is read wrong. */
static uint8_t legacy_config_generation(struct virtio_device *v)
{
    (void)v;
    return 0;
}

static uint32_t config_base(struct virtio_device *v)
{
    return virtio_pci_of(v)->msix ? REG_CONFIG_MSIX : REG_CONFIG;
}

static void legacy_config_read(struct virtio_device *v, uint32_t offset,
                               void *out, uint32_t size)
{
    uint32_t limit = virtio_pci_of(v)->port_size, base = config_base(v);
    uint8_t *to = out;

    for (uint32_t i = 0; i < size; i++) {
        uint64_t at = (uint64_t)base + offset + i;

        to[i] = at < limit ? arch_in8(port_of(v, (uint32_t)at)) : 0;
    }
}

static void legacy_config_write(struct virtio_device *v, uint32_t offset,
                                const void *data, uint32_t size)
{
    uint32_t limit = virtio_pci_of(v)->port_size, base = config_base(v);
    const uint8_t *from = data;

    for (uint32_t i = 0; i < size && (uint64_t)base + offset + i < limit; i++)
        arch_out8(port_of(v, base + offset + i), from[i]);
}

static uint32_t legacy_queue_max(struct virtio_device *v, uint32_t index)
{
    arch_out16(port_of(v, REG_QUEUE_SELECT), (uint16_t)index);
    return arch_in16(port_of(v, REG_QUEUE_SIZE));
}

static int legacy_queue_enable(struct virtio_device *v, struct virtqueue *q)
{
    struct virtio_pci *p = virtio_pci_of(v);
    uint16_t vector = virtio_pci_queue_vector(p, q);

    if (q->ring_phys >> PAGE_SHIFT > UINT32_MAX)
        return -ENOMEM; /* the register is 32 bits wide */
    arch_out16(port_of(v, REG_QUEUE_SELECT), q->index);
    if (p->msix) {
        arch_out16(port_of(v, REG_QUEUE_VECTOR), vector);
        if (arch_in16(port_of(v, REG_QUEUE_VECTOR)) != vector)
            return -EIO;
    }
    arch_out32(port_of(v, REG_QUEUE_FRAME),
               (uint32_t)(q->ring_phys >> PAGE_SHIFT));
    return 0;
}

static void legacy_notify(struct virtio_device *v, struct virtqueue *q)
{
    arch_out16(port_of(v, REG_QUEUE_NOTIFY), q->index);
}

static bool legacy_acknowledge(struct virtio_pci *p, bool *config)
{
    uint8_t isr = arch_in8(port_of(&p->v, REG_ISR));

    *config = isr & ISR_CONFIG;
    return isr & (ISR_QUEUE | ISR_CONFIG);
}

static int legacy_irq_setup(struct virtio_device *v, unsigned count)
{
    struct virtio_pci *p = virtio_pci_of(v);
    int err = virtio_pci_irq_setup(p, count);

    if (!err && p->msix)
        arch_out16(port_of(v, REG_CONFIG_VECTOR),
                   p->vectors > 1 ? 0 : VIRTIO_NO_VECTOR);
    return err;
}

static void legacy_irq_teardown(struct virtio_device *v)
{
    virtio_pci_irq_teardown(virtio_pci_of(v));
}

static const struct virtio_transport legacy = {
    .name = "pci-legacy",
    .legacy = true,
    .get_status = legacy_get_status,
    .set_status = legacy_set_status,
    .get_features = legacy_get_features,
    .set_features = legacy_set_features,
    .config_generation = legacy_config_generation,
    .config_read = legacy_config_read,
    .config_write = legacy_config_write,
    .queue_max = legacy_queue_max,
    .queue_enable = legacy_queue_enable,
    .notify = legacy_notify,
    .irq_setup = legacy_irq_setup,
    .irq_teardown = legacy_irq_teardown,
    .isolate = virtio_pci_isolate,
};

int virtio_pci_legacy_open(struct virtio_pci *p)
{
    const struct pci_bar *bar = &p->pci->bar[0];

    if (bar->kind != PCI_BAR_IO || !bar->usable || bar->size < REG_CONFIG ||
        bar->base > UINT16_MAX || bar->base + bar->size > UINT16_MAX + 1u)
        return -ENODEV;
    p->port = (uint16_t)bar->base;
    p->port_size = (uint32_t)bar->size;
    p->acknowledge = legacy_acknowledge;
    p->v.transport = &legacy;
    return 0;
}
