/*
 * RDMSR and WRMSR: a table of those that exist. What is not in it gives #GP, as
 * on a CPU that has it not, and is counted. The vCPU's thread.
 */
#include <stdatomic.h>

#include <arch/cpu.h>

#include "vmm/devices/kvmclock.h"
#include "vmm/devices/lapic.h"
#include "vmm/vm.h"

#define VECTOR_GP 13

/* Intel SDM 4 table 2-2, APM 2 appendix A */
#define MSR_TSC             0x10
#define MSR_PLATFORM_ID     0x17
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_TSC_ADJUST      0x3b
#define MSR_BIOS_SIGN       0x8b
#define MSR_MTRR_CAP        0xfe
#define MSR_SYSENTER_CS     0x174
#define MSR_SYSENTER_ESP    0x175
#define MSR_SYSENTER_EIP    0x176
#define MSR_MCG_CAP         0x179
#define MSR_MCG_STATUS      0x17a
#define MSR_MISC_ENABLE     0x1a0
#define MSR_MTRR_FIRST      0x200
#define MSR_MTRR_LAST       0x26f
#define MSR_PAT             0x277
#define MSR_MTRR_TYPE       0x2ff
#define MSR_EFER            0xc0000080
#define MSR_STAR            0xc0000081
#define MSR_LSTAR           0xc0000082
#define MSR_CSTAR           0xc0000083
#define MSR_SFMASK          0xc0000084
#define MSR_FS_BASE         0xc0000100
#define MSR_GS_BASE         0xc0000101
#define MSR_KERNEL_GS_BASE  0xc0000102
#define MSR_TSC_AUX         0xc0000103
#define MSR_SYSCFG          0xc0010010
#define MSR_HWCR            0xc0010015
#define MSR_DE_CFG          0xc0011029

#define EFER_SCE   (UINT64_C(1) << 0)
#define EFER_LME   (UINT64_C(1) << 8)
#define EFER_LMA   (UINT64_C(1) << 10)
#define EFER_NXE   (UINT64_C(1) << 11)
#define EFER_FFXSR (UINT64_C(1) << 14)
#define CR0_PG     (UINT64_C(1) << 31)

/* A register that is a field of struct vcpu_state. */
struct state_msr {
    uint32_t msr;
    uint16_t offset;
    bool canonical; /* an address */
};

#define STATE(n, field, address)                                  \
    {                                                             \
        .msr = (n), .offset = offsetof(struct vcpu_state, field), \
        .canonical = (address),                                   \
    }

static const struct state_msr state_msrs[] = {
    STATE(MSR_FS_BASE, segment[SEGMENT_FS].base, true),
    STATE(MSR_GS_BASE, segment[SEGMENT_GS].base, true),
    STATE(MSR_KERNEL_GS_BASE, kernel_gs_base, true),
    STATE(MSR_LSTAR, lstar, true),
    STATE(MSR_CSTAR, cstar, true),
    STATE(MSR_STAR, star, false),
    STATE(MSR_SFMASK, sfmask, false),
    STATE(MSR_SYSENTER_CS, sysenter_cs, false),
    STATE(MSR_SYSENTER_ESP, sysenter_esp, true),
    STATE(MSR_SYSENTER_EIP, sysenter_eip, true),
};

/* Registers that read as a constant, and whose writes change nothing. */
static const struct {
    uint32_t first, last;
    uint64_t value;
} constant_msrs[] = {
    {MSR_PLATFORM_ID, MSR_PLATFORM_ID, 0},
    {MSR_FEATURE_CONTROL, MSR_FEATURE_CONTROL, 1}, /* locked, nothing on */
    {MSR_TSC_ADJUST, MSR_TSC_ADJUST, 0},
    {MSR_BIOS_SIGN, MSR_BIOS_SIGN, 0},
    {MSR_MTRR_CAP, MSR_MTRR_CAP, 0}, /* none: memory is write-back */
    {MSR_MTRR_FIRST, MSR_MTRR_LAST, 0},
    {MSR_MTRR_TYPE, MSR_MTRR_TYPE, 6},
    {MSR_MCG_CAP, MSR_MCG_STATUS, 0}, /* no banks */
    {MSR_MISC_ENABLE, MSR_MISC_ENABLE, 1},
    {MSR_SYSCFG, MSR_SYSCFG, 0},
    {MSR_HWCR, MSR_HWCR, UINT64_C(1) << 24}, /* the TSC counts at P0 */
    {MSR_DE_CFG, MSR_DE_CFG, 2},             /* LFENCE serializes */
};

static const struct state_msr *state_msr_find(uint32_t msr)
{
    for (size_t i = 0; i < ARRAY_SIZE(state_msrs); i++)
        if (state_msrs[i].msr == msr)
            return &state_msrs[i];
    return NULL;
}

static uint64_t *state_field(struct vcpu_state *s, const struct state_msr *m)
{
    return (uint64_t *)(void *)((char *)s + m->offset);
}

static bool is_apic(uint32_t msr)
{
    return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
           (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

static bool constant_find(uint32_t msr, uint64_t *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(constant_msrs); i++) {
        if (msr >= constant_msrs[i].first && msr <= constant_msrs[i].last) {
            *value = constant_msrs[i].value;
            return true;
        }
    }
    return false;
}

/* false: #GP. */
static bool msr_read(struct vcpu *v, uint32_t msr, uint64_t *value)
{
    const struct state_msr *m;
    struct vcpu_state s;

    if (is_apic(msr) && v->lapic)
        return lapic_read_msr(v->lapic, msr, value);
    if (v->clock && kvmclock_read_msr(v, v->clock, msr, value))
        return true;
    if (msr == MSR_TSC_AUX) {
        *value = v->tsc_aux;
        return tsc_aux_exists();
    }
    m = state_msr_find(msr);
    if (!m && msr != MSR_EFER && msr != MSR_PAT && msr != MSR_TSC)
        return constant_find(msr, value);
    vmm_backend()->get_state(v, &s);
    if (m)
        *value = *state_field(&s, m);
    else if (msr == MSR_EFER)
        *value = s.efer;
    else if (msr == MSR_PAT)
        *value = s.pat;
    else
        *value = arch_tsc() + v->tsc_offset;
    return true;
}

/* Intel SDM 3A 2.2.1: LMA follows LME and CR0.PG; LME must not change while
 * paging is on. */
static bool efer_write(struct vcpu_state *s, uint64_t value)
{
    const uint64_t known = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE |
                           EFER_FFXSR;

    if (value & ~known)
        return false;
    if ((s->cr0 & CR0_PG) && ((value ^ s->efer) & EFER_LME))
        return false;
    s->efer = (value & ~EFER_LMA) | (s->efer & EFER_LMA);
    return true;
}

/* Each byte a memory type: 0, 1, 4 to 7. Intel SDM 3A 11.12.2 */
static bool pat_is_valid(uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t type = (uint8_t)(value >> 8 * i);

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    return true;
}

static bool is_canonical(uint64_t va)
{
    return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

static bool state_write(struct vcpu_state *s, uint32_t msr, uint64_t value)
{
    const struct state_msr *m = state_msr_find(msr);

    if (msr == MSR_EFER)
        return efer_write(s, value);
    if (msr == MSR_PAT) {
        if (!pat_is_valid(value))
            return false;
        s->pat = value;
        return true;
    }
    if (m->canonical && !is_canonical(value))
        return false;
    *state_field(s, m) = value;
    return true;
}

static bool msr_write(struct vcpu *v, uint32_t msr, uint64_t value)
{
    struct vcpu_state s;
    uint64_t old;

    if (is_apic(msr) && v->lapic)
        return lapic_write_msr(v->lapic, msr, value);
    if (v->clock && kvmclock_is_msr(msr))
        return kvmclock_write_msr(v, v->clock, msr, value);
    if (msr == MSR_TSC) {
        vmm_backend()->set_tsc_offset(v, value - arch_tsc());
        return true;
    }
    if (msr == MSR_TSC_AUX) {
        v->tsc_aux = (uint32_t)value;
        return value <= UINT32_MAX && tsc_aux_exists();
    }
    if (msr != MSR_EFER && msr != MSR_PAT && !state_msr_find(msr))
        return constant_find(msr, &old);
    vmm_backend()->get_state(v, &s);
    if (!state_write(&s, msr, value))
        return false;
    vmm_backend()->set_state(v, &s);
    return true;
}

static void refuse(struct vcpu *v)
{
    atomic_fetch_add_explicit(&v->vm->unknown_msrs, 1, memory_order_relaxed);
    vcpu_fault(v, VECTOR_GP, true, 0);
}

void exit_rdmsr(struct vcpu *v, const struct vm_exit *e)
{
    uint64_t value;

    if (!msr_read(v, (uint32_t)v->regs.gpr[GPR_RCX], &value)) {
        refuse(v);
        return;
    }
    v->regs.gpr[GPR_RAX] = (uint32_t)value;
    v->regs.gpr[GPR_RDX] = value >> 32;
    vcpu_skip(v, e);
}

void exit_wrmsr(struct vcpu *v, const struct vm_exit *e)
{
    uint64_t value = (uint32_t)v->regs.gpr[GPR_RAX] | v->regs.gpr[GPR_RDX]
                                                          << 32;

    if (msr_write(v, (uint32_t)v->regs.gpr[GPR_RCX], value))
        vcpu_skip(v, e);
    else
        refuse(v);
}
