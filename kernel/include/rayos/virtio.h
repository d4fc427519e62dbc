/*
 * virtio 1.2, the driver's side: transports find devices and put them on the
 * `virtio` bus, drivers talk to them through virtqueues. The device is not
 * trusted: every index and length that it writes is checked, and a device that
 * breaks the rules is broken for good (vq calls answer -EIO) until its driver
 * resets it.
 */
#ifndef RAYOS_VIRTIO_H
#define RAYOS_VIRTIO_H

#include <rayos/device.h>
#include <rayos/spinlock.h>

enum virtio_device_type { /* virtio 1.2 chapter 5 */
                          VIRTIO_NET = 1,
                          VIRTIO_BLOCK = 2,
                          VIRTIO_CONSOLE = 3,
                          VIRTIO_RNG = 4,
                          VIRTIO_BALLOON = 5,
                          VIRTIO_GPU = 16,
                          VIRTIO_INPUT = 18,
};

/* Feature bits of all devices, virtio 1.2 6 */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1     (UINT64_C(1) << 32)
#define VIRTIO_F_RING_RESET    (UINT64_C(1) << 40)

struct virtio_device;
struct virtqueue;

struct virtio_id {
    uint32_t type; /* 0 ends the table */
};

/* What a transport does (drivers/virtio/virtio_pci*.c). */
struct virtio_transport {
    const char *name; /* "pci", "pci-legacy" */
    /* virtio 1.2 4.1.4.8: 32 feature bits, queues of the device's size. */
    bool legacy;
    uint8_t (*get_status)(struct virtio_device *v);
    void (*set_status)(struct virtio_device *v, uint8_t status);
    uint64_t (*get_features)(struct virtio_device *v);
    void (*set_features)(struct virtio_device *v, uint64_t features);
    uint8_t (*config_generation)(struct virtio_device *v);
    void (*config_read)(struct virtio_device *v, uint32_t offset, void *out,
                        uint32_t size);
    void (*config_write)(struct virtio_device *v, uint32_t offset,
                         const void *data, uint32_t size);
    uint32_t (*queue_max)(struct virtio_device *v, uint32_t index);
    int (*queue_enable)(struct virtio_device *v, struct virtqueue *q);
    void (*notify)(struct virtio_device *v, struct virtqueue *q);
    /* Interrupts for `count` queues and for configuration changes. */
    int (*irq_setup)(struct virtio_device *v, unsigned count);
    void (*irq_teardown)(struct virtio_device *v);
    /* It does not answer to a reset: keep it away from all memory. */
    void (*isolate)(struct virtio_device *v);
};

struct virtio_device {
    struct device dev;
    uint32_t type;
    uint64_t features; /* negotiated */
    const struct virtio_transport *transport;
    void *transport_data;
    struct virtqueue **queues;
    uint32_t queue_count;
    /* Interrupt context; NULL: not wanted. */
    void (*config_changed)(struct virtio_device *v);
    _Atomic bool broken;
};

static inline struct virtio_device *virtio_device_of(struct device *d)
{
    return container_of(d, struct virtio_device, dev);
}

extern const struct bus virtio_bus;

/* One stretch of memory in the direct map or of a kspace block: contiguous in
 * physical memory. */
struct virtio_buffer {
    phys_t phys;
    uint32_t length;
};

/* Interrupt context (or, when polled, thread context): there is something to
 * get. */
typedef void (*virtqueue_callback_t)(struct virtqueue *q, void *arg);

/* --- starting: probe of a driver, thread context --- */

/* Reset, ACKNOWLEDGE, DRIVER, features (virtio 1.2 3.1.1). -EPROTO when the
 * device lacks a required one or refuses the choice. */
int virtio_start(struct virtio_device *v, uint64_t wanted, uint64_t required);
/* All queues at once, in order: what each is for, how many descriptors at most
 * (a power of two; the device may have fewer). */
struct virtqueue_spec {
    const char *name;
    uint32_t size;
    virtqueue_callback_t callback; /* NULL: never interrupts */
    void *arg;
    /* Chains of more than a few and of up to so many buffers shall take one
     * descriptor of the ring, when the device can that; 0: do without. */
    uint32_t indirect;
};
int virtio_create_queues(struct virtio_device *v,
                         const struct virtqueue_spec *specs, unsigned count);
/* DRIVER_OK. */
void virtio_ready(struct virtio_device *v);
/* Reset the device and free its interrupts: on return it does nothing any more
 * and no callback runs. What is inside the queues comes back by
 * virtqueue_detach. -EIO: the device does not answer to the reset. */
int virtio_quiesce(struct virtio_device *v);
/* The same, and free the queues. Afterwards virtio_start may be called again.
 */
void virtio_stop(struct virtio_device *v);
struct virtqueue *virtio_queue(struct virtio_device *v, unsigned index);

/* Configuration space; read again while the generation changes. */
void virtio_config_read(struct virtio_device *v, uint32_t offset, void *out,
                        uint32_t size);
void virtio_config_write(struct virtio_device *v, uint32_t offset,
                         const void *data, uint32_t size);

/* --- queues: any context but NMI, one user at a time (the driver's lock) ---
 */

/*
 * First `out` buffers that the device reads, then `in` that it writes. `cookie`
 * (not NULL) comes back from virtqueue_get. 0, -ENOSPC (full), -EINVAL, -EIO
 * (broken).
 */
int virtqueue_add(struct virtqueue *q, const struct virtio_buffer *buffers,
                  unsigned out, unsigned in, void *cookie);
/*
 * The same in steps, for long lists, so that the lock is held for a short time:
 * a table is taken under it, filled by who took it without it (no later than
 * virtio_stop), and added under it, or dropped. Only queues with `indirect`,
 * and devices with that feature, have tables.
 */
#define VIRTQUEUE_NO_TABLE UINT16_MAX
uint16_t virtqueue_take_table(struct virtqueue *q);
/* The i-th buffer, counted from 0 and below the queue's `indirect`. Any
 * context. */
void virtqueue_fill_table(struct virtqueue *q, uint16_t table, unsigned i,
                          struct virtio_buffer buffer, bool writable);
/* All `count` of them are filled, and the device may write so many bytes. As
 * virtqueue_add; after an error the table is still to be dropped. */
int virtqueue_add_table(struct virtqueue *q, uint16_t table, unsigned count,
                        uint32_t writable, void *cookie);
void virtqueue_drop_table(struct virtqueue *q, uint16_t table);
/* Tell the device, if it wants to be told. */
void virtqueue_kick(struct virtqueue *q);
/* A finished buffer's cookie and how many bytes the device says to have written
 * (checked against what it was given); NULL: none now. */
void *virtqueue_get(struct virtqueue *q, uint32_t *written);
/* No callbacks until enabled; enabling answers false when something has come
 * meanwhile (get it, then try again). */
void virtqueue_disable_callback(struct virtqueue *q);
bool virtqueue_enable_callback(struct virtqueue *q);
/* After virtio_stop's reset, or when broken: next cookie still inside; NULL. */
void *virtqueue_detach(struct virtqueue *q);
uint32_t virtqueue_free_slots(const struct virtqueue *q);

#endif
