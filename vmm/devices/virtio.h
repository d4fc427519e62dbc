/*
 * The device's side of virtio 1.2 ("Virtual I/O Device (VIRTIO) Version 1.2"):
 * what a device model implements and what it may call, whatever the transport.
 * The driver is the guest and hostile: descriptors are copied once, checked,
 * and only the copy is used.
 *
 * A model is a file of its own: it fills in struct virtio_device and gives it
 * to virtio_mmio_attach. Notifications and configuration accesses come on a
 * vCPU's thread, several at once; each model has its own lock.
 */
#ifndef VMM_DEVICES_VIRTIO_H
#define VMM_DEVICES_VIRTIO_H

#include <sys/types.h>

#include <rayos/spinlock.h>

#include "vmm/guest_memory.h"

struct vm;
struct virtio_device;

#define VIRTIO_QUEUES_MAX     16
#define VIRTIO_QUEUE_SIZE_MAX 256 /* a power of two; most of all queues */
/* Segments of a chain, direct and indirect together; more breaks the device. */
#define VIRTIO_SEGMENTS_MAX 258

/* virtio 1.2 section 5: device types */
enum virtio_id {
    VIRTIO_ID_NET = 1,
    VIRTIO_ID_BLOCK = 2,
    VIRTIO_ID_CONSOLE = 3,
    VIRTIO_ID_RNG = 4,
    VIRTIO_ID_GPU = 16,
    VIRTIO_ID_INPUT = 18,
};

/* virtio 1.2 section 6: reserved feature bits; the queue code and the transport
 * offer and implement these for every model. */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX     (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1     (UINT64_C(1) << 32)

/* virtio 1.2 2.1: device status */
#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER      2u
#define VIRTIO_STATUS_DRIVER_OK   4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED      128u

/* virtio 1.2 4.2.2, InterruptStatus */
#define VIRTIO_INTERRUPT_USED   1u
#define VIRTIO_INTERRUPT_CONFIG 2u

/* A stretch of a buffer, as the driver described it. Not checked to be RAM:
 * guest_read and its like do that. */
struct virtio_segment {
    gpa_t gpa;
    uint32_t length;
};

/* One buffer of the driver: first what the device may read, then what it may
 * write. */
struct virtio_chain {
    uint16_t head;                  /* index of its first descriptor */
    uint16_t readable, count;       /* segments */
    uint32_t read_size, write_size; /* bytes */
    struct virtio_segment segments[VIRTIO_SEGMENTS_MAX];
};

/* A split virtqueue (virtio 1.2 2.7). */
struct virtio_queue {
    struct virtio_device *device;
    uint16_t index;    /* of the queue in its device */
    uint16_t size_max; /* offered; constant */
    /* Set by the transport while the queue is not ready. */
    uint16_t size;
    gpa_t descriptors, driver_area, device_area;
    _Atomic bool ready;
    struct spinlock lock;
    uint16_t next_available, next_used; /* lock */
    uint16_t signalled;                 /* lock: event index at the last one */
    uint64_t chains, notifications, interrupts; /* counters */
};

struct virtio_model {
    const char *name; /* "virtio-blk" */
    enum virtio_id id;
    uint64_t features; /* its own; reserved ones are added */
    uint16_t queue_count;
    uint16_t queue_sizes[VIRTIO_QUEUES_MAX];
    uint32_t config_size; /* bytes */
    /* Bytes of the configuration space; inside of config_size. Reads of what
     * lies outside give 0, writes there are ignored. config_write may be NULL.
     */
    void (*config_read)(struct virtio_device *d, uint32_t offset, void *out,
                        uint32_t n);
    void (*config_write)(struct virtio_device *d, uint32_t offset,
                         const void *data, uint32_t n);
    /* DRIVER_OK was set: d->features are agreed. May be NULL. */
    void (*activated)(struct virtio_device *d);
    /* Buffers were made available. Only after DRIVER_OK, never after a break.
     */
    void (*notify)(struct virtio_device *d, struct virtio_queue *q);
    /* On return the model works on no memory of the guest any more and has
     * forgotten all chains: those under way are waited for. Also before
     * destroy. */
    void (*reset)(struct virtio_device *d);
    /* Free it; after reset. */
    void (*destroy)(struct virtio_device *d);
    /* The VM pauses or goes on. May be NULL. */
    void (*pause)(struct virtio_device *d, bool paused);
};

struct virtio_device {
    const struct virtio_model *model; /* constant */
    struct vm *vm;
    struct guest_memory *memory;
    void *state; /* the model's */
    struct virtio_queue queues[VIRTIO_QUEUES_MAX];
    uint64_t features;           /* agreed */
    _Atomic uint32_t status;     /* VIRTIO_STATUS_* */
    _Atomic uint32_t generation; /* of the configuration space */
    char broken[96];             /* why it needs a reset; "" */
    _Atomic uint32_t breaks;     /* how often it came to that */
    /* The transport's: VIRTIO_INTERRUPT_* bits. Any context but NMI. */
    void (*interrupt)(struct virtio_device *d, uint32_t bits);
    void *transport;
};

/* --- vmm/devices/virtio_queue.c: any context but NMI; pure but for the guest's
 * memory and d->interrupt, so that host tests and fuzzers run it --- */

/* The next buffer: 1, 0 when there is none (the driver will notify then), or
 * -EPROTO: the driver broke the rules, the device now needs a reset. */
int virtio_queue_pop(struct virtio_queue *q, struct virtio_chain *out);
/* The buffer is used, `written` bytes of its writable part. */
void virtio_queue_push(struct virtio_queue *q, uint16_t head, uint32_t written);
/* Interrupt the driver if it wants to know of what was pushed since. */
void virtio_queue_signal(struct virtio_queue *q);
/* As if the last n pops had not been (network: no room). */
void virtio_queue_unpop(struct virtio_queue *q, uint16_t n);

/* Copy from the readable (to the writable) part of a chain, `offset` bytes
 * behind its start. Bytes copied, less than n at the end of the chain; -EFAULT
 * when a segment is not RAM. */
ssize_t virtio_chain_read(struct virtio_device *d, const struct virtio_chain *c,
                          uint32_t offset, void *out, size_t n);
ssize_t virtio_chain_write(struct virtio_device *d,
                           const struct virtio_chain *c, uint32_t offset,
                           const void *data, size_t n);

/* The driver broke a rule: DEVICE_NEEDS_RESET, an interrupt for the change, and
 * an event `virtio_broken`. Nothing else suffers. Any context but NMI. */
void virtio_break(struct virtio_device *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The configuration space changed: new generation, interrupt. */
void virtio_config_changed(struct virtio_device *d);
static inline bool virtio_has(const struct virtio_device *d, uint64_t feature)
{
    return (d->features & feature) != 0;
}
/* Common part of making and resetting one. */
void virtio_device_init(struct virtio_device *d, const struct virtio_model *m,
                        struct vm *vm, void *state);
void virtio_device_reset(struct virtio_device *d);

/* --- vmm/devices/virtio_mmio.c (virtio 1.2 4.2) --- */

/* Give the device a window and a line of the VM's, and the VM the ownership.
 * While the VM is built (from a VM_DEVICE_TYPE's create). -ENOSPC: the VM has
 * no window left. On failure the device is the caller's still. */
int virtio_mmio_attach(struct vm *vm, struct virtio_device *d);
/* How many windows are taken, from the first on. */
unsigned virtio_mmio_count(const struct vm *vm);

/* Windows of a VM, for the ACPI tables and a command line. */
#define VIRTIO_MMIO_BASE  UINT64_C(0xd0000000)
#define VIRTIO_MMIO_SIZE  UINT64_C(0x1000) /* apart; 0x200 of it are used */
#define VIRTIO_MMIO_COUNT 16
/* I/O APIC pins 16 to 23, two windows each (level, shared). */
#define VIRTIO_MMIO_GSI(i) (16 + (i) % 8)

#endif
