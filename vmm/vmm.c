/*
 * Unit `vmm`: which back end this machine has, and switching it on and off on
 * every CPU. Thread context.
 */
#include <errno.h>
#include <stdatomic.h>

#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/percpu.h>
#include <rayos/smp.h>
#include <rayos/unit.h>

#include "vmm/vm.h"

/* A back end that is not part of this build is not asked. */
extern const struct vmm_backend vmx_backend __attribute__((weak));

static const struct vmm_backend *backend;
static struct vmm_host host;

const struct vmm_backend *vmm_backend(void)
{
    return backend;
}

const struct vmm_host *vmm_host(void)
{
    return &host;
}

bool vmm_runs_apic(const struct vm_config *c)
{
    if (!host.virtual_interrupts || c->apic == VM_APIC_SOFTWARE)
        return false;
    return c->apic == VM_APIC_HARDWARE || !host.virtual_interrupts_erratum;
}

static void enable(void *arg)
{
    _Atomic int *err = arg;
    int e = backend->cpu_enable();

    if (e)
        atomic_store(err, e);
}

static void disable(void *arg)
{
    (void)arg;
    backend->cpu_disable();
}

static int try(const struct vmm_backend *b)
{
    struct vmm_host h = {0};
    _Atomic int err = 0;

    if (!b)
        return -ENODEV;
    err = b->probe(&h);
    if (!err) {
        backend = b;
        smp_call_all(enable, (void *)&err);
        if (!err) {
            host = h;
            return 0;
        }
        smp_call_all(disable, NULL);
        backend = NULL;
        fmt_snprintf(h.reason, sizeof(h.reason),
                     "%s could not be switched on for every CPU", b->name);
    }
    /* A lock of the firmware says more than "has it not". */
    if (!host.reason[0] || err == -EACCES)
        host = h;
    host.vendor = NULL;
    return err;
}

static int vmm_start(void)
{
    const struct vmm_backend *const all[] = {&svm_backend, &vmx_backend};
    int err = -ENODEV;

    for (size_t i = 0; i < ARRAY_SIZE(all) && err; i++) {
        int e = try(all[i]);

        err = !e || e == -EACCES || err == -ENODEV ? e : err;
    }
    if (err)
        log_warn("vmm", "no virtual machines: %s", host.reason);
    else
        log_info("vmm", "%s on %u CPUs", backend->name, cpu_count());
    return err == -EACCES ? -ENODEV : err;
}

static void vmm_stop(void)
{
    /* A guest that runs on needs it. */
    if (vm_end_all())
        smp_call_all(disable, NULL);
}

UNIT(vmm, .start = vmm_start, .stop = vmm_stop);
