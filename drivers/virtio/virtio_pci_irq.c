/*
 * Interrupts of virtio's PCI devices: with MSI-X vector 0 is for changes of the
 * configuration and each queue has its own, or, when there are too few, all
 * share vector 1. Without it everything comes by INTx, and the device says in
 * its ISR register whether it was it (virtio 1.2 4.1.4.5). Set-up in thread
 * context, handlers in interrupt context.
 */
#include "virtio.h"

#include <errno.h>

#include <rayos/thread.h>

#include "virtqueue.h"

#define CONFIG_VECTOR 0
#define FIRST_QUEUE   1 /* its vector */

static void call_queue(struct virtqueue *q)
{
    if (q->callback)
        q->callback(q, q->arg);
}

static void call_queues(struct virtio_device *v)
{
    for (uint32_t i = 0; i < v->queue_count; i++)
        call_queue(v->queues[i]);
}

static bool on_queue(void *arg)
{
    call_queue(arg);
    return true;
}

static bool on_all_queues(void *arg)
{
    struct virtio_pci *p = arg;

    call_queues(&p->v);
    return true;
}

static bool on_config(void *arg)
{
    struct virtio_pci *p = arg;

    if (p->v.config_changed)
        p->v.config_changed(&p->v);
    return true;
}

static bool on_line(void *arg)
{
    struct virtio_pci *p = arg;
    bool config = false;

    if (!p->acknowledge(p, &config))
        return false;
    call_queues(&p->v);
    if (config)
        on_config(p);
    return true;
}

uint16_t virtio_pci_queue_vector(const struct virtio_pci *p,
                                 const struct virtqueue *q)
{
    if (!p->msix || !q->callback)
        return VIRTIO_NO_VECTOR;
    if (p->vectors > (int)p->v.queue_count)
        return (uint16_t)(FIRST_QUEUE + q->index);
    return (uint16_t)(p->vectors - 1);
}

static int set_queue_vectors(struct virtio_pci *p, unsigned count)
{
    int err = 0;

    for (unsigned i = 0; i < count && !err; i++)
        err = pci_irq_set(p->pci, FIRST_QUEUE + i, p->v.dev.name, CPU_ANY,
                          on_queue, p->v.queues[i]);
    return err;
}

int virtio_pci_irq_setup(struct virtio_pci *p, unsigned count)
{
    int got = pci_irq_alloc(p->pci, count + 1,
                            1u << PCI_IRQ_MSIX | 1u << PCI_IRQ_INTX);
    int err;

    if (got <= 0)
        return got ? got : -ENODEV;
    pci_enable(p->pci, PCI_ENABLE_MASTER); /* it may have been isolated */
    p->vectors = got;
    p->msix = pci_irq_kind(p->pci) == PCI_IRQ_MSIX;
    if (!p->msix)
        err = pci_irq_set(p->pci, 0, p->v.dev.name, CPU_ANY, on_line, p);
    else if (got == 1) /* for queues only: changes are not told */
        err = pci_irq_set(p->pci, 0, p->v.dev.name, CPU_ANY, on_all_queues, p);
    else
        err = pci_irq_set(p->pci, CONFIG_VECTOR, p->v.dev.name, CPU_ANY,
                          on_config, p);
    if (!err && p->msix && got > (int)count)
        err = set_queue_vectors(p, count);
    else if (!err && p->msix && got > 1)
        err = pci_irq_set(p->pci, (unsigned)got - 1, p->v.dev.name, CPU_ANY,
                          on_all_queues, p);
    if (err)
        virtio_pci_irq_teardown(p);
    return err;
}

void virtio_pci_isolate(struct virtio_device *v)
{
    pci_disable(virtio_pci_of(v)->pci, PCI_ENABLE_MASTER);
}

void virtio_pci_irq_teardown(struct virtio_pci *p)
{
    if (p->vectors > 0)
        pci_irq_free(p->pci);
    p->vectors = 0;
    p->msix = false;
}
