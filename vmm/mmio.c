/* The bus of a VM's memory-mapped devices: see mmio.h. */
#include "vmm/mmio.h"

#include <stdatomic.h>
#include <string.h>

static struct vm_region *region_find(struct vcpu *v, gpa_t gpa)
{
    struct vm_region *last = v->last_mmio;

    if (last && gpa >= last->base && gpa - last->base < last->size)
        return last;
    list_for_each (n, &v->vm->mmio) {
        struct vm_region *r = container_of(n, struct vm_region, node);

        if (gpa >= r->base && gpa - r->base < r->size) {
            v->last_mmio = r;
            return r;
        }
    }
    return NULL;
}

/* The largest naturally aligned power of two at gpa, of n at most. */
static unsigned part(gpa_t gpa, unsigned n)
{
    unsigned size = 8;

    while (size > n || gpa % size)
        size /= 2;
    return size;
}

static void unknown(struct vcpu *v)
{
    atomic_fetch_add_explicit(&v->vm->unknown_memory, 1, memory_order_relaxed);
}

static uint64_t device_read(struct vcpu *v, gpa_t gpa, unsigned size)
{
    struct vm_region *r = region_find(v, gpa);
    uint64_t value = UINT64_MAX;

    if (!r || gpa - r->base + size > r->size) {
        unknown(v);
        return UINT64_MAX;
    }
    __atomic_fetch_add(&r->reads, 1, __ATOMIC_RELAXED);
    if (!r->read ||
        r->read(v, r->device, gpa - r->base, size, &value) != MMIO_HANDLED)
        return UINT64_MAX;
    return value;
}

static void device_write(struct vcpu *v, gpa_t gpa, unsigned size,
                         uint64_t value)
{
    struct vm_region *r = region_find(v, gpa);

    if (!r || gpa - r->base + size > r->size) {
        unknown(v);
        return;
    }
    __atomic_fetch_add(&r->writes, 1, __ATOMIC_RELAXED);
    if (r->write)
        r->write(v, r->device, gpa - r->base, size, value);
}

void mmio_read(struct vcpu *v, gpa_t gpa, void *out, unsigned n)
{
    uint8_t *to = out;

    if (guest_read(v->vm->memory, gpa, out, n) == 0)
        return;
    while (n) {
        unsigned size = part(gpa, n);
        uint64_t value = device_read(v, gpa, size);

        memcpy(to, &value, size);
        to += size;
        gpa += size;
        n -= size;
    }
}

void mmio_write(struct vcpu *v, gpa_t gpa, const void *data, unsigned n)
{
    const uint8_t *from = data;

    if (guest_write(v->vm->memory, gpa, data, n) == 0)
        return;
    while (n) {
        unsigned size = part(gpa, n);
        uint64_t value = 0;

        memcpy(&value, from, size);
        device_write(v, gpa, size, value);
        from += size;
        gpa += size;
        n -= size;
    }
}
