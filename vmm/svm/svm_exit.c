/*
 * What the VMCB says about an exit, in the words of vmm/vcpu.h. Pure but for
 * NMI and window bookkeeping; the vCPU's thread.
 */
#include "vmm/svm/svm.h"
#include "vmm/walk.h"

/* Instructions of fixed form; prefixes that change nothing are the guest's own
 * mistake where the CPU does not tell the next RIP. */
#define LENGTH_CPUID   2
#define LENGTH_HLT     1
#define LENGTH_MSR     2
#define LENGTH_VMMCALL 3
#define LENGTH_XSETBV  3
#define LENGTH_MWAIT   3
#define LENGTH_RDPMC   2
#define LENGTH_MAX     15

#define OPCODE_HLT 0xf4

#define GPR_INFO 0xfu /* EXITINFO1 of MOV CR and MOV DR, decode assists */

static void length_set(const struct vcpu *v, struct vm_exit *out, unsigned n)
{
    uint64_t next = svm_vcpu(v)->vmcb->control.next_rip;

    if ((svm_features.bits & SVM_NEXT_RIP) && next - v->regs.rip <= LENGTH_MAX)
        n = (unsigned)(next - v->regs.rip);
    out->length = (uint8_t)n;
}

static void decode_io(const struct vcpu *v, struct vm_exit *out)
{
    uint32_t info = (uint32_t)out->info1;

    out->reason = EXIT_IO;
    out->io.port = (uint16_t)(info >> IOIO_PORT_SHIFT);
    out->io.size = info >> IOIO_SIZE_SHIFT & 7;
    out->io.in = info & IOIO_IN;
    out->io.string = info & IOIO_STRING;
    out->io.rep = info & IOIO_REP;
    /* EXITINFO2 is the next RIP on every CPU. */
    out->length = (uint8_t)(out->info2 - v->regs.rip);
}

static void decode_memory(struct vm_exit *out)
{
    out->reason = EXIT_MEMORY;
    out->memory.gpa = out->info2;
    out->memory.write = out->info1 & NPF_WRITE;
    out->memory.execute = out->info1 & NPF_FETCH;
    out->memory.read = !out->memory.write && !out->memory.execute;
    out->memory.table = out->info1 & NPF_TABLE;
}

/* Which register it is about is told by decode assists only; without them the
 * length stays 0, and the instruction is read. */
static void decode_cr(const struct vcpu *v, struct vm_exit *out, unsigned cr,
                      bool write)
{
    out->reason = EXIT_CR;
    out->cr.cr = (uint8_t)cr;
    out->cr.write = write;
    if ((svm_features.bits & SVM_DECODE_ASSISTS) && (out->info1 & CR_INFO_MOV))
        out->cr.gpr = out->info1 & GPR_INFO;
    else
        return;
    length_set(v, out, 0);
}

static void decode_dr(const struct vcpu *v, struct vm_exit *out, unsigned dr,
                      bool write)
{
    out->reason = EXIT_DR;
    out->dr.dr = (uint8_t)dr;
    out->dr.write = write;
    if (!(svm_features.bits & SVM_DECODE_ASSISTS))
        return;
    out->dr.gpr = out->info1 & GPR_INFO;
    length_set(v, out, 0);
}

static void decode_exception(struct vm_exit *out, unsigned vector)
{
    out->reason = EXIT_EXCEPTION;
    out->exception.vector = (uint8_t)vector;
    out->exception.has_error = vector == 17; /* #AC, of those we intercept */
    out->exception.error = (uint32_t)out->info1;
    /* The machine's own: let the kernel's handler have it. */
    if (vector == 18)
        __asm__ volatile("int $18");
}

/* The NMI handler returns; once the IRET is done, the next may come. */
static void decode_iret(struct vcpu *v, struct vm_exit *out)
{
    struct svm_vcpu *s = svm_vcpu(v);

    s->vmcb->control.intercept[3] &= ~INTERCEPT_IRET;
    svm_touch(s, CLEAN_INTERCEPTS);
    s->nmi_masked = false;
    s->iret_rip = v->regs.rip;
    out->reason = EXIT_NMI_WINDOW;
}

static void decode_vintr(struct vcpu *v, struct vm_exit *out)
{
    svm_irq_window(v, false);
    out->reason = EXIT_IRQ_WINDOW;
}

/* Exits that carry no more than their number. */
static const struct {
    uint16_t code;
    uint8_t reason, length;
} plain[] = {
    {SVM_EXIT_INTR, EXIT_HOST, 0},
    {SVM_EXIT_NMI, EXIT_HOST, 0},
    {SVM_EXIT_SMI, EXIT_HOST, 0},
    {SVM_EXIT_INIT, EXIT_HOST, 0},
    {SVM_EXIT_FERR, EXIT_HOST, 0},
    {SVM_EXIT_RDPMC, EXIT_VIRTUALIZATION, LENGTH_RDPMC},
    {SVM_EXIT_INVD, EXIT_CACHE, 0},
    {SVM_EXIT_WBINVD, EXIT_CACHE, 0},
    {SVM_EXIT_PAUSE, EXIT_PAUSE, 0},
    {SVM_EXIT_INVLPG, EXIT_INVLPG, 0},
    {SVM_EXIT_INVLPGA, EXIT_VIRTUALIZATION, 0},
    {SVM_EXIT_TASK, EXIT_TASK_SWITCH, 0},
    {SVM_EXIT_SHUTDOWN, EXIT_SHUTDOWN, 0},
    {SVM_EXIT_VMMCALL, EXIT_HYPERCALL, LENGTH_VMMCALL},
    {SVM_EXIT_MONITOR, EXIT_MWAIT, LENGTH_MWAIT},
    {SVM_EXIT_MWAIT, EXIT_MWAIT, LENGTH_MWAIT},
    {SVM_EXIT_XSETBV, EXIT_XSETBV, LENGTH_XSETBV},
};

static void decode_rest(struct vcpu *v, struct vm_exit *out)
{
    uint32_t code = out->code;

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        if (plain[i].code == code) {
            out->reason = plain[i].reason;
            length_set(v, out, plain[i].length);
            return;
        }
    }
    if (code < SVM_EXIT_CR_WRITE)
        decode_cr(v, out, code, false);
    else if (code < SVM_EXIT_DR_READ)
        decode_cr(v, out, code - SVM_EXIT_CR_WRITE, true);
    else if (code < SVM_EXIT_DR_WRITE)
        decode_dr(v, out, code - SVM_EXIT_DR_READ, false);
    else if (code < SVM_EXIT_EXCEPTION)
        decode_dr(v, out, code - SVM_EXIT_DR_WRITE, true);
    else if (code < SVM_EXIT_INTR)
        decode_exception(out, code - SVM_EXIT_EXCEPTION);
    else if (code >= SVM_EXIT_VMRUN && code <= SVM_EXIT_SKINIT)
        out->reason = EXIT_VIRTUALIZATION;
    else
        out->reason = EXIT_UNKNOWN;
}

/*
 * An interrupt of ours between STI and HLT. If one is then due for the guest
 * too, it must not come before the HLT, which nothing would end; but not every
 * CPU keeps the shadow over VMRUN (QEMU's does not). So HLT is done here.
 */
static void finish_sti_hlt(struct vcpu *v, struct vm_exit *out)
{
    struct vcpu_state s;
    uint8_t byte;

    svm_get_state(v, &s);
    if (walk_fetch(v, &s, &byte, 1) == 1 && byte == OPCODE_HLT)
        *out = (struct vm_exit){
            .reason = EXIT_HLT,
            .code = out->code,
            .length = LENGTH_HLT,
        };
}

void svm_decode(struct vcpu *v, struct vm_exit *out)
{
    const struct vmcb_control *c = &svm_vcpu(v)->vmcb->control;

    out->code = (uint32_t)c->exit_code;
    out->info1 = c->exit_info1;
    out->info2 = c->exit_info2;
    out->length = 0;
    /* The frequent ones first. */
    switch (out->code) {
    case SVM_EXIT_IOIO:
        decode_io(v, out);
        return;
    case SVM_EXIT_MSR:
        out->reason = out->info1 & 1 ? EXIT_WRMSR : EXIT_RDMSR;
        length_set(v, out, LENGTH_MSR);
        return;
    case SVM_EXIT_NPF:
        decode_memory(out);
        return;
    case SVM_EXIT_HLT:
        out->reason = EXIT_HLT;
        length_set(v, out, LENGTH_HLT);
        return;
    case SVM_EXIT_CPUID:
        out->reason = EXIT_CPUID;
        length_set(v, out, LENGTH_CPUID);
        return;
    case SVM_EXIT_VINTR:
        decode_vintr(v, out);
        return;
    case SVM_EXIT_IRET:
        decode_iret(v, out);
        return;
    default:
        decode_rest(v, out);
        if (out->reason == EXIT_HOST &&
            (c->interrupt_shadow & INTERRUPT_SHADOW))
            finish_sti_hlt(v, out);
        return;
    }
}
