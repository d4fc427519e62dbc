/* What the VMCS said about an exit, in the words of vmm/vcpu.h. The vCPU's
 * thread. */
#include "vmm/devices/lapic.h"
#include "vmm/vmx/vmx.h"

#define VECTOR_DB 1
#define VECTOR_MC 18

/* Qualifications: tables 27-1, 27-3 to 27-7 */
#define DR6_CAUSES   UINT64_C(0x600f)
#define CR_NUMBER    0xfu
#define CR_TYPE(q)   ((q) >> 4 & 3)
#define CR_TYPE_TO   0u
#define CR_TYPE_FROM 1u
#define GPR_OF(q)    ((q) >> 8 & 0xf)
#define DR_NUMBER    7u
#define DR_FROM      (1u << 4)
#define IO_SIZE      7u
#define IO_IN        (1u << 3)
#define IO_STRING    (1u << 4)
#define IO_REP       (1u << 5)
#define IO_PORT(q)   ((q) >> 16)
#define EPT_Q_READ   (1u << 0)
#define EPT_Q_WRITE  (1u << 1)
#define EPT_Q_FETCH  (1u << 2)
#define EPT_Q_LINEAR (1u << 7)
#define EPT_Q_FINAL  (1u << 8)
#define EPT_Q_NMI    (1u << 12) /* an IRET had let NMIs in already */

#define APIC_Q_OFFSET    0xfffu
#define APIC_Q_TYPE      12
#define APIC_Q_TYPE_MASK 0xfu

enum { APIC_TYPE_READ, APIC_TYPE_WRITE, APIC_TYPE_FETCH };

/* Exits that carry no more than their number; 0, EXIT_HOST, is none of them. */
static const uint8_t plain[] = {
    [VMX_TRIPLE_FAULT] = EXIT_SHUTDOWN,
    [VMX_INIT] = EXIT_INIT,
    [VMX_SIPI] = EXIT_INIT,
    [VMX_IO_SMI] = EXIT_INIT,
    [VMX_SMI] = EXIT_INIT,
    [VMX_TASK_SWITCH] = EXIT_TASK_SWITCH,
    [VMX_CPUID] = EXIT_CPUID,
    [VMX_GETSEC] = EXIT_VIRTUALIZATION,
    [VMX_HLT] = EXIT_HLT,
    [VMX_INVD] = EXIT_CACHE,
    [VMX_INVLPG] = EXIT_INVLPG,
    [VMX_RDPMC] = EXIT_VIRTUALIZATION,
    [VMX_RDTSC] = EXIT_RDTSC,
    [VMX_VMCALL] = EXIT_HYPERCALL,
    [VMX_RDMSR] = EXIT_RDMSR,
    [VMX_WRMSR] = EXIT_WRMSR,
    [VMX_MWAIT] = EXIT_MWAIT,
    [VMX_MONITOR] = EXIT_MWAIT,
    [VMX_PAUSE] = EXIT_PAUSE,
    [VMX_INVEPT] = EXIT_VIRTUALIZATION,
    [VMX_TIMER] = EXIT_TIMER,
    [VMX_INVVPID] = EXIT_VIRTUALIZATION,
    [VMX_WBINVD] = EXIT_CACHE,
    [VMX_XSETBV] = EXIT_XSETBV,
    [VMX_VMFUNC] = EXIT_VIRTUALIZATION,
};

/* The machine's own: let the kernel's handler have it. */
static void machine_check(void)
{
    __asm__ volatile("int $18");
}

static void decode_exception(struct vcpu *v, const struct vmx_raw *raw,
                             struct vm_exit *out)
{
    struct vmx_vcpu *s = vmx_vcpu(v);
    uint32_t event = raw->event;

    if ((event >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK) == EVENT_NMI) {
        out->reason = EXIT_HOST;
        return;
    }
    if ((event & EVENT_NMI_UNBLOCK) && !(raw->idt_event & EVENT_VALID))
        s->interruptibility |= BLOCKED_BY_NMI;
    out->reason = EXIT_EXCEPTION;
    out->exception.vector = event & EVENT_VECTOR;
    out->exception.has_error = event & EVENT_HAS_ERROR;
    out->exception.error = raw->error;
    if (out->exception.vector == VECTOR_DB) /* an injection would not set it */
        s->state.dr6 |= raw->qualification & DR6_CAUSES;
    if (out->exception.vector == VECTOR_MC)
        machine_check();
}

static void decode_cr(uint64_t q, struct vm_exit *out)
{
    out->reason = EXIT_CR;
    out->cr.cr = q & CR_NUMBER;
    out->cr.gpr = (uint8_t)GPR_OF(q);
    out->cr.write = CR_TYPE(q) == CR_TYPE_TO;
    /* Neither touches a bit that is ours. */
    if (CR_TYPE(q) > CR_TYPE_FROM)
        out->reason = EXIT_UNKNOWN;
}

static void decode_dr(uint64_t q, struct vm_exit *out)
{
    out->reason = EXIT_DR;
    out->dr.dr = q & DR_NUMBER;
    out->dr.gpr = (uint8_t)GPR_OF(q);
    out->dr.write = !(q & DR_FROM);
}

static void decode_io(uint64_t q, struct vm_exit *out)
{
    out->reason = EXIT_IO;
    out->io.port = (uint16_t)IO_PORT(q);
    out->io.size = (uint8_t)((q & IO_SIZE) + 1);
    out->io.in = q & IO_IN;
    out->io.string = q & IO_STRING;
    out->io.rep = q & IO_REP;
}

static void decode_memory(struct vcpu *v, const struct vmx_raw *raw,
                          struct vm_exit *out)
{
    uint64_t q = raw->qualification;

    if ((q & EPT_Q_NMI) && !(raw->idt_event & EVENT_VALID))
        vmx_vcpu(v)->interruptibility |= BLOCKED_BY_NMI;
    out->reason = EXIT_MEMORY;
    out->length = 0; /* is not defined here: the instruction is read */
    out->memory.gpa = raw->gpa;
    out->memory.gva = raw->gva;
    out->memory.has_gva = q & EPT_Q_LINEAR;
    out->memory.read = q & EPT_Q_READ;
    out->memory.write = q & EPT_Q_WRITE;
    out->memory.execute = q & EPT_Q_FETCH;
    out->memory.table = (q & EPT_Q_LINEAR) && !(q & EPT_Q_FINAL);
}

/* Table 27-6: the instruction is run by us, as for an EPT violation. */
static void decode_apic_access(uint64_t q, struct vm_exit *out)
{
    uint32_t type = q >> APIC_Q_TYPE & APIC_Q_TYPE_MASK;

    out->reason = EXIT_APIC_ACCESS;
    out->length = 0;
    out->memory.gpa = LAPIC_BASE + (q & APIC_Q_OFFSET);
    out->memory.read = type == APIC_TYPE_READ;
    out->memory.write = type == APIC_TYPE_WRITE;
    out->memory.execute = type == APIC_TYPE_FETCH;
    /* While an event was delivered, or page tables walked. */
    out->memory.table = type > APIC_TYPE_FETCH;
}

static void decode_rest(uint32_t basic, struct vm_exit *out)
{
    if (basic >= VMX_VMCLEAR && basic <= VMX_VMXON)
        out->reason = EXIT_VIRTUALIZATION;
    else if (basic == VMX_EXTERNAL)
        out->reason = EXIT_HOST;
    else if (basic < sizeof(plain) && plain[basic])
        out->reason = plain[basic];
    else
        out->reason = EXIT_UNKNOWN;
}

void vmx_decode(struct vcpu *v, const struct vmx_raw *raw, struct vm_exit *out)
{
    uint64_t q = raw->qualification;

    *out = (struct vm_exit){
        .code = raw->reason,
        .info1 = q,
        .info2 = raw->gpa,
        .length = (uint8_t)raw->length,
    };
    if (raw->reason & REASON_ENTRY_FAILED) {
        out->reason = EXIT_ENTRY_FAILED;
        if ((raw->reason & REASON_BASIC) == VMX_MACHINE_CHECK)
            machine_check();
        return;
    }
    switch (raw->reason & REASON_BASIC) {
    case VMX_EXCEPTION:
        decode_exception(v, raw, out);
        break;
    case VMX_IRQ_WINDOW:
        vmx_irq_window(v, false);
        out->reason = EXIT_IRQ_WINDOW;
        break;
    case VMX_NMI_WINDOW:
        vmx_nmi_window(v, false);
        out->reason = EXIT_NMI_WINDOW;
        break;
    case VMX_CR:
        decode_cr(q, out);
        break;
    case VMX_DR:
        decode_dr(q, out);
        break;
    case VMX_IO:
        decode_io(q, out);
        break;
    case VMX_APIC_ACCESS:
        decode_apic_access(q, out);
        break;
    case VMX_APIC_WRITE:
        out->reason = EXIT_APIC_WRITE;
        out->apic_offset = q & APIC_Q_OFFSET;
        break;
    case VMX_EOI:
        out->reason = EXIT_EOI;
        out->vector = (uint8_t)q;
        break;
    case VMX_EPT_VIOLATION:
        decode_memory(v, raw, out);
        break;
    default:
        decode_rest(raw->reason & REASON_BASIC, out);
    }
}
