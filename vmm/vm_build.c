/*
 * What a VM is made of while it runs: memory, CPUs, controllers, devices.
 * Thread context, vm->lock held, none of its threads run.
 */
#include "vmm/vm_internal.h"

#include <errno.h>
#include <stdatomic.h>

#include <arch/cpu.h>
#include <rayos/fmt.h>
#include <rayos/mm.h>

#include "vmm/cpuid.h"
#include "vmm/devices/irqchip.h"
#include "vmm/devices/kvmclock.h"
#include "vmm/loader.h"

extern const struct vm_device_type __start_rayos_vm_devices[],
    __stop_rayos_vm_devices[];

static int fail(struct vm *vm, int err, const char *what)
{
    if (!vm->error[0])
        fmt_snprintf(vm->error, sizeof(vm->error), "%s", what);
    return err;
}

static int build_memory(struct vm *vm)
{
    int err = guest_memory_create(vm->config.memory, &vm->memory);

    if (err)
        return fail(vm, err, "not enough free memory");
    err = guest_memory_map(vm->memory, vmm_backend()->nested);
    return err ? fail(vm, err, "not enough memory for page tables") : 0;
}

static int build_cpus(struct vm *vm)
{
    vm->tsc_offset = -arch_tsc();
    for (uint32_t i = 0; i < vm->config.cpus; i++) {
        int err = vcpu_create(vm, i, &vm->vcpus[i]);

        if (err)
            return fail(vm, err, "not enough memory for a CPU");
        vm->vcpu_count = i + 1;
    }
    return 0;
}

/* What the guest may use because kvmclock.c implements it. */
static int add_paravirtual(struct vm *vm)
{
    struct vm_cpuid lines[2];
    unsigned n = kvmclock_cpuid(lines);
    int err = 0;

    for (unsigned i = 0; i < n && !err; i++)
        err = cpuid_table_add(vm, &lines[i]);
    return err;
}

static int build_devices(struct vm *vm)
{
    int err = irqchip_create(vm);

    for (const struct vm_device_type *t = __start_rayos_vm_devices;
         t < __stop_rayos_vm_devices && !err; t++) {
        err = t->create(vm);
        if (err)
            fail(vm, err, t->name);
    }
    if (!err)
        err = cpuid_table_make(vm);
    return err ? err : add_paravirtual(vm);
}

int vm_build(struct vm *vm)
{
    int err;

    vm->error[0] = '\0';
    vm->exit_code = 0;
    vm->end_reason = VM_END_NONE;
    vm->pause_wanted = false;
    vm->parked = 0;
    kfree(vm->dump);
    vm->dump = NULL;
    err = build_memory(vm);
    if (!err) {
        err = vmm_backend()->vm_create(vm);
        vm->has_backend = !err;
    }
    if (!err)
        err = build_cpus(vm);
    if (!err)
        err = build_devices(vm);
    return err ? err : vm_load(vm);
}

static void unbuild_devices(struct vm *vm)
{
    struct list *n;

    while ((n = list_pop_front(&vm->devices))) {
        struct vm_device *d = container_of(n, struct vm_device, node);

        d->ops->destroy(d);
    }
    if (vm->irqchip)
        irqchip_destroy(vm);
    vm->irqchip = NULL;
    /* Regions belonged to devices that are gone. */
    list_init(&vm->ports);
    list_init(&vm->mmio);
    kfree(vm->cpuid);
    vm->cpuid = NULL;
    vm->cpuid_count = 0;
}

void vm_unbuild(struct vm *vm)
{
    /* Threads first: they use all the rest. */
    for (uint32_t i = 0; i < vm->vcpu_count; i++)
        vcpu_join(vm->vcpus[i]);
    unbuild_devices(vm);
    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        vm_keep_counters(vm, vm->vcpus[i]);
        vcpu_destroy(vm->vcpus[i]);
        vm->vcpus[i] = NULL;
    }
    vm->vcpu_count = 0;
    if (vm->has_backend)
        vmm_backend()->vm_destroy(vm);
    vm->has_backend = false;
    if (vm->memory)
        guest_memory_destroy(vm->memory);
    vm->memory = NULL;
}
