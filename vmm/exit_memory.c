/*
 * Accesses to guest-physical memory without a translation, or without the
 * right: devices. The vCPU's thread.
 */
#include <errno.h>

#include "vmm/emulate.h"
#include "vmm/vm.h"

static const char *kind(const struct vm_exit *e)
{
    if (e->memory.execute)
        return "execution";
    return e->memory.write ? "write" : "read";
}

static void crash(struct vcpu *v, const struct vm_exit *e)
{
    vm_crash(v, "%s of guest-physical %#llx, where there is no RAM%s", kind(e),
             (unsigned long long)e->memory.gpa,
             e->memory.table ? ", for its page tables" : "");
}

void exit_memory(struct vcpu *v, const struct vm_exit *e)
{
    /* What the guest's page tables or its code lie in must be RAM. */
    if (e->memory.execute || e->memory.table) {
        crash(v, e);
        return;
    }
    switch (emulate_mmio(v, e)) {
    case 0:
        return;
    case -ENOTSUP:
    case -EILSEQ:
        vm_crash(v,
                 "%s of guest-physical %#llx by an instruction that is not "
                 "emulated",
                 kind(e), (unsigned long long)e->memory.gpa);
        return;
    default:
        crash(v, e);
    }
}
