/*
 * Split virtqueues, the device's side (virtio 1.2 2.7). Every descriptor is
 * copied once and only the copy is looked at; a driver that breaks a rule
 * breaks its own device. Any context but NMI.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "vmm/devices/virtio.h"

/* 2.7.5: descriptors */
#define DESC_SIZE     16u
#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

/* 2.7.6, 2.7.8: both rings begin with flags and an index of 16 bits */
#define RING_INDEX          2
#define RING_ENTRIES        4
#define USED_SIZE           8u
#define AVAILABLE_NO_SIGNAL 1u

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

struct used {
    uint32_t id, length;
};

/* A table of descriptors, and how many of them were walked. */
struct walk {
    struct virtio_queue *q;
    struct virtio_chain *chain;
    gpa_t table;
    uint32_t entries;
};

static int broken(struct virtio_queue *q, const char *what, uint64_t value)
{
    virtio_break(q->device, "queue %u: %s (%llu)", q->index, what,
                 (unsigned long long)value);
    return -EPROTO;
}

static gpa_t used_event(const struct virtio_queue *q)
{
    return q->driver_area + RING_ENTRIES + 2 * (gpa_t)q->size;
}

static gpa_t available_event(const struct virtio_queue *q)
{
    return q->device_area + RING_ENTRIES + USED_SIZE * (gpa_t)q->size;
}

static int read_descriptor(const struct walk *w, uint32_t i,
                           struct descriptor *out)
{
    if (guest_read(w->q->device->memory, w->table + DESC_SIZE * (gpa_t)i, out,
                   sizeof(*out)))
        return broken(w->q, "a descriptor is not in RAM", i);
    return 0;
}

static int add_segment(const struct walk *w, const struct descriptor *d)
{
    struct virtio_chain *c = w->chain;
    bool writable = (d->flags & DESC_WRITE) != 0;
    uint32_t *sum = writable ? &c->write_size : &c->read_size;

    if (c->count == VIRTIO_SEGMENTS_MAX)
        return broken(w->q, "a chain has too many descriptors", c->count);
    if (!writable && c->count != c->readable)
        return broken(w->q, "a readable descriptor follows a writable one",
                      c->count);
    if (d->length > UINT32_MAX - *sum)
        return broken(w->q, "a chain has more than 4 GiB", d->length);
    *sum += d->length;
    c->readable += !writable;
    c->segments[c->count++] = (struct virtio_segment){d->address, d->length};
    return 0;
}

/* All descriptors of one table from `i` on; an indirect one is left in *d. A
 * chain in a circle is longer than its table. */
static int walk_table(const struct walk *w, uint32_t i, struct descriptor *d)
{
    for (uint32_t walked = 0; walked < w->entries; walked++) {
        int err;

        if (i >= w->entries)
            return broken(w->q, "a descriptor's number is too large", i);
        err = read_descriptor(w, i, d);
        if (err || (d->flags & DESC_INDIRECT))
            return err;
        err = add_segment(w, d);
        if (err || !(d->flags & DESC_NEXT))
            return err;
        i = d->next;
    }
    return broken(w->q, "a chain of descriptors has no end", i);
}

/* 2.7.5.3 */
static int walk_indirect(struct walk *w, struct descriptor *d)
{
    if (!virtio_has(w->q->device, VIRTIO_F_INDIRECT_DESC))
        return broken(w->q, "an indirect table that was not agreed", d->length);
    if (d->flags & DESC_NEXT)
        return broken(w->q, "something follows an indirect table", d->next);
    if (!d->length || d->length % DESC_SIZE)
        return broken(w->q, "an indirect table of a wrong length", d->length);
    w->table = d->address;
    w->entries = d->length / DESC_SIZE;
    if (w->entries > VIRTIO_SEGMENTS_MAX)
        return broken(w->q, "an indirect table is too long", w->entries);
    *d = (struct descriptor){0};
    return walk_table(w, 0, d);
}

static int walk_chain(struct virtio_queue *q, uint16_t head,
                      struct virtio_chain *out)
{
    struct walk w = {q, out, q->descriptors, q->size};
    struct descriptor d = {0};
    int err;

    out->head = head;
    out->readable = out->count = 0;
    out->read_size = out->write_size = 0;
    err = walk_table(&w, head, &d);
    if (!err && (d.flags & DESC_INDIRECT)) {
        err = walk_indirect(&w, &d);
        if (!err && (d.flags & DESC_INDIRECT))
            err = broken(q, "an indirect table in an indirect table", head);
    }
    return err ? err : 1;
}

static int pending(struct virtio_queue *q)
{
    uint16_t index;

    if (guest_load16(q->device->memory, q->driver_area + RING_INDEX, &index))
        return broken(q, "the available ring is not in RAM", q->driver_area);
    index -= q->next_available;
    if (index > q->size)
        return broken(q, "the available index jumped", index);
    return index;
}

/* Nothing is left: have the driver notify of the next one, and look again for
 * what came between (2.7.10). */
static int pending_last_look(struct virtio_queue *q)
{
    if (!virtio_has(q->device, VIRTIO_F_EVENT_IDX))
        return 0;
    if (guest_store16(q->device->memory, available_event(q), q->next_available))
        return broken(q, "the used ring is not in RAM", q->device_area);
    atomic_thread_fence(memory_order_seq_cst);
    return pending(q);
}

static int pop(struct virtio_queue *q, struct virtio_chain *out)
{
    uint16_t head;
    int n = pending(q);

    if (n == 0)
        n = pending_last_look(q);
    if (n <= 0)
        return n;
    if (guest_load16(q->device->memory,
                     q->driver_area + RING_ENTRIES +
                         2 * (gpa_t)(q->next_available % q->size),
                     &head))
        return broken(q, "the available ring is not in RAM", q->driver_area);
    n = walk_chain(q, head, out);
    if (n == 1) {
        q->next_available++;
        q->chains++;
    }
    return n;
}

static bool usable(const struct virtio_queue *q)
{
    return q->ready && !(q->device->status & VIRTIO_STATUS_NEEDS_RESET);
}

int virtio_queue_pop(struct virtio_queue *q, struct virtio_chain *out)
{
    irqflags_t flags = spin_lock(&q->lock);
    int n = usable(q) ? pop(q, out) : 0;

    spin_unlock(&q->lock, flags);
    return n;
}

void virtio_queue_unpop(struct virtio_queue *q, uint16_t n)
{
    irqflags_t flags = spin_lock(&q->lock);

    if (q->ready) {
        q->next_available -= n;
        q->chains -= n;
    }
    spin_unlock(&q->lock, flags);
}

static void push(struct virtio_queue *q, uint16_t head, uint32_t written)
{
    const struct used u = {head, written};
    gpa_t at = q->device_area + RING_ENTRIES +
               USED_SIZE * (gpa_t)(q->next_used % q->size);

    if (guest_write(q->device->memory, at, &u, sizeof(u)) ||
        guest_store16(q->device->memory, q->device_area + RING_INDEX,
                      (uint16_t)(q->next_used + 1)))
        broken(q, "the used ring is not in RAM", q->device_area);
    else
        q->next_used++;
}

void virtio_queue_push(struct virtio_queue *q, uint16_t head, uint32_t written)
{
    irqflags_t flags = spin_lock(&q->lock);

    if (usable(q))
        push(q, head, written);
    spin_unlock(&q->lock, flags);
}

/* 2.7.7, 2.7.10: does the driver want to be interrupted? */
static bool wants_signal(struct virtio_queue *q)
{
    struct guest_memory *m = q->device->memory;
    uint16_t before = q->signalled, word;

    q->signalled = q->next_used;
    if (before == q->next_used)
        return false;
    /* What was pushed is seen before we look. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!virtio_has(q->device, VIRTIO_F_EVENT_IDX))
        return !guest_load16(m, q->driver_area, &word) &&
               !(word & AVAILABLE_NO_SIGNAL);
    if (guest_load16(m, used_event(q), &word))
        return false;
    return (uint16_t)(q->next_used - word - 1) <
           (uint16_t)(q->next_used - before);
}

void virtio_queue_signal(struct virtio_queue *q)
{
    irqflags_t flags = spin_lock(&q->lock);
    bool wanted = usable(q) && wants_signal(q);

    q->interrupts += wanted;
    spin_unlock(&q->lock, flags);
    if (wanted)
        q->device->interrupt(q->device, VIRTIO_INTERRUPT_USED);
}

/* --- the bytes of a chain --- */

struct copy {
    const struct virtio_segment *segment, *end;
    uint32_t offset;
};

/* The part of the current segment behind the offset, n at most; 0 at the end.
 */
static size_t next_part(struct copy *c, size_t n, gpa_t *gpa)
{
    while (c->segment < c->end && c->offset >= c->segment->length)
        c->offset -= c->segment++->length;
    if (c->segment == c->end)
        return 0;
    if (n > c->segment->length - c->offset)
        n = c->segment->length - c->offset;
    *gpa = c->segment->gpa + c->offset;
    c->offset += (uint32_t)n;
    return *gpa < c->segment->gpa ? 0 : n;
}

ssize_t virtio_chain_read(struct virtio_device *d, const struct virtio_chain *c,
                          uint32_t offset, void *out, size_t n)
{
    struct copy copy = {c->segments, c->segments + c->readable, offset};
    size_t done = 0, part;
    gpa_t gpa;

    while (done < n && (part = next_part(&copy, n - done, &gpa))) {
        if (guest_read(d->memory, gpa, (uint8_t *)out + done, part))
            return -EFAULT;
        done += part;
    }
    return (ssize_t)done;
}

ssize_t virtio_chain_write(struct virtio_device *d,
                           const struct virtio_chain *c, uint32_t offset,
                           const void *data, size_t n)
{
    struct copy copy = {c->segments + c->readable, c->segments + c->count,
                        offset};
    size_t done = 0, part;
    gpa_t gpa;

    while (done < n && (part = next_part(&copy, n - done, &gpa))) {
        if (guest_write(d->memory, gpa, (const uint8_t *)data + done, part))
            return -EFAULT;
        done += part;
    }
    return (ssize_t)done;
}
