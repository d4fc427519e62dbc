/*
 * The insides of a split virtqueue (virtio 1.2 2.7), for the files of this
 * directory and for the tests. Drivers use <rayos/virtio.h>.
 *
 * Memory that the device writes is read once, into a copy, and checked.
 * What is needed to take a chain apart again (who follows whom, how many bytes
 * the device may write, whose it is) is kept beside the rings, in memory that
 * the device is never told of: whatever it writes into the rings, our own state
 * stays right.
 */
#ifndef DRIVERS_VIRTIO_VIRTQUEUE_H
#define DRIVERS_VIRTIO_VIRTQUEUE_H

#include <rayos/virtio.h>

#define VIRTQUEUE_SIZE_MAX 1024 /* descriptors that we use at most */

/* virtio 1.2 2.7.5: descriptor table */
struct vring_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};

#define VRING_DESC_NEXT     1u
#define VRING_DESC_WRITE    2u
#define VRING_DESC_INDIRECT 4u

/* virtio 1.2 2.7.6: written by us; behind ring[size] lies used_event */
struct vring_avail {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[];
};

#define VRING_AVAIL_NO_INTERRUPT 1u

struct vring_used_element {
    uint32_t id;
    uint32_t len;
};

/* virtio 1.2 2.7.8: written by the device; behind ring[size] avail_event */
struct vring_used {
    uint16_t flags;
    uint16_t index;
    struct vring_used_element ring[];
};

#define VRING_USED_NO_NOTIFY 1u

/* What we know of a descriptor, or, in its first one, of a chain. */
struct virtqueue_slot {
    void *cookie;      /* first of a chain that the device has; else NULL */
    uint32_t writable; /* bytes that the device may write */
    uint16_t count;    /* descriptors of the chain */
    uint16_t next;     /* in the chain, or in the list of free ones */
    uint16_t table;    /* indirect table in use, or VIRTQUEUE_NO_TABLE */
};

/* Lock: the driver's, for everything that changes. */
struct virtqueue {
    struct virtio_device *device;
    const char *name;
    virtqueue_callback_t callback;
    void *arg;
    uint16_t index; /* which of the device's queues */
    uint16_t size;  /* descriptors; a power of two */

    struct vring_desc *desc;
    struct vring_avail *avail;
    struct vring_used *used;
    uint16_t *used_event;        /* where we say when to interrupt */
    const uint16_t *avail_event; /* where the device says when to notify */
    bool event_index, exact_lengths;

    struct virtqueue_slot *slots; /* `size` of them */
    uint16_t free_head, free_count;
    uint16_t in_flight;   /* chains that the device has */
    uint16_t avail_index; /* next entry of the avail ring that we write */
    uint16_t kicked;      /* avail_index at the last kick */
    uint16_t last_used;   /* next entry of the used ring that we read */
    uint16_t detach_at;

    /* Indirect tables: a stack of free ones. */
    struct vring_desc *tables;
    phys_t tables_phys;
    uint16_t table_length; /* descriptors of a table; 0: no tables */
    uint16_t table_free;
    uint16_t *table_stack;

    /* The allocator's (virtio.c) and the transport's. */
    phys_t ring_phys;
    unsigned ring_order, tables_order;
    void *notify_at;
};

/* Offsets inside the memory of a ring. The used ring begins a page, as the
 * legacy interface demands (virtio 1.2 2.7.2). */
static inline size_t virtqueue_avail_offset(uint16_t size)
{
    return sizeof(struct vring_desc) * size;
}

static inline size_t virtqueue_used_offset(uint16_t size)
{
    return ALIGN_UP(virtqueue_avail_offset(size) + sizeof(struct vring_avail) +
                        sizeof(uint16_t) * ((size_t)size + 1),
                    (size_t)PAGE_SIZE);
}

static inline size_t virtqueue_bytes(uint16_t size)
{
    return virtqueue_used_offset(size) + sizeof(struct vring_used) +
           sizeof(struct vring_used_element) * size + sizeof(uint16_t);
}

/*
 * Prepare a queue whose `device`, `size`, `slots` and, if it is to have any,
 * `tables`, `tables_phys`, `table_length`, `table_free` (their number) and
 * `table_stack` (room for as many) are set. `ring`: virtqueue_bytes() of zeroed
 * memory. Features of the device decide about event index and lengths.
 */
void virtqueue_init(struct virtqueue *q, void *ring);

#endif
