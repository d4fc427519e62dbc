/* virtio network cards of a guest, each a port of a switch. */
#ifndef VMM_DEVICES_VIRTIO_NET_H
#define VMM_DEVICES_VIRTIO_NET_H

struct vm;

/* All that vm->config.nets asks for. -ENOMEM, -ENOSPC: no window is left; those
 * that were made are the VM's. */
int virtio_net_create(struct vm *vm);

#endif
