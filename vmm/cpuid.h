/* The CPUID table of a VM. */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include "vmm/vm.h"

/* Make vm->cpuid, after the interrupt controllers. -ENOMEM. Thread context, the
 * VM does not run. */
int cpuid_table_make(struct vm *vm);
/* One line more, which no other covers (hypervisor leaves). -ENOSPC. */
int cpuid_table_add(struct vm *vm, const struct vm_cpuid *line);

#endif
