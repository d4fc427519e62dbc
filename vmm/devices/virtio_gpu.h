/* A guest's display: virtio-gpu, 2D (virtio 1.2 5.7). */
#ifndef VMM_DEVICES_VIRTIO_GPU_H
#define VMM_DEVICES_VIRTIO_GPU_H

#include "vmm/devices/gpu.h"
#include "vmm/devices/virtio.h"

struct virtio_gpu;

/* Bytes of resources and of what describes their backings. */
#define VIRTIO_GPU_MEMORY (UINT64_C(128) << 20)

struct virtio_gpu_stats {
    uint64_t commands, errors;
    uint64_t memory; /* bytes of resources */
    uint32_t resources;
};

/* One of the VM's, which owns it from then on. The operations are called on
 * vCPU threads, one at a time, with `arg` as gpu.arg. -ENOMEM, -ENOSPC. */
int virtio_gpu_create(struct vm *vm, uint32_t width, uint32_t height,
                      const struct gpu_ops *ops, void *arg,
                      struct virtio_gpu **out);
/* The display has another size now: the guest is told. Any context but NMI. */
void virtio_gpu_resize(struct virtio_gpu *v, uint32_t width, uint32_t height);
void virtio_gpu_get_stats(struct virtio_gpu *v, struct virtio_gpu_stats *out);

/* For host tests: without a VM's window. NULL: no memory. */
struct virtio_gpu *virtio_gpu_new(struct vm *vm, uint32_t width,
                                  uint32_t height, const struct gpu_ops *ops,
                                  void *arg);
struct virtio_device *virtio_gpu_device(struct virtio_gpu *v);

#endif
