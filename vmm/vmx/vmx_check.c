/* The rules for a guest's state at an entry: see vmx_check.h. Any context. */
#include "vmm/vmx/vmx_check.h"

#include <stddef.h>

#include "vmm/vmx/vmcs.h"

#define CR0_PE     (UINT64_C(1) << 0)
#define CR0_PG     (UINT64_C(1) << 31)
#define CR4_PAE    (UINT64_C(1) << 5)
#define CR4_PCIDE  (UINT64_C(1) << 17)
#define EFER_KNOWN UINT64_C(0xd01)
#define EFER_LME   (UINT64_C(1) << 8)
#define EFER_LMA   (UINT64_C(1) << 10)

#define RFLAGS_ONE  (UINT64_C(1) << 1)
#define RFLAGS_TF   (UINT64_C(1) << 8)
#define RFLAGS_IF   (UINT64_C(1) << 9)
#define RFLAGS_VM   (UINT64_C(1) << 17)
#define RFLAGS_ZERO (~UINT64_C(0x3f7fd7))

/* Segment rights, table 24-2 */
#define TYPE(r)         ((r)&0xf)
#define TYPE_ACCESSED   1u
#define TYPE_READABLE   2u
#define TYPE_WRITABLE   2u
#define TYPE_CONFORMING 4u
#define TYPE_CODE       8u
#define TYPE_LDT        2u
#define TYPE_TSS16_BUSY 3u
#define TYPE_TSS_BUSY   11u
#define TYPE_DATA       3u /* writable, accessed: CS in real mode */
#define RIGHTS_S        (1u << 4)
#define DPL(r)          ((r) >> 5 & 3)
#define RIGHTS_P        (1u << 7)
#define RIGHTS_ZERO     0xfffe0f00u
#define RIGHTS_L        (1u << 13)
#define RIGHTS_D        (1u << 14)
#define RIGHTS_G        (1u << 15)
#define RIGHTS_VM       0xf3u
#define SELECTOR_TI     4u
#define LIMIT_VM        0xffffu

#define BLOCKED_BY_SMI (1u << 2)
#define BLOCKED_SHADOW (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)
#define BLOCKED_ZERO   (~0x1fu)
#define ACTIVITY_HLT   1
#define ACTIVITY_SIPI  3
#define DEBUG_ZERO     (~UINT64_C(0x1500f))
#define DEBUG_STEP     (UINT64_C(1) << 14)
#define PDPTE_PRESENT  UINT64_C(1)
#define PDPTE_ZERO     UINT64_C(0x1e6)
#define EVENT_IS(e, is) \
    (((e)&EVENT_VALID) && ((e) >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK) == (is))

/* A rule is a line: `if (broken(...)) return true;`, whose text it sets. */
#define RULE(wrong, what, text)                        \
    do {                                               \
        if (wrong) {                                   \
            *out = (struct vmx_fault){(what), (text)}; \
            return true;                               \
        }                                              \
    } while (0)

static bool is_long(const struct vmx_guest *g)
{
    return g->entry & ENTRY_GUEST_64;
}

static bool is_canonical(uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static bool too_wide(const struct vmx_guest *g, uint64_t address)
{
    return address >> g->phys_bits;
}

/* --- 26.3.1.1: control registers, debug registers, MSRs --- */

static bool pat_is_valid(uint64_t pat)
{
    for (; pat; pat >>= 8)
        if ((pat & 0xff) > 7 || (pat & 0xff) == 2 || (pat & 0xff) == 3)
            return false;
    return true;
}

static bool check_control(const struct vmx_guest *g, struct vmx_fault *out)
{
    uint64_t cr0_one = g->cr0_fixed0 & ~(CR0_PE | CR0_PG);

    RULE(~g->cr0 & cr0_one, "CR0", "a bit that must be 1 is 0");
    RULE(g->cr0 & ~g->cr0_fixed1, "CR0", "a bit that must be 0 is 1");
    RULE((g->cr0 & CR0_PG) && !(g->cr0 & CR0_PE), "CR0", "paging without PE");
    RULE(~g->cr4 & g->cr4_fixed0, "CR4", "a bit that must be 1 is 0");
    RULE(g->cr4 & ~g->cr4_fixed1, "CR4", "a bit that must be 0 is 1");
    RULE(is_long(g) && !(g->cr0 & CR0_PG), "CR0", "long mode without paging");
    RULE(is_long(g) && !(g->cr4 & CR4_PAE), "CR4", "long mode without PAE");
    RULE(!is_long(g) && (g->cr4 & CR4_PCIDE), "CR4", "PCIDE without long mode");
    RULE(too_wide(g, g->cr3), "CR3", "beyond the physical address width");
    RULE(g->dr7 >> 32, "DR7", "bits 63:32 are not 0");
    RULE(!is_canonical(g->sysenter_esp), "SYSENTER_ESP", "not canonical");
    RULE(!is_canonical(g->sysenter_eip), "SYSENTER_EIP", "not canonical");
    RULE(!pat_is_valid(g->pat), "PAT", "a memory type that is none");
    RULE(g->efer & ~EFER_KNOWN, "EFER", "a reserved bit is 1");
    RULE(!(g->efer & EFER_LMA) == is_long(g), "EFER",
         "LMA is not as the entry controls have it");
    RULE((g->cr0 & CR0_PG) && !(g->efer & EFER_LMA) != !(g->efer & EFER_LME),
         "EFER", "LME is not LMA");
    return false;
}

/* --- 26.3.1.2: segments --- */

static const char *const names[SEGMENT_COUNT] = {"ES", "CS", "SS",   "DS",
                                                 "FS", "GS", "LDTR", "TR"};

static bool is_usable(const struct vmx_segment *s)
{
    return !(s->rights & RIGHTS_UNUSABLE);
}

static bool granularity_fits(const struct vmx_segment *s)
{
    if (s->rights & RIGHTS_G)
        return (s->limit & 0xfff) == 0xfff;
    return !(s->limit >> 20);
}

/* What holds for each that is usable. */
static bool check_any(const struct vmx_segment *s, const char *name,
                      bool system, struct vmx_fault *out)
{
    RULE(!(s->rights & RIGHTS_P), name, "not present");
    RULE(!(s->rights & RIGHTS_S) != system, name, "S is wrong");
    RULE(s->rights & RIGHTS_ZERO, name, "a reserved bit of the rights is 1");
    RULE(!granularity_fits(s), name, "the limit does not fit to G");
    return false;
}

static bool check_virtual_8086(const struct vmx_guest *g, struct vmx_fault *out)
{
    for (unsigned i = SEGMENT_ES; i <= SEGMENT_GS; i++) {
        const struct vmx_segment *s = &g->segment[i];

        RULE(s->base != (uint64_t)s->selector << 4, names[i],
             "the base is not the selector's, in virtual-8086 mode");
        RULE(s->limit != LIMIT_VM, names[i], "virtual-8086 mode has 0xffff");
        RULE(s->rights != RIGHTS_VM, names[i],
             "virtual-8086 mode has rights 0xf3");
    }
    return false;
}

static bool check_cs(const struct vmx_guest *g, struct vmx_fault *out)
{
    const struct vmx_segment *cs = &g->segment[SEGMENT_CS];
    uint32_t type = TYPE(cs->rights), dpl = DPL(cs->rights);
    uint32_t ss_dpl = DPL(g->segment[SEGMENT_SS].rights);
    bool code = type & TYPE_CODE;

    RULE(!is_usable(cs), "CS", "not usable");
    if (check_any(cs, "CS", false, out))
        return true;
    RULE(type != TYPE_DATA && !(code && (type & TYPE_ACCESSED)), "CS",
         "neither accessed code nor real mode's data");
    RULE(type == TYPE_DATA && dpl, "CS", "real mode's has not DPL 0");
    RULE(code && !(type & TYPE_CONFORMING) && dpl != ss_dpl, "CS",
         "the DPL is not SS's");
    RULE(code && (type & TYPE_CONFORMING) && dpl > ss_dpl, "CS",
         "conforming with a DPL above SS's");
    RULE(is_long(g) && (cs->rights & RIGHTS_L) && (cs->rights & RIGHTS_D), "CS",
         "L and D together");
    RULE(cs->base >> 32, "CS", "the base has more than 32 bits");
    return false;
}

static bool check_ss(const struct vmx_guest *g, struct vmx_fault *out)
{
    const struct vmx_segment *ss = &g->segment[SEGMENT_SS];
    bool real = TYPE(g->segment[SEGMENT_CS].rights) == TYPE_DATA ||
                !(g->cr0 & CR0_PE);

    RULE(real && DPL(ss->rights), "SS", "real mode's has not DPL 0");
    if (!is_usable(ss))
        return false;
    if (check_any(ss, "SS", false, out))
        return true;
    RULE(TYPE(ss->rights) != 3 && TYPE(ss->rights) != 7, "SS",
         "not writable data that was accessed");
    RULE(ss->base >> 32, "SS", "the base has more than 32 bits");
    return false;
}

static bool check_data(const struct vmx_guest *g, unsigned i,
                       struct vmx_fault *out)
{
    const struct vmx_segment *s = &g->segment[i];
    uint32_t type = TYPE(s->rights);

    RULE((i == SEGMENT_FS || i == SEGMENT_GS) && !is_canonical(s->base),
         names[i], "the base is not canonical");
    if (!is_usable(s))
        return false;
    if (check_any(s, names[i], false, out))
        return true;
    RULE(!(type & TYPE_ACCESSED), names[i], "not accessed");
    RULE((type & TYPE_CODE) && !(type & TYPE_READABLE), names[i],
         "code that is not readable");
    RULE(i <= SEGMENT_DS && s->base >> 32, names[i],
         "the base has more than 32 bits");
    return false;
}

static bool check_system(const struct vmx_guest *g, struct vmx_fault *out)
{
    const struct vmx_segment *tr = &g->segment[SEGMENT_TR];
    const struct vmx_segment *ldtr = &g->segment[SEGMENT_LDTR];
    uint32_t type = TYPE(tr->rights);

    RULE(!is_usable(tr), "TR", "not usable");
    if (check_any(tr, "TR", true, out))
        return true;
    RULE(type != TYPE_TSS_BUSY && (is_long(g) || type != TYPE_TSS16_BUSY), "TR",
         "not a busy TSS of this mode");
    RULE(tr->selector & SELECTOR_TI, "TR", "in the LDT");
    RULE(!is_canonical(tr->base), "TR", "the base is not canonical");
    if (!is_usable(ldtr))
        return false;
    if (check_any(ldtr, "LDTR", true, out))
        return true;
    RULE(TYPE(ldtr->rights) != TYPE_LDT, "LDTR", "not an LDT");
    RULE(ldtr->selector & SELECTOR_TI, "LDTR", "in the LDT");
    RULE(!is_canonical(ldtr->base), "LDTR", "the base is not canonical");
    return false;
}

static bool check_segments(const struct vmx_guest *g, struct vmx_fault *out)
{
    if (g->rflags & RFLAGS_VM)
        return check_virtual_8086(g, out) || check_system(g, out);
    return check_cs(g, out) || check_ss(g, out) ||
           check_data(g, SEGMENT_DS, out) || check_data(g, SEGMENT_ES, out) ||
           check_data(g, SEGMENT_FS, out) || check_data(g, SEGMENT_GS, out) ||
           check_system(g, out);
}

/* --- 26.3.1.3, 26.3.1.4: tables, RIP, RFLAGS --- */

static bool check_flow(const struct vmx_guest *g, struct vmx_fault *out)
{
    bool code64 = is_long(g) && (g->segment[SEGMENT_CS].rights & RIGHTS_L);

    RULE(!is_canonical(g->gdtr.base), "GDTR", "the base is not canonical");
    RULE(!is_canonical(g->idtr.base), "IDTR", "the base is not canonical");
    RULE(g->gdtr.limit >> 16, "GDTR", "the limit has more than 16 bits");
    RULE(g->idtr.limit >> 16, "IDTR", "the limit has more than 16 bits");
    RULE(!code64 && g->rip >> 32, "RIP", "more than 32 bits");
    RULE(code64 && !is_canonical(g->rip), "RIP", "not canonical");
    RULE(g->rflags & RFLAGS_ZERO, "RFLAGS", "a reserved bit is 1");
    RULE(!(g->rflags & RFLAGS_ONE), "RFLAGS", "bit 1 is 0");
    RULE((g->rflags & RFLAGS_VM) && (is_long(g) || !(g->cr0 & CR0_PE)),
         "RFLAGS", "virtual-8086 mode in long or real mode");
    RULE(EVENT_IS(g->event, EVENT_EXTERNAL) && !(g->rflags & RFLAGS_IF),
         "RFLAGS", "an interrupt is injected while IF is 0");
    return false;
}

/* --- 26.3.1.5: the rest --- */

static bool check_blocking(const struct vmx_guest *g, struct vmx_fault *out)
{
    static const char field[] = "interruptibility";
    uint32_t i = g->interruptibility, shadow = i & BLOCKED_SHADOW;

    RULE(i & BLOCKED_ZERO, field, "a reserved bit is 1");
    RULE(shadow == BLOCKED_SHADOW, field, "blocked by STI and by MOV SS");
    RULE((i & BLOCKED_BY_STI) && !(g->rflags & RFLAGS_IF), field,
         "blocked by STI while IF is 0");
    RULE(shadow && EVENT_IS(g->event, EVENT_EXTERNAL), field,
         "an interrupt is injected while it is blocked");
    RULE((i & (BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI)) &&
             EVENT_IS(g->event, EVENT_NMI),
         field, "an NMI is injected while it is blocked");
    RULE(i & BLOCKED_BY_SMI, field, "blocked by SMI outside of SMM");
    return false;
}

static bool check_rest(const struct vmx_guest *g, struct vmx_fault *out)
{
    bool shadow = g->interruptibility & BLOCKED_SHADOW;
    bool step = g->pending_debug & DEBUG_STEP, trap = g->rflags & RFLAGS_TF;

    RULE(g->activity > ACTIVITY_SIPI, "activity", "none that there is");
    RULE(g->activity == ACTIVITY_HLT && DPL(g->segment[SEGMENT_SS].rights),
         "activity", "halted above CPL 0");
    RULE(g->activity && shadow, "activity", "not active behind STI or MOV SS");
    if (check_blocking(g, out))
        return true;
    RULE(g->pending_debug & DEBUG_ZERO, "pending debug exceptions",
         "a reserved bit is 1");
    RULE((shadow || g->activity == ACTIVITY_HLT) && step != trap,
         "pending debug exceptions", "BS is not RFLAGS.TF");
    RULE(g->link != UINT64_MAX, "link pointer", "not all ones");
    return false;
}

/* --- 26.3.1.6 --- */

static bool check_pdptes(const struct vmx_guest *g, struct vmx_fault *out)
{
    if (!(g->cr0 & CR0_PG) || !(g->cr4 & CR4_PAE) || is_long(g))
        return false;
    for (unsigned i = 0; i < 4; i++)
        RULE((g->pdpte[i] & PDPTE_PRESENT) &&
                 ((g->pdpte[i] & PDPTE_ZERO) || too_wide(g, g->pdpte[i])),
             "PDPTE", "a reserved bit is 1");
    return false;
}

bool vmx_check_guest(const struct vmx_guest *g, struct vmx_fault *out)
{
    return check_control(g, out) || check_segments(g, out) ||
           check_flow(g, out) || check_rest(g, out) || check_pdptes(g, out);
}
