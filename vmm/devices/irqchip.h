/*
 * A VM's interrupt controllers together: two 8259As, one I/O APIC, a local APIC
 * for each vCPU, and the lines between them. vm_set_irq and vm_send_msi
 * (vmm/vm.h) are implemented here.
 *
 * GSI n below 16 is the 8259s' line n and the I/O APIC's pin n, but GSI 0 (the
 * PIT) is pin 2, as the MADT says; the others are I/O APIC pins only.
 */
#ifndef VMM_DEVICES_IRQCHIP_H
#define VMM_DEVICES_IRQCHIP_H

#include "vmm/devices/ioapic.h"
#include "vmm/vm.h"

#define IRQCHIP_PIT_PIN 2

/* Makes the controllers, their regions and a local APIC for each of vm->vcpus;
 * the VM does not run. -ENOMEM, or vm_add_*'s errors. */
int irqchip_create(struct vm *vm);
void irqchip_destroy(struct vm *vm);
void irqchip_reset(struct vm *vm);
/* Of one vCPU: INIT. Its own thread, or while it does not run. */
void irqchip_reset_vcpu(struct vcpu *v);
void irqchip_pause(struct vm *vm, bool paused);

/* --- a vCPU's own thread, before each entry --- */

/* Is there an interrupt for it, when it takes some? */
bool irqchip_has_irq(struct vcpu *v);
/* Is it ours to inject? Not when the CPU runs the local APIC: it delivers by
 * itself, but what comes from the 8259s. */
bool irqchip_must_inject(struct vcpu *v);
/* Take it: it is in service now. -1: there is none after all. */
int irqchip_take_irq(struct vcpu *v);
/* The last step before an entry: an end of interrupt that nobody waits for may
 * be a flag in the guest's memory (kvmclock.h). */
void irqchip_offer_eoi(struct vcpu *v);
/* The first after an exit: was it taken? */
void irqchip_settle_eoi(struct vcpu *v);

/* --- any context but NMI --- */

/* A message on its way: to all local APICs that match, or for lowest priority
 * to one of them. */
void irqchip_deliver(struct vm *vm, const struct apic_message *m);
/* A level interrupt ended in a local APIC. */
void irqchip_eoi(struct vm *vm, uint8_t vector);
/* Does the I/O APIC wait for ends of this vector (EOI-exit bitmap)? */
bool irqchip_wants_eoi(struct vm *vm, uint8_t vector);

#endif
