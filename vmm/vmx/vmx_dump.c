/* What a vCPU's VMCS says, for the dump of a crash. Thread context. */
#include <arch/features.h>
#include <rayos/fmt.h>

#include "vmm/vmx/vmx.h"
#include "vmm/vmx/vmx_check.h"

typedef unsigned long long ull;

struct dump {
    uint64_t reason, qualification, idt_event, event, error;
    bool refused;           /* the last entry, for the guest's state */
    struct vmx_fault fault; /* field NULL: nothing was found */
};

static struct dump last; /* one dump at a time is right; others are mixed up */

static void read_segments(struct vmx_guest *g)
{
    for (unsigned i = 0; i < SEGMENT_COUNT; i++) {
        uint32_t n = i * VMCS_STEP;

        g->segment[i] = (struct vmx_segment){
            .selector = (uint16_t)vmcs_read(VMCS_GUEST_SELECTOR + n),
            .limit = (uint32_t)vmcs_read(VMCS_GUEST_LIMIT + n),
            .rights = (uint32_t)vmcs_read(VMCS_GUEST_RIGHTS + n),
            .base = vmcs_read(VMCS_GUEST_BASE + n),
        };
    }
    g->gdtr = (struct vmx_table){vmcs_read(VMCS_GUEST_GDTR_BASE),
                                 (uint32_t)vmcs_read(VMCS_GUEST_GDTR_LIMIT)};
    g->idtr = (struct vmx_table){vmcs_read(VMCS_GUEST_IDTR_BASE),
                                 (uint32_t)vmcs_read(VMCS_GUEST_IDTR_LIMIT)};
}

static void find_fault(struct dump *d)
{
    struct vmx_guest g = {
        .cr0_fixed0 = vmx_features.cr0_fixed0,
        .cr0_fixed1 = vmx_features.cr0_fixed1,
        .cr4_fixed0 = vmx_features.cr4_fixed0,
        .cr4_fixed1 = vmx_features.cr4_fixed1,
        .phys_bits = arch_cpu_info()->phys_bits,
        .entry = (uint32_t)vmcs_read(VMCS_ENTRY),
        .event = (uint32_t)d->event,
        .cr0 = vmcs_read(VMCS_GUEST_CR0),
        .cr3 = vmcs_read(VMCS_GUEST_CR3),
        .cr4 = vmcs_read(VMCS_GUEST_CR4),
        .efer = vmcs_read(VMCS_GUEST_EFER),
        .dr7 = vmcs_read(VMCS_GUEST_DR7),
        .rip = vmcs_read(VMCS_GUEST_RIP),
        .rflags = vmcs_read(VMCS_GUEST_RFLAGS),
        .sysenter_esp = vmcs_read(VMCS_GUEST_SYSENTER_ESP),
        .sysenter_eip = vmcs_read(VMCS_GUEST_SYSENTER_EIP),
        .pat = vmcs_read(VMCS_GUEST_PAT),
        .pending_debug = vmcs_read(VMCS_GUEST_PENDING_DEBUG),
        .link = vmcs_read(VMCS_LINK_POINTER),
        .interruptibility = (uint32_t)vmcs_read(VMCS_GUEST_INTERRUPTIBILITY),
        .activity = (uint32_t)vmcs_read(VMCS_GUEST_ACTIVITY),
    };

    read_segments(&g);
    for (unsigned i = 0; i < sizeof(g.pdpte) / sizeof(*g.pdpte); i++)
        g.pdpte[i] = vmcs_read(VMCS_GUEST_PDPTE + i * VMCS_STEP);
    d->refused = true;
    vmx_check_guest(&g, &d->fault);
}

/* Its CPU, interrupts off. */
static void gather(struct vcpu *v)
{
    if (!vmx_load(v))
        return;
    last = (struct dump){
        .reason = vmcs_read(VMCS_EXIT_REASON),
        .qualification = vmcs_read(VMCS_QUALIFICATION),
        .idt_event = vmcs_read(VMCS_IDT_EVENT),
        .event = vmcs_read(VMCS_ENTRY_EVENT),
        .error = vmcs_read(VMCS_INSTRUCTION_ERROR),
    };
    if (last.reason == (REASON_ENTRY_FAILED | VMX_GUEST_STATE))
        find_fault(&last);
}

void vmx_dump(struct vcpu *v, void (*line)(void *arg, const char *text),
              void *arg)
{
    const struct vmx_vcpu *s = vmx_vcpu(v);
    char text[128];

    vmx_on_cpu(v, gather);
    fmt_snprintf(text, sizeof(text),
                 "VMCS exit %#llx qualification %#llx interrupted %#llx "
                 "error %llu",
                 (ull)last.reason, (ull)last.qualification, (ull)last.idt_event,
                 (ull)last.error);
    line(arg, text);
    fmt_snprintf(text, sizeof(text),
                 "VMCS vpid %u controls %#x blocked %#x inject %#llx refused "
                 "fields %u (%#x)",
                 s->vpid, s->proc, s->interruptibility, (ull)last.event,
                 vmcs_refused, vmcs_refused_field);
    line(arg, text);
    if (!last.refused)
        return;
    fmt_snprintf(text, sizeof(text), "VMCS guest %s: %s",
                 last.fault.field ? last.fault.field : "state",
                 last.fault.rule ? last.fault.rule : "no rule known is broken");
    line(arg, text);
}
