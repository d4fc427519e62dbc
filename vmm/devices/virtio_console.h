/*
 * virtio console with several ports (virtio 1.2 5.3): what its two files share,
 * and what host tests see.
 */
#ifndef VMM_DEVICES_VIRTIO_CONSOLE_H
#define VMM_DEVICES_VIRTIO_CONSOLE_H

#include "vmm/devices/guest_ports.h"
#include "vmm/devices/virtio.h"

/* virtio 1.2 5.3.3 */
#define VCONS_F_SIZE      (UINT64_C(1) << 0)
#define VCONS_F_MULTIPORT (UINT64_C(1) << 1)
#define VCONS_F_EMERGENCY (UINT64_C(1) << 2)

/* virtio 1.2 5.3.2: two queues of the first port, two for control, then two for
 * each further port */
#define VCONS_CONTROL_IN  2 /* to the driver */
#define VCONS_CONTROL_OUT 3

/* virtio 1.2 5.3.6.2: struct virtio_console_control */
struct vcons_message {
    uint32_t id;
    uint16_t event, value;
};

/* virtio 1.2 5.3.6.2: events */
enum {
    VCONS_DEVICE_READY,
    VCONS_PORT_ADD,
    VCONS_PORT_REMOVE,
    VCONS_PORT_READY,
    VCONS_CONSOLE_PORT,
    VCONS_RESIZE,
    VCONS_PORT_OPEN,
    VCONS_PORT_NAME
};

/* What the driver is still to be told about a port, in this order. Bits, not a
 * queue: however often it asks, no more than these wait. */
enum {
    TELL_ADD = 1,
    TELL_CONSOLE = 2,
    TELL_NAME = 4,
    TELL_OPEN = 8,
    TELL_SIZE = 16,
    TELL_END = 32
};

struct vcons_port {
    struct vcons *vcons;
    struct guest_port *host;
    /* vcons->lock: all below */
    bool ready;      /* the driver knows it */
    unsigned tell;   /* TELL_* */
    uint32_t offset; /* of what was taken from the buffer in turn */
};

#define VCONS_PART 1024 /* bytes copied under the lock, at a time */

struct vcons {
    struct virtio_device device;
    struct virtio_model model; /* the number of queues differs */
    struct guest_ports *ports;
    struct spinlock lock;
    /* lock: all below */
    bool active;       /* the driver is ready */
    bool device_ready; /* and has asked for the ports */
    uint32_t size;     /* of the terminal, as the driver was told */
    struct virtio_chain chain;
    uint8_t bytes[VCONS_PART];
    unsigned port_count;
    struct vcons_port port[1 + VM_PORTS_MAX];
};

/* --- virtio_console_control.c: lock held --- */

/* Tell the driver what waits, as far as it has buffers. */
void vcons_tell(struct vcons *v);
/* Take one message of the driver's; false: there is none. */
bool vcons_take_message(struct vcons *v);
/* The terminal's size may have changed. */
void vcons_check_size(struct vcons *v);

/* --- virtio_console.c --- */

/* Of a VM whose guest_ports are made; NULL: no memory. Not on any bus yet. */
struct vcons *vcons_new(struct vm *vm);

#endif
