/* sources: vmm/devices/lapic.c vmm/devices/lapic_register.c
   vmm/devices/lapic_timer.c vmm/devices/lapic_ipi.c vmm/devices/irqchip.c
   vmm/devices/pic.c vmm/devices/ioapic.c */
/*
 * Local APICs, I/O APIC and 8259s of one VM with three vCPUs, under a clock
 * that the test moves.
 */
#include "check.h"

#include "irqchip_host.h"

/* Deliver and end all that waits; how many there were. */
static int serve(unsigned cpu, int *last)
{
    int n = 0, vector;

    while ((vector = irqchip_take_irq(&vcpus[cpu])) >= 0) {
        *last = vector;
        lapic_eoi(apic(cpu));
        n++;
    }
    return n;
}

static void ioapic_entry(unsigned pin, uint32_t low, uint32_t high)
{
    struct vm_region *r = mmio[0];

    CHECK_EQ(r->base, IOAPIC_BASE);
    r->write(&vcpus[0], r->device, 0, 4, 0x11 + pin * 2);
    r->write(&vcpus[0], r->device, 0x10, 4, high);
    r->write(&vcpus[0], r->device, 0, 4, 0x10 + pin * 2);
    r->write(&vcpus[0], r->device, 0x10, 4, low);
}

/* --- acceptance --- */

TEST(the_most_urgent_vector_comes_first_and_lesser_ones_wait_for_its_end)
{
    begin();
    lapic_post(apic(0), 0x31, false);
    lapic_post(apic(0), 0x82, false);
    CHECK(vcpus[0].requests & VCPU_REQ_INTERRUPT);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x82);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), -1);
    lapic_post(apic(0), 0x8f, false); /* same class: waits */
    CHECK(!irqchip_has_irq(&vcpus[0]));
    lapic_post(apic(0), 0x90, false);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x90);
    lapic_eoi(apic(0));
    lapic_eoi(apic(0));
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x8f);
    lapic_eoi(apic(0));
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x31);
}

/* As vcpu_run does; true: there was a flag, which the guest cleared. */
static bool guest_ends_by_flag(void)
{
    bool offered;

    irqchip_offer_eoi(&vcpus[0]);
    offered = eoi_flag;
    eoi_flag = 0;
    if (!offered)
        lapic_eoi(apic(0));
    irqchip_settle_eoi(&vcpus[0]);
    return offered;
}

TEST(an_end_that_nobody_waits_for_may_be_a_flag)
{
    begin();
    lapic_post(apic(0), 0x31, false);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x31);
    CHECK(!guest_ends_by_flag()); /* not enabled */
    vcpus[0].clock->pv_eoi = 0x1001;
    for (int i = 0; i < 3; i++) {
        lapic_post(apic(0), 0x31, false);
        CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x31);
        CHECK(guest_ends_by_flag());
    }
    CHECK_EQ(apic(0)->eois, 4);
    irqchip_offer_eoi(&vcpus[0]); /* nothing is in service */
    CHECK_EQ(eoi_flag, 0);
}

TEST(a_flag_that_is_left_alone_ends_nothing)
{
    begin();
    vcpus[0].clock->pv_eoi = 0x1001;
    lapic_post(apic(0), 0x31, false);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x31);
    irqchip_offer_eoi(&vcpus[0]);
    CHECK_EQ(eoi_flag, 1);
    irqchip_settle_eoi(&vcpus[0]);
    CHECK_EQ(eoi_flag, 0);
    lapic_post(apic(0), 0x31, false);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), -1);
    irqchip_offer_eoi(&vcpus[0]); /* 0x31 waits for the end of 0x31 */
    CHECK_EQ(eoi_flag, 0);
    irqchip_settle_eoi(&vcpus[0]);
    lapic_eoi(apic(0));
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x31);
}

TEST(the_io_apic_hears_of_the_end_of_a_level)
{
    begin();
    vcpus[0].clock->pv_eoi = 0x1001;
    lapic_post(apic(0), 0x31, true);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x31);
    CHECK(!guest_ends_by_flag());
}

TEST(the_task_priority_holds_back_its_class_and_below)
{
    begin();
    lapic_set_tpr(apic(0), 0x50);
    lapic_post(apic(0), 0x5f, false);
    CHECK(!irqchip_has_irq(&vcpus[0]));
    CHECK_EQ(lapic_read(apic(0), LAPIC_PPR), 0x50);
    lapic_set_tpr(apic(0), 0x4f);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x5f);
}

TEST(an_apic_that_software_has_not_enabled_takes_nothing)
{
    begin();
    lapic_write(apic(1), LAPIC_SVR, 0xff);
    lapic_post(apic(1), 0x60, false);
    lapic_write(apic(1), LAPIC_SVR, 0x1ff);
    CHECK(!irqchip_has_irq(&vcpus[1]));
    CHECK_EQ(lapic_read(apic(1), LAPIC_LVT_TIMER) & LVT_MASKED, LVT_MASKED);
}

TEST(a_level_interrupt_comes_again_until_its_line_falls)
{
    int last = 0;

    begin();
    ioapic_entry(10, 0x8055, 1u << 24);
    vm_set_irq(&vm, 10, true);
    CHECK_EQ(irqchip_take_irq(&vcpus[1]), 0x55);
    CHECK_EQ(irqchip_take_irq(&vcpus[1]), -1);
    CHECK_EQ(lapic_read(apic(1), LAPIC_TMR + 0x20) & 1u << 21, 1u << 21);
    lapic_eoi(apic(1));
    CHECK_EQ(irqchip_take_irq(&vcpus[1]), 0x55);
    vm_set_irq(&vm, 10, false);
    lapic_eoi(apic(1));
    CHECK_EQ(serve(1, &last), 0);
}

TEST(the_boot_processor_gets_the_8259s_by_lint0_only)
{
    begin();
    vm_set_irq(&vm, 0, true); /* not initialized: base 0 */
    CHECK(irqchip_has_irq(&vcpus[0]));
    CHECK(!irqchip_has_irq(&vcpus[1]));
    lapic_write(apic(0), LAPIC_LVT_LINT0, LVT_MASKED);
    CHECK(!irqchip_has_irq(&vcpus[0]));
    lapic_write(apic(0), LAPIC_LVT_LINT0, 0x700);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0);
}

TEST(the_pit_is_pin_2_of_the_io_apic)
{
    int last = 0;

    begin();
    lapic_write(apic(0), LAPIC_LVT_LINT0, LVT_MASKED);
    ioapic_entry(2, 0x30, 0);
    vm_set_irq(&vm, 0, true);
    CHECK_EQ(serve(0, &last), 1);
    CHECK_EQ(last, 0x30);
}

/* --- IPIs --- */

TEST(ipis_reach_whom_they_name)
{
    int last = 0;

    begin();
    lapic_write(apic(0), LAPIC_ICR_HIGH, 2u << 24);
    lapic_write(apic(0), LAPIC_ICR, 0x4070);
    CHECK_EQ(serve(2, &last), 1);
    CHECK_EQ(last, 0x70);
    CHECK_EQ(serve(1, &last), 0);
    lapic_write(apic(0), LAPIC_ICR, 3u << 18 | 0x71); /* all but itself */
    CHECK_EQ(serve(0, &last), 0);
    CHECK_EQ(serve(1, &last), 1);
    CHECK_EQ(serve(2, &last), 1);
    lapic_write(apic(0), LAPIC_ICR, 2u << 18 | 0x72); /* all */
    for (unsigned i = 0; i < CPUS; i++)
        CHECK_EQ(serve(i, &last), 1);
    lapic_write(apic(1), LAPIC_ICR, 1u << 18 | 0x73); /* itself */
    CHECK_EQ(serve(1, &last), 1);
    CHECK_EQ(last, 0x73);
}

TEST(logical_destinations_are_flat_or_clusters)
{
    int last = 0;

    begin();
    for (unsigned i = 0; i < CPUS; i++)
        lapic_write(apic(i), LAPIC_LDR, 1u << (24 + i));
    lapic_write(apic(0), LAPIC_ICR_HIGH, 6u << 24);
    lapic_write(apic(0), LAPIC_ICR, 0x4870);
    CHECK_EQ(serve(0, &last) + serve(1, &last) * 10 + serve(2, &last) * 100,
             110);
    for (unsigned i = 0; i < CPUS; i++) {
        lapic_write(apic(i), LAPIC_DFR, 0);
        lapic_write(apic(i), LAPIC_LDR,
                    (i == 2 ? 0x21u : 0x11u << (i ? 1 : 0)) << 24);
    }
    lapic_write(apic(0), LAPIC_ICR_HIGH, 0x21u << 24);
    lapic_write(apic(0), LAPIC_ICR, 0x4870);
    CHECK_EQ(serve(2, &last), 1);
    CHECK_EQ(serve(0, &last), 0);
}

TEST(lowest_priority_goes_to_one_only)
{
    int last = 0, n = 0;

    begin();
    for (int i = 0; i < 30; i++)
        vm_send_msi(&vm, 0xfee00000 | 0xff << 12, 0x100 | 0x44);
    for (unsigned i = 0; i < CPUS; i++)
        n += apic(i)->any_posted;
    CHECK_EQ(n, CPUS); /* taken in turns; equal vectors coalesce */
    vm_send_msi(&vm, 0xfee00000 | 1 << 12, 0x45);
    CHECK_EQ(irqchip_take_irq(&vcpus[1]), 0x45);
    (void)last;
}

TEST(init_and_startup_ask_the_core)
{
    begin();
    lapic_write(apic(0), LAPIC_ICR_HIGH, 1u << 24);
    lapic_write(apic(0), LAPIC_ICR, 0x8500); /* level de-assert: nothing */
    CHECK_EQ(vcpus[1].requests, 0);
    lapic_write(apic(0), LAPIC_ICR, 0xc500);
    CHECK_EQ(vcpus[1].requests, VCPU_REQ_INIT);
    lapic_write(apic(0), LAPIC_ICR, 0x4608);
    CHECK(vcpus[1].requests & VCPU_REQ_SIPI);
    CHECK_EQ(vcpus[1].sipi_vector, 8);
    lapic_write(apic(0), LAPIC_ICR, 0x4400);
    CHECK(vcpus[1].requests & VCPU_REQ_NMI);
}

TEST(illegal_vectors_are_errors_and_harm_nothing)
{
    begin();
    lapic_write(apic(0), LAPIC_LVT_ERROR, 0xe0);
    lapic_write(apic(0), LAPIC_ICR, 1u << 18 | 5);
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0xe0);
    lapic_write(apic(0), LAPIC_ESR, 0);
    CHECK_EQ(lapic_read(apic(0), LAPIC_ESR), LAPIC_ERROR_SEND_VECTOR);
    vm_send_msi(&vm, 0xfee00000, 0x05);
    lapic_read(apic(0), 0x40);
    lapic_write(apic(0), LAPIC_ESR, 0);
    CHECK_EQ(lapic_read(apic(0), LAPIC_ESR),
             LAPIC_ERROR_RECEIVE_VECTOR | LAPIC_ERROR_REGISTER);
}

/* --- timer --- */

TEST(a_one_shot_timer_fires_once_in_time)
{
    int last = 0;

    begin();
    lapic_write(apic(0), LAPIC_TIMER_DIVIDE, 0x3); /* by 16 */
    lapic_write(apic(0), LAPIC_LVT_TIMER, 0x40);
    lapic_write(apic(0), LAPIC_TIMER_INITIAL, 1000);
    advance(8000);
    CHECK_EQ(lapic_read(apic(0), LAPIC_TIMER_CURRENT), 500);
    CHECK_EQ(serve(0, &last), 0);
    advance(7999);
    CHECK_EQ(serve(0, &last), 0);
    advance(1);
    CHECK_EQ(serve(0, &last), 1);
    CHECK_EQ(last, 0x40);
    CHECK_EQ(lapic_read(apic(0), LAPIC_TIMER_CURRENT), 0);
    advance(1000000);
    CHECK_EQ(serve(0, &last), 0);
}

TEST(a_periodic_timer_keeps_its_phase_for_ten_hours)
{
    begin();
    lapic_write(apic(0), LAPIC_TIMER_DIVIDE, 0xb); /* by 1 */
    lapic_write(apic(0), LAPIC_LVT_TIMER, 0x20040);
    lapic_write(apic(0), LAPIC_TIMER_INITIAL, 999999937);
    advance(36000 * NS_PER_SEC);
    CHECK_EQ(apic(0)->timer_fired, 36000 * NS_PER_SEC / 999999937);
    CHECK_EQ(apic(0)->timer_deadline % 999999937, 1000000);
}

TEST(a_periodic_timer_is_not_faster_than_its_limit)
{
    begin();
    lapic_write(apic(0), LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(apic(0), LAPIC_LVT_TIMER, 0x20040);
    lapic_write(apic(0), LAPIC_TIMER_INITIAL, 1);
    advance(NS_PER_MS);
    CHECK_EQ(apic(0)->timer_fired, 50);
}

TEST(a_timer_that_becomes_periodic_as_it_runs_keeps_to_that_limit)
{
    begin();
    lapic_write(apic(0), LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(apic(0), LAPIC_LVT_TIMER, 0x40);
    lapic_write(apic(0), LAPIC_TIMER_INITIAL, 1);
    lapic_write(apic(0), LAPIC_LVT_TIMER, 0x20040);
    advance(NS_PER_MS);
    CHECK(apic(0)->timer_fired >= 50 && apic(0)->timer_fired <= 51);
}

TEST(a_masked_timer_counts_but_does_not_interrupt)
{
    int last = 0;

    begin();
    lapic_write(apic(0), LAPIC_LVT_TIMER, 0x10040);
    lapic_write(apic(0), LAPIC_TIMER_INITIAL, 100);
    advance(1000);
    CHECK_EQ(serve(0, &last), 0);
    CHECK_EQ(apic(0)->timer_fired, 1);
}

TEST(the_deadline_mode_follows_the_guests_tsc)
{
    int last = 0;
    uint64_t value = 1;

    begin();
    vcpus[0].tsc_offset = (uint64_t)-1000000;
    lapic_write(apic(0), LAPIC_LVT_TIMER, 0x40040);
    CHECK(lapic_write_msr(apic(0), MSR_TSC_DEADLINE, 3000000));
    advance(999999); /* host TSC 4,000,000 is 2 ms */
    CHECK_EQ(serve(0, &last), 0);
    advance(1);
    CHECK_EQ(serve(0, &last), 1);
    CHECK(lapic_read_msr(apic(0), MSR_TSC_DEADLINE, &value));
    CHECK_EQ(value, 0);
    lapic_write(apic(0), LAPIC_TIMER_INITIAL, 5); /* means nothing here */
    CHECK(!armed[0]);
}

TEST(a_paused_timer_has_the_same_left_when_it_goes_on)
{
    int last = 0;

    begin();
    lapic_write(apic(0), LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(apic(0), LAPIC_LVT_TIMER, 0x40);
    lapic_write(apic(0), LAPIC_TIMER_INITIAL, 1000);
    advance(400);
    irqchip_pause(&vm, true);
    advance(100000);
    CHECK_EQ(serve(0, &last), 0);
    irqchip_pause(&vm, false);
    advance(599);
    CHECK_EQ(serve(0, &last), 0);
    advance(1);
    CHECK_EQ(serve(0, &last), 1);
}

/* --- x2APIC --- */

TEST(modes_change_only_along_the_allowed_ways)
{
    struct lapic *l;
    uint64_t value;

    begin();
    l = apic(1);
    CHECK(!lapic_read_msr(l, 0x802, &value)); /* xAPIC: no MSRs */
    CHECK(!lapic_write_msr(l, MSR_APIC_BASE, 0xfee00000 | 0x400));
    CHECK(!lapic_write_msr(l, MSR_APIC_BASE, 0xfef00000 | 0x800));
    CHECK(!lapic_write_msr(l, MSR_APIC_BASE, 0xfee00000 | 0x801));
    CHECK(lapic_write_msr(l, MSR_APIC_BASE, 0xfee00000 | 0xc00));
    CHECK(!lapic_write_msr(l, MSR_APIC_BASE, 0xfee00000 | 0x800));
    CHECK(lapic_read_msr(l, 0x802, &value));
    CHECK_EQ(value, 1);
    CHECK(lapic_read_msr(l, 0x80d, &value));
    CHECK_EQ(value, 2);
    CHECK(lapic_write_msr(l, MSR_APIC_BASE, 0xfee00000));
    CHECK(!lapic_write_msr(l, MSR_APIC_BASE, 0xfee00000 | 0xc00));
    CHECK(lapic_write_msr(l, MSR_APIC_BASE, 0xfee00000 | 0x800));
}

TEST(x2apic_registers_refuse_what_is_reserved)
{
    struct lapic *l;
    uint64_t value;
    int last = 0;

    begin();
    l = apic(0);
    CHECK(lapic_write_msr(l, MSR_APIC_BASE, 0xfee00000 | 0xd00));
    CHECK(lapic_write_msr(l, 0x80f, 0x1ff));
    CHECK(!lapic_write_msr(l, 0x802, 5)); /* id */
    CHECK(!lapic_write_msr(l, 0x80e, 0)); /* DFR is gone */
    CHECK(!lapic_read_msr(l, 0x80e, &value));
    CHECK(!lapic_write_msr(l, 0x80b, 1)); /* EOI takes zero only */
    CHECK(!lapic_write_msr(l, 0x808, UINT64_C(1) << 32));
    CHECK(!lapic_write_msr(l, 0x83f, 0x100));
    CHECK(lapic_write_msr(l, 0x83f, 0x99));
    CHECK_EQ(serve(0, &last), 1);
    CHECK_EQ(last, 0x99);
    CHECK(lapic_write_msr(l, 0x830, UINT64_C(1) << 32 | 0x4077));
    CHECK(lapic_read_msr(l, 0x830, &value));
    CHECK_EQ(value, UINT64_C(1) << 32 | 0x4077);
    CHECK_EQ(serve(1, &last), 1);
}

CHECK_MAIN
