/*
 * The modern interface of virtio over PCI (virtio 1.2 4.1): vendor capabilities
 * say in which BARs the structures lie. Each capability is read once and
 * checked against its BAR before it is mapped. Thread context, but notify: any.
 */
#include "virtio.h"

#include <errno.h>

#include <rayos/log.h>

#include "virtqueue.h"

#define CAP_VENDOR 0x09 /* PCI 3.0 appendix H */
#define CAPS_MAX   32   /* vendor capabilities that are looked at */

/* virtio 1.2 4.1.4: struct virtio_pci_cap */
#define CAP_LENGTH       2
#define CAP_TYPE         3
#define CAP_BAR          4
#define CAP_OFFSET       8
#define CAP_SIZE         12
#define CAP_BYTES        16
#define CAP_MULTIPLIER   16 /* of the notify capability */
#define CAP_BYTES_NOTIFY 20

#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_ISR    3
#define TYPE_DEVICE 4

/* virtio 1.2 4.1.4.3: struct virtio_pci_common_cfg */
#define COMMON_FEATURE_SELECT 0
#define COMMON_FEATURE        4
#define COMMON_DRIVER_SELECT  8
#define COMMON_DRIVER_FEATURE 12
#define COMMON_CONFIG_VECTOR  16
#define COMMON_STATUS         20
#define COMMON_GENERATION     21
#define COMMON_QUEUE_SELECT   22
#define COMMON_QUEUE_SIZE     24
#define COMMON_QUEUE_VECTOR   26
#define COMMON_QUEUE_ENABLE   28
#define COMMON_QUEUE_NOTIFY   30
#define COMMON_QUEUE_DESC     32
#define COMMON_QUEUE_DRIVER   40
#define COMMON_QUEUE_DEVICE   48
#define COMMON_BYTES          56

#define ISR_QUEUE  1u /* virtio 1.2 4.1.4.5 */
#define ISR_CONFIG 2u

#define CONFIG_BYTES_MAX 4096

/* --- registers: offsets are below the checked size of their window --- */

static uint8_t read8(const struct virtio_window *w, uint32_t at)
{
    return w->at[at];
}

static uint16_t read16(const struct virtio_window *w, uint32_t at)
{
    return *(volatile uint16_t *)(w->at + at);
}

static uint32_t read32(const struct virtio_window *w, uint32_t at)
{
    return *(volatile uint32_t *)(w->at + at);
}

static void write8(const struct virtio_window *w, uint32_t at, uint8_t x)
{
    w->at[at] = x;
}

static void write16(const struct virtio_window *w, uint32_t at, uint16_t x)
{
    *(volatile uint16_t *)(w->at + at) = x;
}

static void write32(const struct virtio_window *w, uint32_t at, uint32_t x)
{
    *(volatile uint32_t *)(w->at + at) = x;
}

/* virtio 1.2 4.1.3.1: 64-bit fields are two of 32. */
static void write64(const struct virtio_window *w, uint32_t at, uint64_t x)
{
    write32(w, at, (uint32_t)x);
    write32(w, at + 4, (uint32_t)(x >> 32));
}

/* --- the transport --- */

static uint8_t modern_get_status(struct virtio_device *v)
{
    return read8(&virtio_pci_of(v)->common, COMMON_STATUS);
}

static void modern_set_status(struct virtio_device *v, uint8_t status)
{
    write8(&virtio_pci_of(v)->common, COMMON_STATUS, status);
}

static uint64_t modern_get_features(struct virtio_device *v)
{
    const struct virtio_window *w = &virtio_pci_of(v)->common;
    uint64_t low;

    write32(w, COMMON_FEATURE_SELECT, 0);
    low = read32(w, COMMON_FEATURE);
    write32(w, COMMON_FEATURE_SELECT, 1);
    return (uint64_t)read32(w, COMMON_FEATURE) << 32 | low;
}

static void modern_set_features(struct virtio_device *v, uint64_t features)
{
    const struct virtio_window *w = &virtio_pci_of(v)->common;

    write32(w, COMMON_DRIVER_SELECT, 0);
    write32(w, COMMON_DRIVER_FEATURE, (uint32_t)features);
    write32(w, COMMON_DRIVER_SELECT, 1);
    write32(w, COMMON_DRIVER_FEATURE, (uint32_t)(features >> 32));
}

static uint8_t modern_config_generation(struct virtio_device *v)
{
    return read8(&virtio_pci_of(v)->common, COMMON_GENERATION);
}

static uint32_t read_config(const struct virtio_window *w, uint32_t at,
                            uint32_t width)
{
    if (width == 4)
        return read32(w, at);
    return width == 2 ? read16(w, at) : read8(w, at);
}

/* Fields are read at their own width (4.1.3.1), so an aligned half or whole
 * word at once. What lies past the end reads as zero. */
static void modern_config_read(struct virtio_device *v, uint32_t offset,
                               void *out, uint32_t size)
{
    const struct virtio_window *w = &virtio_pci_of(v)->config;
    bool there = offset <= w->size && size <= w->size - offset;
    uint8_t *to = out;

    while (size) {
        uint32_t x = 0, step = 1;

        if (size >= 4 && offset % 4 == 0)
            step = 4;
        else if (size >= 2 && offset % 2 == 0)
            step = 2;
        if (there)
            x = read_config(w, offset, step);
        for (uint32_t i = 0; i < step; i++)
            *to++ = (uint8_t)(x >> 8 * i);
        offset += step;
        size -= step;
    }
}

static void modern_config_write(struct virtio_device *v, uint32_t offset,
                                const void *data, uint32_t size)
{
    const struct virtio_window *w = &virtio_pci_of(v)->config;
    const uint8_t *from = data;

    if (offset > w->size || size > w->size - offset)
        return;
    for (uint32_t i = 0; i < size; i++)
        write8(w, offset + i, from[i]);
}

static uint32_t modern_queue_max(struct virtio_device *v, uint32_t index)
{
    const struct virtio_window *w = &virtio_pci_of(v)->common;

    write16(w, COMMON_QUEUE_SELECT, (uint16_t)index);
    return read16(w, COMMON_QUEUE_SIZE);
}

/* Where the device listens for this queue; NULL: outside of its window. */
static void *notify_address(const struct virtio_pci *p, uint16_t offset)
{
    uint64_t at = (uint64_t)offset * p->notify_multiplier;

    if (at % 2 || at + 2 > p->notify.size)
        return NULL;
    return (void *)(p->notify.at + at);
}

static int modern_queue_enable(struct virtio_device *v, struct virtqueue *q)
{
    struct virtio_pci *p = virtio_pci_of(v);
    const struct virtio_window *w = &p->common;
    uint16_t vector = virtio_pci_queue_vector(p, q);

    write16(w, COMMON_QUEUE_SELECT, q->index);
    write16(w, COMMON_QUEUE_SIZE, q->size);
    q->notify_at = notify_address(p, read16(w, COMMON_QUEUE_NOTIFY));
    if (!q->notify_at)
        return -EPROTO;
    if (p->msix) {
        write16(w, COMMON_QUEUE_VECTOR, vector);
        if (read16(w, COMMON_QUEUE_VECTOR) != vector)
            return -EIO; /* it has no room for that vector */
    }
    write64(w, COMMON_QUEUE_DESC, q->ring_phys);
    write64(w, COMMON_QUEUE_DRIVER,
            q->ring_phys + virtqueue_avail_offset(q->size));
    write64(w, COMMON_QUEUE_DEVICE,
            q->ring_phys + virtqueue_used_offset(q->size));
    write16(w, COMMON_QUEUE_ENABLE, 1);
    return 0;
}

static void modern_notify(struct virtio_device *v, struct virtqueue *q)
{
    (void)v;
    *(volatile uint16_t *)q->notify_at = q->index;
}

/* Reading it takes the interrupt back. */
static bool modern_acknowledge(struct virtio_pci *p, bool *config)
{
    uint8_t isr = read8(&p->isr, 0);

    *config = isr & ISR_CONFIG;
    return isr & (ISR_QUEUE | ISR_CONFIG);
}

static int modern_irq_setup(struct virtio_device *v, unsigned count)
{
    struct virtio_pci *p = virtio_pci_of(v);
    int err = virtio_pci_irq_setup(p, count);

    if (!err && p->msix)
        write16(&p->common, COMMON_CONFIG_VECTOR,
                p->vectors > 1 ? 0 : VIRTIO_NO_VECTOR);
    return err;
}

static void modern_irq_teardown(struct virtio_device *v)
{
    virtio_pci_irq_teardown(virtio_pci_of(v));
}

static const struct virtio_transport modern = {
    .name = "pci",
    .get_status = modern_get_status,
    .set_status = modern_set_status,
    .get_features = modern_get_features,
    .set_features = modern_set_features,
    .config_generation = modern_config_generation,
    .config_read = modern_config_read,
    .config_write = modern_config_write,
    .queue_max = modern_queue_max,
    .queue_enable = modern_queue_enable,
    .notify = modern_notify,
    .irq_setup = modern_irq_setup,
    .irq_teardown = modern_irq_teardown,
    .isolate = virtio_pci_isolate,
};

/* --- capabilities --- */

struct capability {
    uint8_t length, type, bar;
    uint32_t offset, size, multiplier;
};

static struct capability read_capability(const struct pci_device *pci,
                                         uint16_t at)
{
    struct capability c = {
        .length = pci_read8(pci, (uint16_t)(at + CAP_LENGTH)),
        .type = pci_read8(pci, (uint16_t)(at + CAP_TYPE)),
        .bar = pci_read8(pci, (uint16_t)(at + CAP_BAR)),
        .offset = pci_read32(pci, (uint16_t)(at + CAP_OFFSET)),
        .size = pci_read32(pci, (uint16_t)(at + CAP_SIZE)),
    };

    if (c.length >= CAP_BYTES_NOTIFY)
        c.multiplier = pci_read32(pci, (uint16_t)(at + CAP_MULTIPLIER));
    return c;
}

/* Does it lie in a memory BAR that works, aligned and as long as it must be? */
static bool capability_fits(const struct pci_device *pci,
                            const struct capability *c, uint32_t least)
{
    const struct pci_bar *bar;

    if (c->length < CAP_BYTES || c->bar >= PCI_BARS)
        return false;
    bar = &pci->bar[c->bar];
    return bar->kind == PCI_BAR_MEMORY && bar->usable && c->size >= least &&
           c->offset % 4 == 0 && (uint64_t)c->offset + c->size <= bar->size;
}

/* The first usable one counts (4.1.4.1: the device's order is of preference).
 */
static void open_window(struct virtio_pci *p, const struct capability *c,
                        struct virtio_window *w, uint32_t least)
{
    uint32_t size = c->size;

    if (w->at || !capability_fits(p->pci, c, least))
        return;
    if (c->type != TYPE_NOTIFY && size > CONFIG_BYTES_MAX)
        size = CONFIG_BYTES_MAX;
    w->at = pci_map_bar(p->pci, c->bar, c->offset, size);
    w->size = w->at ? size : 0;
    if (w == &p->notify)
        p->notify_multiplier = c->multiplier;
}

static void open_capability(struct virtio_pci *p, const struct capability *c)
{
    if (c->type == TYPE_COMMON)
        open_window(p, c, &p->common, COMMON_BYTES);
    else if (c->type == TYPE_NOTIFY && c->length >= CAP_BYTES_NOTIFY)
        open_window(p, c, &p->notify, 2);
    else if (c->type == TYPE_ISR)
        open_window(p, c, &p->isr, 1);
    else if (c->type == TYPE_DEVICE)
        open_window(p, c, &p->config, 1);
}

int virtio_pci_modern_open(struct virtio_pci *p)
{
    unsigned n = 0;
    uint16_t at;

    for (; n < CAPS_MAX && (at = pci_find_capability(p->pci, CAP_VENDOR, n));
         n++) {
        struct capability c = read_capability(p->pci, at);

        open_capability(p, &c);
    }
    if (!p->common.at || !p->notify.at || !p->isr.at) {
        if (n)
            log_warn("virtio", "%s: its virtio capabilities are damaged",
                     p->pci->dev.name);
        virtio_pci_close(p);
        return -ENODEV;
    }
    p->acknowledge = modern_acknowledge;
    p->v.transport = &modern;
    return 0;
}

void virtio_pci_close(struct virtio_pci *p)
{
    struct virtio_window *windows[] = {&p->common, &p->notify, &p->isr,
                                       &p->config};

    for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
        if (windows[i]->at)
            pci_unmap_bar((void *)windows[i]->at);
        *windows[i] = (struct virtio_window){0};
    }
}
