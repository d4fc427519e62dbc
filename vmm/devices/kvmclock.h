/*
 * KVM's paravirtual clock and end of interrupt, as Linux and BSD guests know
 * them ("KVM-specific MSRs", "KVM CPUID bits" of the Linux kernel's
 * documentation). A guest that uses them never calibrates anything: it reads
 * our TSC with our multiplier. One for each vCPU; its own thread.
 */
#ifndef VMM_DEVICES_KVMCLOCK_H
#define VMM_DEVICES_KVMCLOCK_H

#include "vmm/vm.h"

#define KVM_CPUID_SIGNATURE UINT32_C(0x40000000)
#define KVM_CPUID_FEATURES  UINT32_C(0x40000001)

#define MSR_KVM_WALL_CLOCK      UINT32_C(0x4b564d00)
#define MSR_KVM_SYSTEM_TIME     UINT32_C(0x4b564d01)
#define MSR_KVM_WALL_CLOCK_OLD  UINT32_C(0x11)
#define MSR_KVM_SYSTEM_TIME_OLD UINT32_C(0x12)
#define MSR_KVM_PV_EOI          UINT32_C(0x4b564d04)

struct kvmclock {
    uint64_t system_time; /* the MSR: address, bit 0 enables */
    uint64_t wall_clock;
    uint64_t pv_eoi;
    uint32_t version;
};

/* The leaves that announce it, for a VM's CPUID table; their number. */
unsigned kvmclock_cpuid(struct vm_cpuid out[2]);
bool kvmclock_is_msr(uint32_t msr);
void kvmclock_reset(struct kvmclock *k);
/* false: not one of these MSRs, or a bad value: #GP. */
bool kvmclock_read_msr(struct vcpu *v, struct kvmclock *k, uint32_t msr,
                       uint64_t *value);
bool kvmclock_write_msr(struct vcpu *v, struct kvmclock *k, uint32_t msr,
                        uint64_t value);
/* The TSC offset changed (the VM was paused): tell the guest again. */
void kvmclock_update(struct vcpu *v, struct kvmclock *k);

/* Ticks of a TSC of `hz` to nanoseconds: ns = ((ticks << shift) * mul) >> 32;
 * a negative shift goes right. Pure. */
void kvmclock_scale(uint64_t hz, uint32_t *mul, int8_t *shift);

/* --- end of interrupt without an exit --- */

/* Did the guest enable it? */
bool kvmclock_wants_eoi(const struct kvmclock *k);
/* Nothing waits for the end of the interrupt in service: the guest may clear
 * the flag instead of writing EOI. false: the page is not there. */
bool kvmclock_offer_eoi(struct vcpu *v, struct kvmclock *k);
/* After an exit: did the guest end it by the flag? Takes the offer back. */
bool kvmclock_took_eoi(struct vcpu *v, struct kvmclock *k);

#endif
