/*
 * A VM's buses, devices and debug text. Adding: thread context, the VM does not
 * run. The text: any context but NMI.
 */
#include <errno.h>

#include "vmm/vm.h"

#define PORTS 0x10000u

/* Sorted by base; ranges do not overlap. */
static int region_add(struct list *bus, struct vm_region *r)
{
    struct list *pos = bus->next;

    if (!r->size || r->base + r->size < r->base)
        return -EINVAL;
    while (pos != bus) {
        const struct vm_region *o = container_of(pos, struct vm_region, node);

        if (r->base + r->size <= o->base)
            break;
        if (r->base < o->base + o->size)
            return -EBUSY;
        pos = pos->next;
    }
    list_insert_before(pos, &r->node);
    return 0;
}

int vm_add_ports(struct vm *vm, struct vm_region *r)
{
    if (r->base >= PORTS || r->size > PORTS - r->base)
        return -EINVAL;
    return region_add(&vm->ports, r);
}

int vm_add_mmio(struct vm *vm, struct vm_region *r)
{
    return region_add(&vm->mmio, r);
}

void vm_add_device(struct vm *vm, struct vm_device *d)
{
    d->vm = vm;
    list_push_back(&vm->devices, &d->node);
}

void vm_output_write(struct vm *vm, const char *bytes, size_t n)
{
    struct vm_output *o = vm->output;
    irqflags_t flags = spin_lock(&o->lock);

    for (size_t i = 0; i < n; i++)
        o->bytes[o->written++ % VM_OUTPUT_SIZE] = bytes[i];
    spin_unlock(&o->lock, flags);
}

size_t vm_output_read(struct vm *vm, uint64_t *from, char *out, size_t n)
{
    struct vm_output *o = vm->output;
    irqflags_t flags = spin_lock(&o->lock);
    size_t done = 0;

    if (o->written - *from > VM_OUTPUT_SIZE)
        *from = o->written < VM_OUTPUT_SIZE ? 0 : o->written - VM_OUTPUT_SIZE;
    while (done < n && *from < o->written)
        out[done++] = o->bytes[(*from)++ % VM_OUTPUT_SIZE];
    spin_unlock(&o->lock, flags);
    return done;
}
