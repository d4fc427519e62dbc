/*
 * A vCPU's VMCB: what is intercepted, and the registers that are not exchanged
 * at each exit. The vCPU's thread, or any while it is not running.
 */
#include "vmm/svm/svm.h"

#include <errno.h>

#include <rayos/fmt.h>
#include <rayos/mm.h>

#define CR0_ET (UINT64_C(1) << 4)
#define CR0_NW (UINT64_C(1) << 29)
#define CR0_CD (UINT64_C(1) << 30)

/* VMCB attributes have no "unusable": it is "not present" there. */
#define ATTRIBUTES    0xfffu
#define DPL_SHIFT     5
#define DPL_MASK      3u
#define EXCEPTION_DB  1
#define EXCEPTION_AC  17
#define EXCEPTION_MC  18
#define CPL_OF_SS(at) ((uint8_t)((at) >> DPL_SHIFT & DPL_MASK))

static const uint32_t intercepts[INTERCEPT_WORDS] = {
    /* CR4: only bits that CPUID offers. CR8: the virtual APIC's. CR0 and CR3
     * are the guest's own business under nested paging. */
    INTERCEPT_CR_WRITE(4) | INTERCEPT_CR_READ(8) | INTERCEPT_CR_WRITE(8),
    /* DR0..3 are not exchanged by VMRUN. */
    INTERCEPT_DR_ALL,
    /* The CPU can be kept busy for ever by delivering these two. */
    INTERCEPT_EXCEPTION(EXCEPTION_DB) | INTERCEPT_EXCEPTION(EXCEPTION_AC) |
        INTERCEPT_EXCEPTION(EXCEPTION_MC),
    INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_SMI | INTERCEPT_INIT |
        INTERCEPT_RDPMC | INTERCEPT_CPUID | INTERCEPT_INVD | INTERCEPT_HLT |
        INTERCEPT_INVLPGA | INTERCEPT_IOIO | INTERCEPT_MSR | INTERCEPT_FERR |
        INTERCEPT_SHUTDOWN,
    INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD | INTERCEPT_VMSAVE |
        INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT | INTERCEPT_WBINVD |
        INTERCEPT_MONITOR | INTERCEPT_MWAIT | INTERCEPT_XSETBV,
};

static void control_init(struct vmcb_control *c, const struct vm *vm)
{
    for (unsigned i = 0; i < INTERCEPT_WORDS; i++)
        c->intercept[i] = intercepts[i];
    c->iopm_base = svm_io_map();
    c->msrpm_base = svm_msr_map();
    /* The host's RFLAGS.IF decides about the host's interrupts. */
    c->v_intr = V_INTR_MASKING;
    c->nested_paging = NESTED_PAGING;
    c->nested_cr3 = guest_memory_root(vm->memory);
}

int svm_vcpu_create(struct vcpu *v)
{
    struct svm_vcpu *s = kzalloc(sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->vmcb_phys = frame_alloc(0, FRAME_ZERO);
    if (s->vmcb_phys == FRAME_NONE) {
        kfree(s);
        return -ENOMEM;
    }
    s->vmcb = phys_to_virt(s->vmcb_phys);
    control_init(&s->vmcb->control, v->vm);
    v->backend = s;
    return 0;
}

void svm_vcpu_destroy(struct vcpu *v)
{
    struct svm_vcpu *s = svm_vcpu(v);

    v->backend = NULL;
    frame_free(s->vmcb_phys, 0);
    kfree(s);
}

/* --- registers --- */

static void segment_get(const struct vmcb_segment *from, struct segment *to)
{
    *to = (struct segment){
        .selector = from->selector,
        .attributes = from->attributes & ATTRIBUTES,
        .limit = from->limit,
        .base = from->base,
    };
    if (!(to->attributes & SEGMENT_PRESENT))
        to->attributes |= SEGMENT_UNUSABLE;
}

static void segment_set(struct vmcb_segment *to, const struct segment *from)
{
    *to = (struct vmcb_segment){
        .selector = from->selector,
        .attributes = from->attributes & ATTRIBUTES,
        .limit = from->limit,
        .base = from->base,
    };
    if (from->attributes & SEGMENT_UNUSABLE)
        to->attributes &= (uint16_t)~SEGMENT_PRESENT;
}

static struct vmcb_segment *segment_at(struct vmcb_save *save, unsigned i)
{
    static const uint16_t offset[SEGMENT_COUNT] = {
        [SEGMENT_ES] = offsetof(struct vmcb_save, es),
        [SEGMENT_CS] = offsetof(struct vmcb_save, cs),
        [SEGMENT_SS] = offsetof(struct vmcb_save, ss),
        [SEGMENT_DS] = offsetof(struct vmcb_save, ds),
        [SEGMENT_FS] = offsetof(struct vmcb_save, fs),
        [SEGMENT_GS] = offsetof(struct vmcb_save, gs),
        [SEGMENT_LDTR] = offsetof(struct vmcb_save, ldtr),
        [SEGMENT_TR] = offsetof(struct vmcb_save, tr),
    };

    return (struct vmcb_segment *)(void *)((char *)save + offset[i]);
}

void svm_get_state(struct vcpu *v, struct vcpu_state *out)
{
    struct vmcb_save *s = &svm_vcpu(v)->vmcb->save;

    for (unsigned i = 0; i < SEGMENT_COUNT; i++)
        segment_get(segment_at(s, i), &out->segment[i]);
    /* The privilege level is the VMCB's own field; SS may say another. */
    out->segment[SEGMENT_SS].attributes =
        (uint16_t)((out->segment[SEGMENT_SS].attributes &
                    ~(DPL_MASK << DPL_SHIFT)) |
                   (unsigned)s->cpl << DPL_SHIFT);
    out->gdtr = (struct table_register){s->gdtr.base, (uint16_t)s->gdtr.limit};
    out->idtr = (struct table_register){s->idtr.base, (uint16_t)s->idtr.limit};
    out->cr0 = s->cr0;
    out->cr2 = s->cr2;
    out->cr3 = s->cr3;
    out->cr4 = s->cr4;
    out->efer = s->efer & ~EFER_SVME;
    out->dr6 = s->dr6;
    out->dr7 = s->dr7;
    out->star = s->star;
    out->lstar = s->lstar;
    out->cstar = s->cstar;
    out->sfmask = s->sfmask;
    out->kernel_gs_base = s->kernel_gs_base;
    out->sysenter_cs = s->sysenter_cs;
    out->sysenter_esp = s->sysenter_esp;
    out->sysenter_eip = s->sysenter_eip;
    out->pat = s->pat;
}

void svm_set_state(struct vcpu *v, const struct vcpu_state *in)
{
    struct vmcb_save *s = &svm_vcpu(v)->vmcb->save;

    /* What a move by the guest itself would have flushed (APM 2 15.16). */
    if (s->cr0 != in->cr0 || s->cr3 != in->cr3 || s->cr4 != in->cr4 ||
        s->efer != (in->efer | EFER_SVME))
        svm_vcpu(v)->flush = true;
    for (unsigned i = 0; i < SEGMENT_COUNT; i++)
        segment_set(segment_at(s, i), &in->segment[i]);
    s->cpl = CPL_OF_SS(in->segment[SEGMENT_SS].attributes);
    s->gdtr = (struct vmcb_segment){.base = in->gdtr.base,
                                    .limit = in->gdtr.limit};
    s->idtr = (struct vmcb_segment){.base = in->idtr.base,
                                    .limit = in->idtr.limit};
    /* Caches stay on for a guest that has not asked yet: its memory is
     * coherent, and would only be slow. */
    s->cr0 = (in->cr0 & ~(CR0_CD | CR0_NW)) | CR0_ET;
    s->cr2 = in->cr2;
    s->cr3 = in->cr3;
    s->cr4 = in->cr4;
    s->efer = in->efer | EFER_SVME; /* VMRUN insists, APM 2 15.5.1 */
    s->dr6 = in->dr6;
    s->dr7 = in->dr7;
    s->star = in->star;
    s->lstar = in->lstar;
    s->cstar = in->cstar;
    s->sfmask = in->sfmask;
    s->kernel_gs_base = in->kernel_gs_base;
    s->sysenter_cs = in->sysenter_cs;
    s->sysenter_esp = in->sysenter_esp;
    s->sysenter_eip = in->sysenter_eip;
    s->pat = in->pat;
    v->cr4 = in->cr4;
    svm_vcpu(v)->vmcb->control.clean = 0;
}

void svm_flush_tlb(struct vcpu *v)
{
    svm_vcpu(v)->flush = true;
}

void svm_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
    v->tsc_offset = offset;
    svm_vcpu(v)->vmcb->control.tsc_offset = offset;
    svm_touch(svm_vcpu(v), CLEAN_INTERCEPTS);
}

void svm_dump(struct vcpu *v, void (*line)(void *arg, const char *text),
              void *arg)
{
    const struct vmcb_control *c = &svm_vcpu(v)->vmcb->control;
    char text[128];

    fmt_snprintf(text, sizeof(text),
                 "VMCB exit %#llx info1 %#llx info2 %#llx interrupted %#llx",
                 (unsigned long long)c->exit_code,
                 (unsigned long long)c->exit_info1,
                 (unsigned long long)c->exit_info2,
                 (unsigned long long)c->exit_int_info);
    line(arg, text);
    fmt_snprintf(
        text, sizeof(text),
        "VMCB asid %u v_intr %#llx shadow %llu inject %#llx ncr3 %#llx",
        c->asid, (unsigned long long)c->v_intr,
        (unsigned long long)c->interrupt_shadow,
        (unsigned long long)c->event_injection,
        (unsigned long long)c->nested_cr3);
    line(arg, text);
}
