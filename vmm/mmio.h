/*
 * Guest-physical accesses by emulated instructions: to RAM, or to the device
 * whose region is there. What nobody answers reads as all ones and is counted.
 * The vCPU's thread.
 */
#ifndef VMM_MMIO_H
#define VMM_MMIO_H

#include "vmm/vm.h"

/* 1 to 8 bytes inside a page; devices get naturally aligned parts. */
void mmio_read(struct vcpu *v, gpa_t gpa, void *out, unsigned n);
void mmio_write(struct vcpu *v, gpa_t gpa, const void *data, unsigned n);

#endif
