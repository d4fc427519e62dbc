/*
 * A vCPU's registers between our form and the VMCS. What is set is kept, and
 * written with the next entry; what is asked for is read once after an exit.
 */
#include <arch/cpu.h>
#include <arch/trap.h>
#include <rayos/cmdline.h>
#include <rayos/percpu.h>

#include "vmm/vmx/vmx.h"
#include "vmm/walk.h"

#define CR0_ET        (UINT64_C(1) << 4)
#define CR0_NE        (UINT64_C(1) << 5)
#define CR0_NW        (UINT64_C(1) << 29)
#define CR0_CD        (UINT64_C(1) << 30)
#define CR0_OURS      (CR0_NE | CR0_NW | CR0_CD)
#define CR4_MCE       (UINT64_C(1) << 6)
#define CR4_VMXE      (UINT64_C(1) << 13)
#define GUEST_LMA     (UINT64_C(1) << 10)
#define MSR_STAR      0xc0000081
#define MSR_LSTAR     0xc0000082
#define MSR_CSTAR     0xc0000083
#define MSR_SFMASK    0xc0000084
#define MSR_KERNEL_GS 0xc0000102
#define RIGHTS_LOW    0xffu
#define RIGHTS_HIGH   0xf00u /* AVL, L, D, G: four bits higher there */
#define RIGHTS_SHIFT  4

/* --- segments --- */

static void segment_read(unsigned i, struct segment *to)
{
    uint32_t n = i * VMCS_STEP;
    uint32_t rights = (uint32_t)vmcs_read(VMCS_GUEST_RIGHTS + n);

    *to = (struct segment){
        .selector = (uint16_t)vmcs_read(VMCS_GUEST_SELECTOR + n),
        .limit = (uint32_t)vmcs_read(VMCS_GUEST_LIMIT + n),
        .base = vmcs_read(VMCS_GUEST_BASE + n),
        .attributes = (uint16_t)((rights & RIGHTS_LOW) |
                                 (rights >> RIGHTS_SHIFT & RIGHTS_HIGH)),
    };
    if ((rights & RIGHTS_UNUSABLE) || !(to->attributes & SEGMENT_PRESENT))
        to->attributes |= SEGMENT_UNUSABLE;
}

static void segment_write(unsigned i, const struct segment *from)
{
    uint32_t n = i * VMCS_STEP, rights = from->attributes & RIGHTS_LOW;

    rights |= (from->attributes & RIGHTS_HIGH) << RIGHTS_SHIFT;
    if ((from->attributes & SEGMENT_UNUSABLE) || !(rights & SEGMENT_PRESENT))
        rights |= RIGHTS_UNUSABLE;
    vmcs_write(VMCS_GUEST_SELECTOR + n, from->selector);
    vmcs_write(VMCS_GUEST_LIMIT + n, from->limit);
    vmcs_write(VMCS_GUEST_BASE + n, from->base);
    vmcs_write(VMCS_GUEST_RIGHTS + n, rights);
}

/* --- reading --- */

static void read_state(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_vcpu(v);
    struct vcpu_state *o = &s->state;

    if (!vmx_load(v))
        return;
    for (unsigned i = 0; i < SEGMENT_COUNT; i++)
        segment_read(i, &o->segment[i]);
    o->gdtr = (struct table_register){
        vmcs_read(VMCS_GUEST_GDTR_BASE),
        (uint16_t)vmcs_read(VMCS_GUEST_GDTR_LIMIT)};
    o->idtr = (struct table_register){
        vmcs_read(VMCS_GUEST_IDTR_BASE),
        (uint16_t)vmcs_read(VMCS_GUEST_IDTR_LIMIT)};
    o->cr0 = (vmcs_read(VMCS_GUEST_CR0) & ~CR0_OURS) |
             (vmcs_read(VMCS_CR0_SHADOW) & CR0_OURS);
    o->cr3 = vmcs_read(VMCS_GUEST_CR3);
    o->cr4 = vmcs_read(VMCS_CR4_SHADOW);
    o->efer = vmcs_read(VMCS_GUEST_EFER);
    o->dr7 = vmcs_read(VMCS_GUEST_DR7);
    o->sysenter_cs = vmcs_read(VMCS_GUEST_SYSENTER_CS);
    o->sysenter_esp = vmcs_read(VMCS_GUEST_SYSENTER_ESP);
    o->sysenter_eip = vmcs_read(VMCS_GUEST_SYSENTER_EIP);
    o->pat = vmcs_read(VMCS_GUEST_PAT);
    s->cached = true;
}

static void read_kernel_gs(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_vcpu(v);

    if (vmx_this_cpu()->msrs_of == s && !s->msrs_dirty)
        s->state.kernel_gs_base = arch_rdmsr(MSR_KERNEL_GS);
}

void vmx_get_state(struct vcpu *v, struct vcpu_state *out)
{
    struct vmx_vcpu *s = vmx_vcpu(v);

    if (!s->cached) {
        vmx_on_cpu(v, read_state);
        vmx_on_cpu(v, read_kernel_gs);
    }
    *out = s->state;
}

/* --- writing --- */

void vmx_set_state(struct vcpu *v, const struct vcpu_state *in)
{
    struct vmx_vcpu *s = vmx_vcpu(v);
    const struct vcpu_state *o = &s->state;

    /* What a move by the guest itself would have flushed (28.3.3.1). */
    if (!s->cached || o->cr0 != in->cr0 || o->cr3 != in->cr3 ||
        o->cr4 != in->cr4 || o->efer != in->efer)
        s->flush = s->pdptes = true;
    s->state = *in;
    s->cached = s->dirty = s->msrs_dirty = true;
    v->cr4 = in->cr4;
}

/* 26.3.1.6: with EPT an entry takes them from here, not from memory; an exit
 * leaves here what the guest itself has loaded meanwhile. Wrong ones, by
 * another CPU of the guest's since they were checked, would have the entry
 * refused. */
static void write_pdptes(struct vcpu *v, struct vmx_vcpu *s)
{
    uint64_t entries[WALK_PDPTES];
    bool valid;

    if (!s->pdptes)
        return;
    s->pdptes = false;
    if (!walk_pdptes_read(v, &s->state, entries))
        return;
    valid = walk_pdptes_valid(entries);
    for (unsigned i = 0; i < WALK_PDPTES; i++)
        vmcs_write(VMCS_GUEST_PDPTE + i * VMCS_STEP, valid ? entries[i] : 0);
}

static void write_control_registers(const struct vcpu_state *o)
{
    uint32_t entry = vmx_features.controls.entry & ~ENTRY_GUEST_64;

    vmcs_write(VMCS_GUEST_CR0, (o->cr0 & ~(CR0_CD | CR0_NW)) | CR0_NE | CR0_ET);
    vmcs_write(VMCS_CR0_SHADOW, o->cr0 | CR0_ET);
    vmcs_write(VMCS_GUEST_CR3, o->cr3);
    /* Without MCE a machine check in the guest would shut the machine down. */
    vmcs_write(VMCS_GUEST_CR4, o->cr4 | CR4_VMXE | CR4_MCE);
    vmcs_write(VMCS_CR4_SHADOW, o->cr4);
    vmcs_write(VMCS_GUEST_EFER, o->efer);
    vmcs_write(VMCS_ENTRY, entry | (o->efer & GUEST_LMA ? ENTRY_GUEST_64 : 0));
}

/* `vmx_spoil=FIELD` of a test: that field becomes 0, so that the CPU does not
 * enter the guest. */
static void spoil(void)
{
    static uint32_t field = UINT32_MAX;

    if (field == UINT32_MAX)
        field = cmdline_has("testhooks")
                    ? (uint32_t)cmdline_number("vmx_spoil", 0)
                    : 0;
    if (field)
        vmcs_write(field, 0);
}

void vmx_write_state(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_vcpu(v);
    const struct vcpu_state *o = &s->state;

    for (unsigned i = 0; i < SEGMENT_COUNT; i++)
        segment_write(i, &o->segment[i]);
    vmcs_write(VMCS_GUEST_GDTR_BASE, o->gdtr.base);
    vmcs_write(VMCS_GUEST_GDTR_LIMIT, o->gdtr.limit);
    vmcs_write(VMCS_GUEST_IDTR_BASE, o->idtr.base);
    vmcs_write(VMCS_GUEST_IDTR_LIMIT, o->idtr.limit);
    write_control_registers(o);
    write_pdptes(v, s);
    vmcs_write(VMCS_GUEST_DR7, o->dr7);
    vmcs_write(VMCS_GUEST_SYSENTER_CS, o->sysenter_cs);
    vmcs_write(VMCS_GUEST_SYSENTER_ESP, o->sysenter_esp);
    vmcs_write(VMCS_GUEST_SYSENTER_EIP, o->sysenter_eip);
    vmcs_write(VMCS_GUEST_PAT, o->pat);
    spoil();
    s->dirty = false;
}

/* --- MSRs that the CPU itself holds; we use none of them ourselves --- */

void vmx_drop_msrs(struct vmx_vcpu *s, struct vmx_cpu *cpu)
{
    if (cpu->msrs_of != s)
        return;
    if (!s->msrs_dirty) /* SWAPGS changes it without an exit */
        s->state.kernel_gs_base = arch_rdmsr(MSR_KERNEL_GS);
    cpu->msrs_of = NULL;
}

void vmx_load_msrs(struct vmx_vcpu *s, struct vmx_cpu *cpu)
{
    const struct vcpu_state *o = &s->state;

    if (cpu->msrs_of == s && !s->msrs_dirty)
        return;
    if (cpu->msrs_of && cpu->msrs_of != s)
        vmx_drop_msrs(cpu->msrs_of, cpu);
    arch_wrmsr(MSR_STAR, o->star);
    arch_wrmsr(MSR_LSTAR, o->lstar);
    arch_wrmsr(MSR_CSTAR, o->cstar);
    arch_wrmsr(MSR_SFMASK, o->sfmask);
    arch_wrmsr(MSR_KERNEL_GS, o->kernel_gs_base);
    cpu->msrs_of = s;
    s->msrs_dirty = false;
}

/* --- the rest --- */

void vmx_flush_tlb(struct vcpu *v)
{
    vmx_vcpu(v)->flush = true;
}

void vmx_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
    v->tsc_offset = offset;
    vmx_vcpu(v)->tsc_dirty = true;
}
