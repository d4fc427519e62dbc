/*
 * Why a CPU would not enter a guest: the rules for its registers and its
 * non-register state (Intel SDM 3C 26.3.1), for guests that may be in real mode
 * ("unrestricted"). The CPU itself says no more than that one is broken. Pure.
 */
#ifndef VMM_VMX_VMX_CHECK_H
#define VMM_VMX_VMX_CHECK_H

#include "vmm/vcpu.h"

/* As in the VMCS. */
struct vmx_segment {
    uint16_t selector;
    uint32_t limit, rights;
    uint64_t base;
};

struct vmx_table {
    uint64_t base;
    uint32_t limit;
};

struct vmx_guest {
    /* Of the CPU: bits that must be 1, that may be; width of addresses. */
    uint64_t cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
    unsigned phys_bits;
    /* Controls */
    uint32_t entry, event;
    /* State */
    struct vmx_segment segment[SEGMENT_COUNT];
    struct vmx_table gdtr, idtr;
    uint64_t cr0, cr3, cr4, efer, dr7, rip, rflags;
    uint64_t sysenter_esp, sysenter_eip, pat, pending_debug, link;
    uint64_t pdpte[4];
    uint32_t interruptibility, activity;
};

struct vmx_fault {
    const char *field;
    const char *rule; /* what it breaks */
};

/* The first rule that is broken; false: none is. */
bool vmx_check_guest(const struct vmx_guest *g, struct vmx_fault *out);

#endif
