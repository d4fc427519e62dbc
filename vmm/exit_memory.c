/*
 * Accesses to guest-physical memory without a translation, or without the
 * right: devices. The vCPU's thread.
 */
#include "vmm/emulate.h"
#include "vmm/vm.h"

__attribute__((weak)) int emulate_mmio(struct vcpu *v, const struct vm_exit *e);

static const char *kind(const struct vm_exit *e)
{
    if (e->memory.execute)
        return "execution";
    return e->memory.write ? "write" : "read";
}

void exit_memory(struct vcpu *v, const struct vm_exit *e)
{
    int err = -1;

    /* What the guest's page tables or its code lie in must be RAM. */
    if (!e->memory.execute && !e->memory.table && emulate_mmio)
        err = emulate_mmio(v, e);
    if (err)
        vm_crash(v, "%s of guest-physical %#llx, where there is no RAM%s",
                 kind(e), (unsigned long long)e->memory.gpa,
                 e->memory.table ? ", for its page tables" : "");
}
