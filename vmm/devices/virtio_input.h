/* A guest's keyboard or tablet (virtio 1.2 5.8). */
#ifndef VMM_DEVICES_VIRTIO_INPUT_H
#define VMM_DEVICES_VIRTIO_INPUT_H

#include "vmm/devices/input_config.h"
#include "vmm/devices/virtio.h"

struct virtio_input;

struct virtio_input_stats {
    uint64_t events, dropped; /* told to the driver, or not */
    uint32_t waiting;         /* for buffers of the driver's */
    bool ready;               /* a driver uses it */
};

/* The driver lights LEDs (bits 1 << LED_*). On a vCPU's thread; NULL: none. */
typedef void (*virtio_input_leds_t)(void *arg, unsigned leds);

/* One of the VM's, which owns it from then on. -ENOMEM, -ENOSPC. */
int virtio_input_create(struct vm *vm, const struct input_kind *kind,
                        virtio_input_leds_t leds, void *arg,
                        struct virtio_input **out);
/* Tell the guest. Events that a device of this kind does not have, and those
 * for a guest without a driver, are dropped; a SYN ends a batch. Any context
 * but NMI. */
void virtio_input_event(struct virtio_input *in, uint16_t type, uint16_t code,
                        int32_t value);
void virtio_input_get_stats(struct virtio_input *in,
                            struct virtio_input_stats *out);

/* For host tests: without a VM's window. NULL: no memory. */
struct virtio_input *virtio_input_new(struct vm *vm,
                                      const struct input_kind *kind,
                                      virtio_input_leds_t leds, void *arg);
struct virtio_device *virtio_input_device(struct virtio_input *in);

#endif
