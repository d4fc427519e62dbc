/* What the transports of this directory share. Thread context unless said. */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include <rayos/pci.h>
#include <rayos/virtio.h>

struct virtqueue;

/* Put a device, whose type, transport and parent are set, on the bus under a
 * free name. */
int virtio_add(struct virtio_device *v);

/* --- PCI, virtio 1.2 4.1 --- */

/* The queue has no vector of its own (4.1.5.1.2). */
#define VIRTIO_NO_VECTOR 0xffffu

/* A stretch of a BAR, mapped; NULL: not there. */
struct virtio_window {
    volatile uint8_t *at;
    uint32_t size;
};

struct virtio_pci {
    struct virtio_device v;
    struct pci_device *pci;
    /* Of the modern interface. */
    struct virtio_window common, notify, isr, config;
    uint32_t notify_multiplier;
    /* Of the legacy interface. */
    uint16_t port;
    uint32_t port_size;
    /* Interrupts; constant while there are any. */
    int vectors; /* 0: none */
    bool msix;
    bool (*acknowledge)(struct virtio_pci *p, bool *config); /* INTx */
};

static inline struct virtio_pci *virtio_pci_of(struct virtio_device *v)
{
    return container_of(v, struct virtio_pci, v);
}

/* -ENODEV: it does not have that interface; or why it is not usable. */
int virtio_pci_modern_open(struct virtio_pci *p);
int virtio_pci_legacy_open(struct virtio_pci *p);
/* Undo, for either. */
void virtio_pci_close(struct virtio_pci *p);

/* virtio_pci_irq.c: for `count` queues; reads nothing of the device. */
int virtio_pci_irq_setup(struct virtio_pci *p, unsigned count);
void virtio_pci_irq_teardown(struct virtio_pci *p);
/* Take bus mastering away: it reaches no memory any more. */
void virtio_pci_isolate(struct virtio_device *v);
/* Vector of a queue, VIRTIO_NO_VECTOR: none (INTx). */
uint16_t virtio_pci_queue_vector(const struct virtio_pci *p,
                                 const struct virtqueue *q);

#endif
