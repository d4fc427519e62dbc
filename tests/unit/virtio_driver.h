/*
 * A virtio driver for tests of devices: rings in a small guest memory of its
 * own, chains made by hand, also wrong ones. Provides the kernel functions that
 * vmm/devices/virtio_queue.c stands on; include it in one file of a program.
 */
#ifndef RAYOS_TEST_VIRTIO_DRIVER_H
#define RAYOS_TEST_VIRTIO_DRIVER_H

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#include "vmm/devices/virtio.h"

#define DRIVER_RAM (1u << 20)
#ifndef DRIVER_RING
#define DRIVER_RING 8
#endif

struct guest_memory {
    uint8_t ram[DRIVER_RAM];
};

static struct guest_memory driver_memory;
static unsigned driver_interrupts[3]; /* by VIRTIO_INTERRUPT_* */

static bool driver_has(gpa_t gpa, size_t n)
{
    return gpa <= DRIVER_RAM && n <= DRIVER_RAM - gpa;
}

int guest_read(const struct guest_memory *m, gpa_t gpa, void *out, size_t n)
{
    if (!driver_has(gpa, n))
        return -EFAULT;
    memcpy(out, m->ram + gpa, n);
    return 0;
}

int guest_write(struct guest_memory *m, gpa_t gpa, const void *data, size_t n)
{
    if (!driver_has(gpa, n))
        return -EFAULT;
    memcpy(m->ram + gpa, data, n);
    return 0;
}

int guest_load16(const struct guest_memory *m, gpa_t gpa, uint16_t *out)
{
    return gpa % 2 ? -EFAULT : guest_read(m, gpa, out, sizeof(*out));
}

int guest_store16(struct guest_memory *m, gpa_t gpa, uint16_t v)
{
    return gpa % 2 ? -EFAULT : guest_write(m, gpa, &v, sizeof(v));
}

void virtio_break(struct virtio_device *d, const char *format, ...)
{
    va_list args;

    d->status |= VIRTIO_STATUS_NEEDS_RESET;
    va_start(args, format);
    vsnprintf(d->broken, sizeof(d->broken), format, args);
    va_end(args);
}

void virtio_config_changed(struct virtio_device *d)
{
    d->generation++;
    d->interrupt(d, VIRTIO_INTERRUPT_CONFIG);
}

static __attribute__((unused)) void driver_interrupt(struct virtio_device *d,
                                                     uint32_t bits)
{
    (void)d;
    driver_interrupts[bits]++;
}

/* --- one queue, as the driver sees it --- */

#define DRIVER_NEXT     1
#define DRIVER_WRITE    2
#define DRIVER_INDIRECT 4

struct driver_descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct driver_available {
    uint16_t flags, index, ring[DRIVER_RING], used_event;
};

struct driver_used {
    uint16_t flags, index;
    struct {
        uint32_t id, length;
    } ring[DRIVER_RING];
    uint16_t available_event;
};

struct driver_queue {
    struct virtio_queue *q;
    struct driver_descriptor *table;
    struct driver_available *available;
    struct driver_used *used;
    uint16_t seen; /* of used->index */
};

/* Rings of DRIVER_RING entries in the page at `base`. */
static __attribute__((unused)) struct driver_queue
driver_queue_at(struct virtio_device *d, unsigned index, gpa_t base)
{
    struct driver_queue r = {
        .q = &d->queues[index],
        .table = (void *)(driver_memory.ram + base),
        .available = (void *)(driver_memory.ram + base + 0x400),
        .used = (void *)(driver_memory.ram + base + 0x800),
    };

    memset(driver_memory.ram + base, 0, 0x1000);
    r.q->device = d;
    r.q->index = (uint16_t)index;
    r.q->size = r.q->size_max = DRIVER_RING;
    r.q->descriptors = base;
    r.q->driver_area = base + 0x400;
    r.q->device_area = base + 0x800;
    r.q->next_available = r.q->next_used = r.q->signalled = 0;
    r.q->ready = true;
    return r;
}

/* At page `index` of the memory, behind the first. */
static __attribute__((unused)) struct driver_queue
driver_queue_make(struct virtio_device *d, unsigned index)
{
    return driver_queue_at(d, index, 0x1000u * (index + 1));
}

static __attribute__((unused)) void
driver_describe(struct driver_queue *r, unsigned i, gpa_t address,
                uint32_t length, unsigned flags, unsigned next)
{
    r->table[i] = (struct driver_descriptor){address, length, (uint16_t)flags,
                                             (uint16_t)next};
}

static __attribute__((unused)) void driver_offer(struct driver_queue *r,
                                                 unsigned head)
{
    r->available->ring[r->available->index % DRIVER_RING] = (uint16_t)head;
    r->available->index++;
}

/* The next used entry; false: none. */
static __attribute__((unused)) bool driver_take(struct driver_queue *r,
                                                uint32_t *id, uint32_t *length)
{
    if (r->seen == r->used->index)
        return false;
    *id = r->used->ring[r->seen % DRIVER_RING].id;
    *length = r->used->ring[r->seen % DRIVER_RING].length;
    r->seen++;
    return true;
}

#endif
