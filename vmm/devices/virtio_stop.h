/* When a device model that works through a queue of the guest's must give the
 * thread back: a second CPU of a guest could fill the queue for ever. */
#ifndef VMM_DEVICES_VIRTIO_STOP_H
#define VMM_DEVICES_VIRTIO_STOP_H

#include "vmm/devices/virtio.h"
#include "vmm/vm.h"

/* The VM ends: nobody misses what is left in the queue. d->vm is NULL in host
 * tests. */
static inline bool virtio_must_stop(const struct virtio_device *d)
{
    return d->vm && d->vm->end_reason != VM_END_NONE;
}

#endif
