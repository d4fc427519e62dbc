/* What a VM that stopped by its own doing was about. */
#ifndef VMM_CRASH_H
#define VMM_CRASH_H

#include "vmm/vm.h"

#define CRASH_TEXT_MAX (16 * 1024)

/* Registers, code, page walk and the last exits as text, in a kalloc block;
 * NULL when there is no memory. The vCPU's thread, or while it is not inside
 * the guest. */
char *crash_describe(struct vcpu *v, const char *why);

#endif
