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

/* --- the local APIC in hardware --- */

static void without(uint64_t *capability, uint32_t bit)
{
    *capability &= ~((uint64_t)bit << 32);
}

static bool has_apic(const struct vmx_capabilities *caps)
{
    CHECK(make(caps));
    return c.apic.proc | c.apic.proc2 | c.apic.proc2_xapic |
           c.apic.proc_x2apic | c.apic.proc2_x2apic;
}

TEST(an_apic_in_hardware_is_all_or_nothing)
{
    static const uint32_t parts[] = {PROC2_APIC_REGISTERS, PROC2_INTERRUPTS,
                                     PROC2_APIC_ACCESS};
    struct vmx_capabilities caps = everything;

    CHECK(has_apic(&caps));
    CHECK_EQ(c.apic.proc, PROC_TPR_SHADOW);
    CHECK_EQ(c.apic.proc2, PROC2_APIC_REGISTERS | PROC2_INTERRUPTS);
    CHECK_EQ(c.apic.proc2_xapic, PROC2_APIC_ACCESS);
    CHECK_EQ(c.apic.proc_x2apic, PROC_MSR_BITMAPS);
    CHECK_EQ(c.apic.proc2_x2apic, PROC2_X2APIC);
    without(&caps.proc, PROC_TPR_SHADOW);
    CHECK(!has_apic(&caps));
    for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        caps = everything;
        without(&caps.proc2, parts[i]);
        CHECK(!has_apic(&caps));
    }
}

TEST(it_is_not_used_by_a_cpu_that_insists_on_exits_for_cr8)
{
    struct vmx_capabilities caps = everything;

    caps.proc |= PROC_CR8_STORE;
    CHECK(!has_apic(&caps));
}

TEST(without_x2apic_it_serves_mmio)
{
    struct vmx_capabilities caps = everything;

    without(&caps.proc2, PROC2_X2APIC);
    CHECK(has_apic(&caps));
    CHECK(c.apic.proc2_xapic && !c.apic.proc_x2apic && !c.apic.proc2_x2apic);
    caps = everything;
    without(&caps.proc, PROC_MSR_BITMAPS);
    CHECK(has_apic(&caps));
    CHECK(!c.apic.proc_x2apic && !c.apic.proc2_x2apic);
}

CHECK_MAIN
