/*
 * The execution controls we run guests with, and how they are made from what a
 * CPU says that it allows (Intel SDM 3D appendix A). Pure.
 */
#ifndef VMM_VMX_VMX_CONTROLS_H
#define VMM_VMX_VMX_CONTROLS_H

#include <stdbool.h>
#include <stdint.h>

struct vmx_controls {
    uint32_t pin, proc, proc2, exit, entry;
    /* What a local APIC run by the CPU needs on top of that, none of it when a
     * part is missing: in any mode, by MMIO, by MSRs. */
    struct {
        uint32_t proc, proc2, proc2_xapic, proc_x2apic, proc2_x2apic;
    } apic;
};

/* The capability MSRs that decide about them. */
struct vmx_capabilities {
    uint64_t pin, proc, proc2, exit, entry, ept_vpid;
};

/* false: `missing` says what this CPU has not, or does not let us leave off. */
bool vmx_controls_make(const struct vmx_capabilities *caps,
                       struct vmx_controls *out, const char **missing);

#endif
