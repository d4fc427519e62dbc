/* Between vm.c and vm_build.c. */
#ifndef VMM_VM_INTERNAL_H
#define VMM_VM_INTERNAL_H

#include "vmm/vm.h"

/* vm->lock held, no thread of the VM runs. After a failure vm->error says why,
 * and vm_unbuild takes away what there is. */
int vm_build(struct vm *vm);
/* vm->lock held; its threads have ended, or are about to. */
void vm_unbuild(struct vm *vm);
/* Add a vCPU's counters to those that the VM keeps over its runs. */
void vm_keep_counters(struct vm *vm, const struct vcpu *v);

#endif
