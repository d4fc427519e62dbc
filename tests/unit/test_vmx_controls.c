/* sources: vmm/vmx/vmx_controls.c */
/* Execution controls from what a CPU allows: all, too little, too much. */
#include <string.h>

#include "check.h"

#include "vmm/vmx/vmcs.h"
#include "vmm/vmx/vmx_controls.h"

#define ALL (UINT64_C(0xffffffff) << 32) /* all may be, none must be */

static const struct vmx_capabilities everything = {
    .pin = ALL,
    .proc = ALL,
    .proc2 = ALL,
    .exit = ALL,
    .entry = ALL,
    .ept_vpid = UINT64_MAX,
};

static struct vmx_controls c;
static const char *missing;

static bool make(const struct vmx_capabilities *caps)
{
    memset(&c, 0, sizeof(c));
    missing = "";
    return vmx_controls_make(caps, &c, &missing);
}

TEST(a_cpu_that_has_all)
{
    CHECK(make(&everything));
    CHECK(c.pin & PIN_EXTERNAL && c.pin & PIN_NMI && c.pin & PIN_TIMER);
    CHECK(c.proc & PROC_HLT && c.proc & PROC_IO && c.proc & PROC_SECONDARY);
    CHECK(!(c.proc & PROC_MSR_BITMAPS)); /* every MSR exits */
    CHECK(!(c.proc & (PROC_CR3_LOAD | PROC_RDTSC)));
    CHECK(c.proc2 & PROC2_EPT && c.proc2 & PROC2_VPID);
    CHECK(c.exit & EXIT_HOST_64 && c.entry & ENTRY_LOAD_EFER);
}

TEST(what_must_be_is_taken)
{
    struct vmx_capabilities caps = everything;

    caps.pin |= 0x16;
    CHECK(make(&caps));
    CHECK_EQ(c.pin & 0x16, 0x16);
    caps = everything;
    caps.proc |= PROC_CR3_LOAD; /* nothing here handles that */
    CHECK(!make(&caps));
    CHECK(strstr(missing, "CR3"));
}

TEST(what_is_missing_is_named)
{
    struct vmx_capabilities caps = everything;

    caps.pin &= ~((uint64_t)PIN_VIRTUAL_NMI << 32);
    CHECK(!make(&caps));
    CHECK_STR(missing, "virtual NMIs");
    caps = everything;
    caps.proc2 &= ~((uint64_t)PROC2_UNRESTRICTED << 32);
    CHECK(!make(&caps));
    CHECK_STR(missing, "unrestricted guests");
    caps = everything;
    caps.ept_vpid &= ~EPT_LARGE;
    CHECK(!make(&caps));
    CHECK_STR(missing, "EPT with 2 MiB pages");
}

TEST(what_is_not_needed_is_left_out)
{
    struct vmx_capabilities caps = everything;

    caps.pin &= ~((uint64_t)PIN_TIMER << 32);
    caps.ept_vpid &= ~VPID_ALL;
    CHECK(make(&caps));
    CHECK(!(c.pin & PIN_TIMER));
    CHECK(!(c.proc2 & PROC2_VPID));
}

CHECK_MAIN
