/*
 * virtio over PCI: binds to the PCI function and puts its virtio device on the
 * virtio bus, by the modern interface when it has that, else by the legacy one.
 * Thread context.
 */
#include "virtio.h"

#include <errno.h>

#include <rayos/log.h>
#include <rayos/mm.h>

#define VENDOR_VIRTIO 0x1af4

/* virtio 1.2 4.1.2.1: modern ids tell the type, transitional ones do not. */
#define MODERN_BASE       0x1040
#define TRANSITIONAL_NET  0x1000
#define TRANSITIONAL_LAST 0x103f

static const uint16_t transitional_types[] = {
    [0] = VIRTIO_NET,     [1] = VIRTIO_BLOCK, [2] = VIRTIO_BALLOON,
    [3] = VIRTIO_CONSOLE, [5] = VIRTIO_RNG,
};

/* 0: not known */
static uint32_t type_of(const struct pci_device *pci)
{
    uint32_t n = pci->device - TRANSITIONAL_NET;

    if (pci->device >= MODERN_BASE)
        return pci->device - MODERN_BASE;
    return n < ARRAY_SIZE(transitional_types) ? transitional_types[n] : 0;
}

static int open_interface(struct virtio_pci *p)
{
    int err = virtio_pci_modern_open(p);

    /* virtio 1.2 4.1.3.1: devices with modern ids have no other. */
    if (err == -ENODEV && p->pci->device <= TRANSITIONAL_LAST)
        err = virtio_pci_legacy_open(p);
    return err;
}

static int virtio_pci_probe(struct device *d)
{
    struct pci_device *pci = pci_device_of(d);
    struct virtio_pci *p;
    int err;

    if (!type_of(pci))
        return -ENODEV;
    p = kzalloc(sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->pci = pci;
    p->v.type = type_of(pci);
    p->v.transport_data = p;
    p->v.dev.parent = d;
    d->driver_data = p;
    pci_enable(pci, PCI_ENABLE_IO | PCI_ENABLE_MEMORY | PCI_ENABLE_MASTER);
    err = open_interface(p);
    if (!err) {
        err = virtio_add(&p->v);
        if (err)
            virtio_pci_close(p);
    }
    if (err) {
        log_warn("virtio", "%s is not usable: error %d", d->name, -err);
        pci_disable(pci, PCI_ENABLE_MASTER);
        kfree(p);
    }
    return err;
}

static void virtio_pci_remove(struct device *d)
{
    struct virtio_pci *p = d->driver_data;

    device_remove(&p->v.dev);
    virtio_pci_close(p);
    pci_disable(p->pci, PCI_ENABLE_MASTER);
    kfree(p);
}

static void virtio_pci_describe(const struct device *d, struct device_report *r)
{
    const struct virtio_pci *p = d->driver_data;

    device_report_text(r, "interface", p->v.transport->name);
}

#define MODERN(type)                                             \
    {                                                            \
        .vendor = VENDOR_VIRTIO, .device = MODERN_BASE + (type), \
        .class_code = PCI_ANY                                    \
    }
#define TRANSITIONAL(number)                                            \
    {                                                                   \
        .vendor = VENDOR_VIRTIO, .device = TRANSITIONAL_NET + (number), \
        .class_code = PCI_ANY                                           \
    }

static const struct pci_id virtio_pci_ids[] = {
    TRANSITIONAL(0),
    TRANSITIONAL(1),
    TRANSITIONAL(2),
    TRANSITIONAL(3),
    TRANSITIONAL(5),
    MODERN(VIRTIO_NET),
    MODERN(VIRTIO_BLOCK),
    MODERN(VIRTIO_CONSOLE),
    MODERN(VIRTIO_RNG),
    MODERN(VIRTIO_BALLOON),
    MODERN(VIRTIO_GPU),
    MODERN(VIRTIO_INPUT),
    {0},
};

DRIVER(virtio_pci, .bus = &pci_bus, .ids = virtio_pci_ids,
       .probe = virtio_pci_probe, .remove = virtio_pci_remove,
       .describe = virtio_pci_describe);
