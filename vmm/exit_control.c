/*
 * Control and debug registers, XSETBV, cache instructions. Where the CPU does
 * not tell which general register an instruction names, its bytes are read. The
 * vCPU's thread.
 */
#include <arch/cpu.h>
#include <arch/features.h>

#include "vmm/devices/lapic.h"
#include "vmm/vm.h"
#include "vmm/walk.h"

#define INSN_MAX  15
#define VECTOR_UD 6
#define VECTOR_GP 13

#define CR0_PE      (UINT64_C(1) << 0)
#define CR0_ET      (UINT64_C(1) << 4)
#define CR0_NW      (UINT64_C(1) << 29)
#define CR0_CD      (UINT64_C(1) << 30)
#define CR0_PG      (UINT64_C(1) << 31)
#define EFER_LME    (UINT64_C(1) << 8)
#define CR4_DE      (UINT64_C(1) << 3)
#define CR4_PAE     (UINT64_C(1) << 5)
#define CR4_OSXSAVE (UINT64_C(1) << 18)
#define EFER_LMA    (UINT64_C(1) << 10)
/* VME PVI TSD DE PSE PAE MCE PGE OSFXSR OSXMMEXCPT: every CPU has them. */
#define CR4_ALWAYS     UINT64_C(0x6ff)
#define CR4_UMIP       (UINT64_C(1) << 11)
#define CR4_FSGSBASE   (UINT64_C(1) << 16)
#define CR4_SMEP       (UINT64_C(1) << 20)
#define CR4_SMAP       (UINT64_C(1) << 21)
#define XCR0_X87       UINT64_C(1)
#define XCR0_SSE       UINT64_C(2)
#define XCR0_AVX       UINT64_C(4)
#define XCR0_AVX512    UINT64_C(0xe0)
#define DR6_FIXED_ONE  UINT64_C(0xffff0ff0)
#define DR6_FIXED_ZERO (UINT64_C(1) << 12)
#define DR7_FIXED_ONE  UINT64_C(0x400)
#define DR7_FIXED_ZERO UINT64_C(0xd800)

#define SEGMENT_ATTRIBUTES_LONG(s) \
    (((s)->efer & EFER_LMA) &&     \
     ((s)->segment[SEGMENT_CS].attributes & SEGMENT_LONG))

/* What the bytes at RIP say. */
struct insn {
    uint8_t length;
    uint8_t gpr; /* of ModRM.rm, with REX.B */
};

static bool is_prefix(uint8_t b)
{
    switch (b) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xf0:
    case 0xf2:
    case 0xf3:
        return true;
    default:
        return false;
    }
}

/* 0F xx, with a ModRM byte that names registers if `modrm`. false: something
 * else stands there by now. */
static bool insn_read(struct vcpu *v, const struct vcpu_state *s, bool modrm,
                      struct insn *out)
{
    uint8_t bytes[INSN_MAX], rex = 0;
    size_t n = walk_fetch(v, s, bytes, sizeof(bytes)), i = 0;

    while (i < n && is_prefix(bytes[i]))
        i++;
    if (i < n && SEGMENT_ATTRIBUTES_LONG(s) && (bytes[i] & 0xf0) == 0x40)
        rex = bytes[i++];
    if (i + 2 + modrm > n || bytes[i] != 0x0f)
        return false;
    i += 2;
    out->gpr = 0;
    if (modrm)
        out->gpr = (uint8_t)((bytes[i++] & 7) | (rex & 1) << 3);
    out->length = (uint8_t)i;
    return true;
}

/* The register, and how far to go on. */
static bool operand(struct vcpu *v, const struct vcpu_state *s,
                    const struct vm_exit *e, uint8_t gpr, struct insn *out)
{
    if (e->length) {
        *out = (struct insn){.length = e->length, .gpr = gpr};
        return true;
    }
    return insn_read(v, s, true, out);
}

static void skip(struct vcpu *v, const struct insn *insn)
{
    vcpu_skip(v, &(struct vm_exit){.length = insn->length});
}

static void general_protection(struct vcpu *v)
{
    vcpu_fault(v, VECTOR_GP, true, 0);
}

/* --- CR0, CR4, CR8 --- */

/* A CPU with nested tables of AMD's walks PAE's top entries as any other. */
static bool pdptes_allow(struct vcpu *v, const struct vcpu_state *s)
{
    uint64_t entries[WALK_PDPTES];

    return vmm_backend()->nested != NESTED_EPT ||
           !walk_pdptes_read(v, s, entries) || walk_pdptes_valid(entries);
}

static uint64_t cr4_allowed(void)
{
    const struct arch_cpu_info *info = arch_cpu_info();

    bool fsgsbase = info->max_leaf >= 7 && (arch_cpuid(7, 0).ebx & 1);

    return CR4_ALWAYS | (fsgsbase ? CR4_FSGSBASE : 0) |
           (info->umip ? CR4_UMIP : 0) | (info->smep ? CR4_SMEP : 0) |
           (info->smap ? CR4_SMAP : 0) | (info->xsave ? CR4_OSXSAVE : 0);
}

static bool cr4_write(struct vcpu *v, struct vcpu_state *s, uint64_t value)
{
    if (value & ~cr4_allowed())
        return false;
    if ((s->efer & EFER_LMA) && !(value & CR4_PAE))
        return false;
    s->cr4 = value;
    if (!pdptes_allow(v, s))
        return false;
    vmm_backend()->set_state(v, s);
    /* Bits that translations depend on may have changed. */
    vmm_backend()->flush_tlb(v);
    return true;
}

/* Only what a back end keeps for itself exits: VMX the bits NE, NW and CD. With
 * them the guest may switch paging and long mode on or off (Intel SDM 3A 4.1,
 * 10.8.5). */
static bool cr0_write(struct vcpu *v, struct vcpu_state *s, uint64_t value)
{
    bool paging = value & CR0_PG, before = s->cr0 & CR0_PG;

    if (value >> 32 || (paging && !(value & CR0_PE)) ||
        ((value & CR0_NW) && !(value & CR0_CD)))
        return false;
    if (paging && !before && (s->efer & EFER_LME)) {
        if (!(s->cr4 & CR4_PAE))
            return false;
        s->efer |= EFER_LMA;
    } else if (!paging && before) {
        if (SEGMENT_ATTRIBUTES_LONG(s))
            return false;
        s->efer &= ~EFER_LMA;
    }
    s->cr0 = value | CR0_ET;
    if (!pdptes_allow(v, s))
        return false;
    vmm_backend()->set_state(v, s);
    return true;
}

static bool cr8(struct vcpu *v, const struct vm_exit *e, uint64_t *gpr)
{
    if (e->cr.write && *gpr > 15)
        return false;
    if (!v->lapic) {
        if (!e->cr.write)
            *gpr = 0;
    } else if (e->cr.write) {
        lapic_set_tpr(v->lapic, (uint8_t)(*gpr << 4));
    } else {
        *gpr = lapic_get_tpr(v->lapic) >> 4;
    }
    return true;
}

void exit_cr(struct vcpu *v, const struct vm_exit *e)
{
    struct vcpu_state s;
    struct insn insn;
    bool done = false;
    uint64_t *gpr;

    vmm_backend()->get_state(v, &s);
    if (!operand(v, &s, e, e->cr.gpr, &insn))
        return; /* it has changed: meet it again */
    gpr = &v->regs.gpr[insn.gpr];
    if (e->cr.cr == 4 && e->cr.write)
        done = cr4_write(v, &s,
                         SEGMENT_ATTRIBUTES_LONG(&s) ? *gpr : (uint32_t)*gpr);
    else if (e->cr.cr == 0 && e->cr.write)
        done = cr0_write(v, &s,
                         SEGMENT_ATTRIBUTES_LONG(&s) ? *gpr : (uint32_t)*gpr);
    else if (e->cr.cr == 8)
        done = cr8(v, e, gpr);
    if (done)
        skip(v, &insn);
    else
        general_protection(v);
}

/* --- debug registers --- */

static uint64_t dr_read(const struct vcpu *v, const struct vcpu_state *s,
                        unsigned dr)
{
    if (dr < 4)
        return v->dr[dr];
    return dr == 6 ? s->dr6 : s->dr7;
}

static void dr_write(struct vcpu *v, struct vcpu_state *s, unsigned dr,
                     uint64_t value)
{
    if (dr < 4)
        v->dr[dr] = value;
    else if (dr == 6)
        s->dr6 = (value & ~DR6_FIXED_ZERO) | DR6_FIXED_ONE;
    else
        s->dr7 = (value & ~DR7_FIXED_ZERO) | DR7_FIXED_ONE;
    vmm_backend()->set_state(v, s);
}

void exit_dr(struct vcpu *v, const struct vm_exit *e)
{
    struct vcpu_state s;
    struct insn insn;
    unsigned dr = e->dr.dr;
    uint64_t *gpr;

    vmm_backend()->get_state(v, &s);
    if (!operand(v, &s, e, e->dr.gpr, &insn))
        return;
    gpr = &v->regs.gpr[insn.gpr];
    if (dr == 4 || dr == 5) {
        if (s.cr4 & CR4_DE) {
            vcpu_fault(v, VECTOR_UD, false, 0);
            return;
        }
        dr += 2;
    }
    if (dr > 7) {
        vcpu_fault(v, VECTOR_UD, false, 0);
    } else if (!e->dr.write) {
        *gpr = dr_read(v, &s, dr);
        skip(v, &insn);
    } else if (dr >= 6 && *gpr >> 32 && SEGMENT_ATTRIBUTES_LONG(&s)) {
        general_protection(v);
    } else {
        dr_write(v, &s, dr,
                 SEGMENT_ATTRIBUTES_LONG(&s) ? *gpr : (uint32_t)*gpr);
        skip(v, &insn);
    }
}

/* --- XSETBV --- */

/* Only what a switch of threads saves. Intel SDM 1 13.3 */
static bool xcr0_is_valid(uint64_t value)
{
    uint64_t avx512 = value & XCR0_AVX512;

    if ((value & ~arch_cpu_info()->xcr0) || !(value & XCR0_X87))
        return false;
    if ((value & XCR0_AVX) && !(value & XCR0_SSE))
        return false;
    return !avx512 || (avx512 == XCR0_AVX512 && (value & XCR0_AVX));
}

void exit_xsetbv(struct vcpu *v, const struct vm_exit *e)
{
    uint64_t value = (uint32_t)v->regs.gpr[GPR_RAX] | v->regs.gpr[GPR_RDX]
                                                          << 32;
    struct vcpu_state s;

    vmm_backend()->get_state(v, &s);
    if ((walk_access(&s, false) & WALK_USER) ||
        (uint32_t)v->regs.gpr[GPR_RCX] || !xcr0_is_valid(value)) {
        general_protection(v);
        return;
    }
    v->xcr0 = value;
    vcpu_skip(v, e);
}

/* --- INVD, WBINVD --- */

/* Guest memory is coherent; writing all caches back is nothing that a guest may
 * do to the machine. */
void exit_cache(struct vcpu *v, const struct vm_exit *e)
{
    struct vcpu_state s;
    struct insn insn = {.length = e->length};

    if (!insn.length) {
        vmm_backend()->get_state(v, &s);
        if (!insn_read(v, &s, false, &insn))
            return;
    }
    skip(v, &insn);
}
