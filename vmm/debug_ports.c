/*
 * Two ports for small guests: what is written to 0xe9 is text of the guest (and
 * reading it answers 0xe9, by which it is found), and a write to 0xf4 ends the
 * VM with that value as its exit code. vCPU threads.
 */
#include <errno.h>

#include <rayos/mm.h>

#include "vmm/vm.h"

#define PORT_TEXT 0xe9
#define PORT_EXIT 0xf4

struct debug_ports {
    struct vm_device device;
    struct vm_region text, exit;
};

static enum mmio_result text_read(struct vcpu *v, void *device, uint64_t offset,
                                  unsigned size, uint64_t *value)
{
    (void)v;
    (void)device;
    (void)offset;
    (void)size;
    *value = PORT_TEXT;
    return MMIO_HANDLED;
}

static enum mmio_result text_write(struct vcpu *v, void *device,
                                   uint64_t offset, unsigned size,
                                   uint64_t value)
{
    char byte = (char)value;

    (void)device;
    (void)offset;
    (void)size;
    vm_output_write(v->vm, &byte, 1);
    return MMIO_HANDLED;
}

static enum mmio_result exit_write(struct vcpu *v, void *device,
                                   uint64_t offset, unsigned size,
                                   uint64_t value)
{
    (void)device;
    (void)offset;
    (void)size;
    v->vm->exit_code = (uint32_t)value;
    vm_request_end(v->vm, VM_END_POWEROFF);
    return MMIO_HANDLED;
}

static void reset(struct vm_device *d)
{
    (void)d;
}

static void destroy(struct vm_device *d)
{
    kfree(container_of(d, struct debug_ports, device));
}

static const struct vm_device_ops ops = {
    .name = "debug_ports",
    .reset = reset,
    .destroy = destroy,
};

static int create(struct vm *vm)
{
    struct debug_ports *d = kzalloc(sizeof(*d));
    int err;

    if (!d)
        return -ENOMEM;
    d->device.ops = &ops;
    d->text = (struct vm_region){
        .base = PORT_TEXT,
        .size = 1,
        .name = "debug text",
        .read = text_read,
        .write = text_write,
    };
    d->exit = (struct vm_region){
        .base = PORT_EXIT,
        .size = 4,
        .name = "debug exit",
        .write = exit_write,
    };
    vm_add_device(vm, &d->device);
    err = vm_add_ports(vm, &d->text);
    return err ? err : vm_add_ports(vm, &d->exit);
}

VM_DEVICE_TYPE(debug_ports, .create = create);
