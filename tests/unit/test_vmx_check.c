/* sources: vmm/vmx/vmx_check.c */
/* Guests' states that a CPU enters, and what it would refuse. */
#include <string.h>

#include "check.h"

#include "vmm/vmx/vmcs.h"
#include "vmm/vmx/vmx_check.h"

#define CODE64        0xa09bu
#define CODE32        0xc09bu
#define DATA          0xc093u
#define TSS           0x8bu
#define NON_CANONICAL (UINT64_C(1) << 47)
#define INTERRUPT     (EVENT_VALID | EVENT_EXTERNAL << EVENT_TYPE_SHIFT | 0x31)
#define NMI           (EVENT_VALID | EVENT_NMI << EVENT_TYPE_SHIFT | 2)

static struct vmx_guest g;

static void any_mode(void)
{
    memset(&g, 0, sizeof(g));
    g.cr0_fixed0 = 0x80000021;
    g.cr0_fixed1 = 0xffffffff;
    g.cr4_fixed0 = 0x2000;
    g.cr4_fixed1 = 0x3727ff;
    g.phys_bits = 36;
    g.cr4 = 0x2000;
    g.pat = UINT64_C(0x0007040600070406);
    g.rflags = 2;
    g.link = UINT64_MAX;
    g.segment[SEGMENT_TR] = (struct vmx_segment){.limit = 0x67, .rights = TSS};
    g.segment[SEGMENT_LDTR].rights = RIGHTS_UNUSABLE;
}

static void segments(uint32_t code, uint32_t data, uint32_t limit)
{
    for (unsigned i = SEGMENT_ES; i <= SEGMENT_GS; i++)
        g.segment[i] = (struct vmx_segment){
            .limit = limit,
            .rights = i == SEGMENT_CS ? code : data,
        };
}

static void real_mode(void)
{
    any_mode();
    g.cr0 = 0x20;
    segments(0x93, 0x93, 0xffff);
}

static void protected_mode(void)
{
    any_mode();
    g.cr0 = 0x21;
    segments(CODE32, DATA, UINT32_MAX);
}

static void long_mode(void)
{
    any_mode();
    g.entry = ENTRY_GUEST_64;
    g.cr0 = 0x80000021;
    g.cr4 |= 0x20;
    g.efer = 0x500;
    segments(CODE64, DATA, UINT32_MAX);
}

/* "" when nothing is found. */
static const char *found(void)
{
    static char text[128];
    struct vmx_fault f = {"", ""};

    if (!vmx_check_guest(&g, &f))
        return "";
    CHECK(f.field && f.rule);
    snprintf(text, sizeof(text), "%s: %s", f.field, f.rule);
    return text;
}

/* With `what` of the guest changed so, that field is named; and not before. */
#define REFUSED(mode, what, value, field)                            \
    do {                                                             \
        mode();                                                      \
        CHECK_STR(found(), "");                                      \
        (what) = (value);                                            \
        CHECK(strncmp(found(), field ": ", sizeof(field) + 1) == 0); \
    } while (0)

TEST(every_mode_is_entered)
{
    real_mode();
    CHECK_STR(found(), "");
    protected_mode();
    CHECK_STR(found(), "");
    long_mode();
    CHECK_STR(found(), "");
    g.segment[SEGMENT_SS].rights = RIGHTS_UNUSABLE;
    g.segment[SEGMENT_FS].base = UINT64_C(0xffff888000000000);
    g.rip = UINT64_C(0xffffffff81000000);
    CHECK_STR(found(), "");
    protected_mode();
    segments(0xf3, 0xf3, 0xffff);
    g.rflags |= 1u << 17;
    CHECK_STR(found(), "");
}

TEST(control_registers)
{
    REFUSED(protected_mode, g.cr0, 1, "CR0");
    REFUSED(protected_mode, g.cr0, UINT64_C(0x100000021), "CR0");
    REFUSED(real_mode, g.cr0, 0x80000020, "CR0");
    REFUSED(long_mode, g.cr0, 0x21, "CR0");
    REFUSED(long_mode, g.cr4, 0x2000, "CR4");
    REFUSED(protected_mode, g.cr4, 0x22000, "CR4");
    REFUSED(protected_mode, g.cr4, 0x2800, "CR4");
    REFUSED(protected_mode, g.cr4, 0, "CR4");
    REFUSED(long_mode, g.cr3, UINT64_C(1) << 36, "CR3");
}

TEST(registers_of_the_system)
{
    REFUSED(long_mode, g.dr7, UINT64_C(1) << 32, "DR7");
    REFUSED(long_mode, g.sysenter_esp, NON_CANONICAL, "SYSENTER_ESP");
    REFUSED(long_mode, g.sysenter_eip, NON_CANONICAL, "SYSENTER_EIP");
    REFUSED(long_mode, g.pat, UINT64_C(0x0207040600070406), "PAT");
    REFUSED(long_mode, g.pat, 0x8, "PAT");
    REFUSED(long_mode, g.efer, 0x502, "EFER");
    REFUSED(long_mode, g.efer, 0x100, "EFER");
    REFUSED(long_mode, g.efer, 0x400, "EFER");
    REFUSED(protected_mode, g.efer, 0x400, "EFER");
}

TEST(code_segment)
{
    struct vmx_segment *cs = &g.segment[SEGMENT_CS];

    REFUSED(long_mode, cs->rights, CODE64 | RIGHTS_UNUSABLE, "CS");
    REFUSED(long_mode, cs->rights, CODE64 & ~1u, "CS");
    REFUSED(long_mode, cs->rights, CODE64 & ~0x80u, "CS");
    REFUSED(long_mode, cs->rights, CODE64 & ~0x10u, "CS");
    REFUSED(long_mode, cs->rights, CODE64 | 0x60, "CS");
    REFUSED(long_mode, cs->rights, CODE64 | 0x4000, "CS");
    REFUSED(long_mode, cs->rights, CODE64 | 0x100, "CS");
    REFUSED(protected_mode, cs->rights, 0xc0f3, "CS");
    REFUSED(protected_mode, cs->rights, 0xc0ff, "CS");
    REFUSED(protected_mode, cs->limit, 0xffff0000, "CS");
    REFUSED(real_mode, cs->limit, 0x100000, "CS");
    REFUSED(long_mode, cs->base, UINT64_C(1) << 32, "CS");
    protected_mode();
    cs->rights = 0xc09f; /* conforming, of a less privileged one */
    g.segment[SEGMENT_SS].rights = 0xc0f3;
    CHECK_STR(found(), "");
}

TEST(stack_and_data)
{
    struct vmx_segment *ss = &g.segment[SEGMENT_SS];
    struct vmx_segment *ds = &g.segment[SEGMENT_DS];

    REFUSED(real_mode, ss->rights, 0xf3, "SS");
    REFUSED(protected_mode, ss->rights, 0xc091, "SS");
    REFUSED(protected_mode, ss->base, UINT64_C(1) << 32, "SS");
    REFUSED(protected_mode, ss->rights, 0xc013, "SS");
    REFUSED(protected_mode, ds->rights, 0xc092, "DS");
    REFUSED(protected_mode, ds->rights, 0xc099, "DS");
    REFUSED(protected_mode, ds->base, UINT64_C(1) << 32, "DS");
    REFUSED(protected_mode, ds->limit, 0x1000, "DS");
    REFUSED(long_mode, g.segment[SEGMENT_ES].rights, 0, "ES");
    REFUSED(long_mode, g.segment[SEGMENT_FS].base, NON_CANONICAL, "FS");
    REFUSED(long_mode, g.segment[SEGMENT_GS].base, NON_CANONICAL, "GS");
}

TEST(system_segments)
{
    struct vmx_segment *tr = &g.segment[SEGMENT_TR];
    struct vmx_segment *ldtr = &g.segment[SEGMENT_LDTR];

    REFUSED(long_mode, tr->rights, RIGHTS_UNUSABLE, "TR");
    REFUSED(long_mode, tr->rights, 0, "TR");
    REFUSED(long_mode, tr->rights, 0x89, "TR");
    REFUSED(long_mode, tr->rights, 0x83, "TR");
    REFUSED(long_mode, tr->rights, 0x9b, "TR");
    REFUSED(long_mode, tr->selector, 0x1c, "TR");
    REFUSED(long_mode, tr->base, NON_CANONICAL, "TR");
    REFUSED(long_mode, ldtr->rights, 0x83, "LDTR");
    long_mode();
    ldtr->rights = 0x82;
    CHECK_STR(found(), "");
    ldtr->selector = 4;
    CHECK_STR(found(), "LDTR: in the LDT");
    protected_mode();
    tr->rights = 0x83; /* of 16 bits */
    CHECK_STR(found(), "");
}

TEST(virtual_8086_mode)
{
    protected_mode();
    segments(0xf3, 0xf3, 0xffff);
    g.rflags |= 1u << 17;
    g.segment[SEGMENT_FS].selector = 0x1000;
    CHECK(strncmp(found(), "FS: ", 4) == 0);
    g.segment[SEGMENT_FS].base = 0x10000;
    CHECK_STR(found(), "");
    g.segment[SEGMENT_FS].limit = 0xfffff;
    CHECK(strncmp(found(), "FS: ", 4) == 0);
    g.segment[SEGMENT_FS].limit = 0xffff;
    g.segment[SEGMENT_FS].rights = 0x93;
    CHECK(strncmp(found(), "FS: ", 4) == 0);
    REFUSED(long_mode, g.rflags, 0x20002, "ES");
}

TEST(where_it_goes_on)
{
    REFUSED(long_mode, g.gdtr.base, NON_CANONICAL, "GDTR");
    REFUSED(long_mode, g.idtr.base, NON_CANONICAL, "IDTR");
    REFUSED(long_mode, g.gdtr.limit, 0x10000, "GDTR");
    REFUSED(long_mode, g.idtr.limit, 0x10000, "IDTR");
    REFUSED(long_mode, g.rip, NON_CANONICAL, "RIP");
    REFUSED(protected_mode, g.rip, UINT64_C(1) << 32, "RIP");
    REFUSED(long_mode, g.rflags, 0, "RFLAGS");
    REFUSED(long_mode, g.rflags, 0xa, "RFLAGS");
    REFUSED(long_mode, g.rflags, 0x400002, "RFLAGS");
    REFUSED(long_mode, g.event, INTERRUPT, "RFLAGS");
}

TEST(what_is_blocked)
{
    REFUSED(long_mode, g.interruptibility, 0x20, "interruptibility");
    REFUSED(long_mode, g.interruptibility, BLOCKED_BY_STI, "interruptibility");
    REFUSED(long_mode, g.interruptibility, 4, "interruptibility");
    long_mode();
    g.rflags |= 0x200;
    g.interruptibility = BLOCKED_BY_STI;
    CHECK_STR(found(), "");
    g.event = INTERRUPT;
    CHECK(strncmp(found(), "interruptibility: ", 18) == 0);
    g.interruptibility = 0;
    CHECK_STR(found(), "");
    g.event = NMI;
    g.interruptibility = BLOCKED_BY_NMI;
    CHECK(strncmp(found(), "interruptibility: ", 18) == 0);
    g.interruptibility = BLOCKED_BY_STI | BLOCKED_BY_MOV_SS;
    CHECK(strncmp(found(), "interruptibility: ", 18) == 0);
}

TEST(the_rest)
{
    REFUSED(long_mode, g.activity, 4, "activity");
    REFUSED(long_mode, g.pending_debug, 0x20, "pending debug exceptions");
    REFUSED(long_mode, g.link, 0, "link pointer");
    long_mode();
    g.activity = 1;
    CHECK_STR(found(), "");
    g.segment[SEGMENT_CS].rights |= 0x60;
    g.segment[SEGMENT_SS].rights = DATA | 0x60;
    CHECK_STR(found(), "activity: halted above CPL 0");
    long_mode();
    g.interruptibility = BLOCKED_BY_MOV_SS;
    CHECK_STR(found(), "");
    g.rflags |= 0x100;
    CHECK(strncmp(found(), "pending debug", 13) == 0);
    g.pending_debug = 0x4000;
    CHECK_STR(found(), "");
    g.activity = 1;
    CHECK(strncmp(found(), "activity: ", 10) == 0);
}

TEST(top_entries_of_pae)
{
    protected_mode();
    g.cr0 |= 0x80000000;
    g.cr4 |= 0x20;
    g.pdpte[3] = 6; /* not present */
    CHECK_STR(found(), "");
    g.pdpte[3] = 7;
    CHECK(strncmp(found(), "PDPTE: ", 7) == 0);
    g.pdpte[3] = UINT64_C(1) << 36 | 1;
    CHECK(strncmp(found(), "PDPTE: ", 7) == 0);
    g.cr4 &= ~UINT64_C(0x20);
    CHECK_STR(found(), "");
}

CHECK_MAIN
