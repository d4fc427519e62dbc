/*
 * Instructions that touch guest-physical memory where there is no RAM: decoded,
 * done against the devices of vm->mmio, and skipped.
 */
#ifndef VMM_EMULATE_H
#define VMM_EMULATE_H

#include "vmm/vcpu.h"

/* 0: done, RIP is behind it, or a fault is pending for the guest. Negative
 * errno: not an instruction that we know; the VM crashes. Its thread. */
int emulate_mmio(struct vcpu *v, const struct vm_exit *e);

#endif
