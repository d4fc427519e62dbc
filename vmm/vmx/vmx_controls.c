/* Which controls a CPU lets us set: see vmx_controls.h. Pure; any context. */
#include "vmm/vmx/vmx_controls.h"

#include <stddef.h>

#include "vmm/vmx/vmcs.h"

/* A name for each control that a guest cannot be run without. */
struct control_name {
    uint32_t bit;
    const char *name;
};

static const struct control_name pin_required[] = {
    {PIN_EXTERNAL, "external-interrupt exiting"},
    {PIN_NMI, "NMI exiting"},
    {PIN_VIRTUAL_NMI, "virtual NMIs"},
    {0, NULL},
};

static const struct control_name proc_required[] = {
    {PROC_IRQ_WINDOW, "interrupt-window exiting"},
    {PROC_NMI_WINDOW, "NMI-window exiting"},
    {PROC_TSC_OFFSET, "TSC offsetting"},
    {PROC_HLT, "HLT exiting"},
    {PROC_MWAIT, "MWAIT exiting"},
    {PROC_MONITOR, "MONITOR exiting"},
    {PROC_RDPMC, "RDPMC exiting"},
    {PROC_CR8_LOAD, "CR8-load exiting"},
    {PROC_CR8_STORE, "CR8-store exiting"},
    {PROC_MOV_DR, "MOV-DR exiting"},
    {PROC_IO, "unconditional I/O exiting"},
    {PROC_SECONDARY, "secondary controls"},
    {0, NULL},
};

static const struct control_name proc2_required[] = {
    {PROC2_EPT, "EPT"},
    {PROC2_UNRESTRICTED, "unrestricted guests"},
    {0, NULL},
};

static const struct control_name exit_required[] = {
    {EXIT_HOST_64, "a 64-bit host"},
    {EXIT_SAVE_DEBUG, "saving of debug controls"},
    {EXIT_SAVE_PAT, "saving of IA32_PAT"},
    {EXIT_LOAD_PAT, "loading of IA32_PAT"},
    {EXIT_SAVE_EFER, "saving of IA32_EFER"},
    {EXIT_LOAD_EFER, "loading of IA32_EFER"},
    {0, NULL},
};

static const struct control_name entry_required[] = {
    {ENTRY_LOAD_DEBUG, "loading of debug controls"},
    {ENTRY_LOAD_PAT, "loading of IA32_PAT at entry"},
    {ENTRY_LOAD_EFER, "loading of IA32_EFER at entry"},
    {ENTRY_GUEST_64, "64-bit guests"},
    {0, NULL},
};

/* Exits that nothing here handles, should a CPU insist on them. */
#define PROC_UNWANTED \
    (PROC_CR3_LOAD | PROC_CR3_STORE | PROC_INVLPG | PROC_RDTSC)

/* Low half: bits that must be 1; high half: bits that may be (A.3.1). */
static bool adjust(uint64_t capability, const struct control_name *required,
                   uint32_t optional, uint32_t *out, const char **missing)
{
    uint32_t must = (uint32_t)capability, may = (uint32_t)(capability >> 32);

    *out = must | (optional & may);
    for (; required->bit; required++) {
        if (!(may & required->bit)) {
            *missing = required->name;
            return false;
        }
        *out |= required->bit;
    }
    return true;
}

/* The local APIC that the CPU runs itself, whole (29.1 to 29.5): with exits for
 * moves to and from CR8 its task priority would not be. */
static void add_apic(const struct vmx_capabilities *caps,
                     struct vmx_controls *out)
{
    const uint32_t cr8 = PROC_CR8_LOAD | PROC_CR8_STORE;
    const uint32_t always = PROC2_APIC_REGISTERS | PROC2_INTERRUPTS;
    uint32_t may = (uint32_t)(caps->proc >> 32);
    uint32_t may2 = (uint32_t)(caps->proc2 >> 32);

    if (!(may & PROC_TPR_SHADOW) || ((uint32_t)caps->proc & cr8) ||
        ~may2 & (always | PROC2_APIC_ACCESS))
        return;
    out->apic.proc = PROC_TPR_SHADOW;
    out->apic.proc2 = always;
    out->apic.proc2_xapic = PROC2_APIC_ACCESS;
    if (!(may & PROC_MSR_BITMAPS) || !(may2 & PROC2_X2APIC))
        return;
    out->apic.proc_x2apic = PROC_MSR_BITMAPS;
    out->apic.proc2_x2apic = PROC2_X2APIC;
}

/* EPT with write-back four-level tables, 2 MiB pages and INVEPT (A.10). */
static bool check_ept(uint64_t caps, const char **missing)
{
    static const struct {
        uint64_t bits;
        const char *name;
    } required[] = {
        {EPT_FOUR_LEVEL, "EPT of four levels"},     {EPT_WB, "write-back EPT"},
        {EPT_LARGE, "EPT with 2 MiB pages"},        {EPT_INVEPT, "INVEPT"},
        {EPT_INVEPT_ALL, "INVEPT of all contexts"},
    };

    for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
        if (!(caps & required[i].bits)) {
            *missing = required[i].name;
            return false;
        }
    }
    return true;
}

bool vmx_controls_make(const struct vmx_capabilities *caps,
                       struct vmx_controls *out, const char **missing)
{
    const uint64_t vpid = VPID_INVVPID | VPID_ALL;
    bool ok = adjust(caps->pin, pin_required, PIN_TIMER, &out->pin, missing) &&
              adjust(caps->proc, proc_required, 0, &out->proc, missing) &&
              adjust(caps->proc2, proc2_required,
                     PROC2_RDTSCP | PROC2_WBINVD | PROC2_VPID, &out->proc2,
                     missing) &&
              adjust(caps->exit, exit_required, 0, &out->exit, missing) &&
              adjust(caps->entry, entry_required, 0, &out->entry, missing) &&
              check_ept(caps->ept_vpid, missing);

    if (!ok)
        return false;
    if (out->proc & PROC_UNWANTED) {
        *missing = "a way to leave CR3, INVLPG and RDTSC to the guest";
        return false;
    }
    if ((caps->ept_vpid & vpid) != vpid)
        out->proc2 &= ~PROC2_VPID;
    add_apic(caps, out);
    return true;
}
