/* sources: vmm/devices/lapic.c vmm/devices/lapic_hardware.c
   vmm/devices/lapic_register.c vmm/devices/lapic_timer.c
   vmm/devices/lapic_ipi.c vmm/devices/irqchip.c vmm/devices/pic.c
   vmm/devices/ioapic.c */
/*
 * A local APIC that the CPU runs on the page of registers: the test does what
 * the CPU would (Intel SDM 3C chapter 29).
 */
#include "check.h"

#include "irqchip_host.h"

#define LEVEL (1u << 15)

static uint8_t requested, in_service;

static void begin_hardware(void)
{
    begin();
    for (unsigned i = 0; i < CPUS; i++)
        vcpus[i].hardware_apic = true;
}

static void put(unsigned cpu, uint32_t offset, uint32_t value)
{
    memcpy(apic(cpu)->page + offset, &value, sizeof(value));
}

/* A write that the CPU did, and exits for. */
static void guest_writes(unsigned cpu, uint32_t offset, uint32_t value)
{
    put(cpu, offset, value);
    lapic_written(apic(cpu), offset);
}

static void look(unsigned cpu)
{
    lapic_guest_vectors(apic(cpu), &requested, &in_service);
}

static void ioapic_entry(unsigned pin, uint32_t low)
{
    struct vm_region *r = mmio[0];

    r->write(&vcpus[0], r->device, 0, 4, 0x10 + pin * 2);
    r->write(&vcpus[0], r->device, 0x10, 4, low);
}

/* --- what the CPU is told --- */

TEST(the_cpu_is_told_of_the_most_urgent_vectors)
{
    begin_hardware();
    look(0);
    CHECK_EQ(requested, 0);
    CHECK_EQ(in_service, 0);
    lapic_post(apic(0), 0x31, false);
    lapic_post(apic(0), 0x82, false);
    look(0);
    CHECK_EQ(requested, 0x82);
    lapic_accept(apic(0), 0x82);
    look(0);
    CHECK_EQ(requested, 0x31);
    CHECK_EQ(in_service, 0x82);
    lapic_eoi(apic(0));
    look(0);
    CHECK_EQ(in_service, 0);
}

TEST(an_apic_that_software_has_disabled_requests_nothing)
{
    begin_hardware();
    lapic_post(apic(0), 0x31, false);
    guest_writes(0, LAPIC_SVR, 0xff);
    look(0);
    CHECK_EQ(requested, 0);
    CHECK(lapic_get(apic(0), LAPIC_LVT_TIMER) & LVT_MASKED);
}

TEST(ends_of_levels_are_seen_and_others_are_not)
{
    begin_hardware();
    lapic_post(apic(0), 0x31, false);
    lapic_post(apic(0), 0x82, true);
    lapic_post(apic(0), 0xe3, true);
    look(0);
    CHECK_EQ(lapic_level_vectors(apic(0), 0), 0);
    CHECK_EQ(lapic_level_vectors(apic(0), 1), 0);
    CHECK_EQ(lapic_level_vectors(apic(0), 2), UINT64_C(1) << (0x82 - 0x80));
    CHECK_EQ(lapic_level_vectors(apic(0), 3), UINT64_C(1) << (0xe3 - 0xc0));
    lapic_post(apic(0), 0xe3, false);
    look(0);
    CHECK_EQ(lapic_level_vectors(apic(0), 3), 0);
}

TEST(the_end_of_a_level_reaches_the_io_apic)
{
    begin_hardware();
    ioapic_entry(5, LEVEL | 0x45);
    vm_set_irq(&vm, 5, true);
    look(0);
    CHECK_EQ(requested, 0x45);
    put(0, LAPIC_IRR + 0x20, 0);
    lapic_ended(apic(0), 0x45); /* the line is up still */
    look(0);
    CHECK_EQ(requested, 0x45);
    put(0, LAPIC_IRR + 0x20, 0);
    vm_set_irq(&vm, 5, false);
    lapic_ended(apic(0), 0x45);
    look(0);
    CHECK_EQ(requested, 0);
    CHECK_EQ(apic(0)->eois, 2);
}

/* --- who injects --- */

TEST(its_interrupts_are_left_to_the_cpu_and_the_8259s_are_not)
{
    begin_hardware();
    lapic_post(apic(0), 0x31, false);
    CHECK(irqchip_has_irq(&vcpus[0])); /* a halted guest wakes */
    CHECK(!irqchip_must_inject(&vcpus[0]));
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), -1);
    look(0);
    CHECK_EQ(requested, 0x31);
    lapic_write(apic(0), LAPIC_LVT_LINT0, 0x700);
    vm_set_irq(&vm, 0, true);
    CHECK(irqchip_must_inject(&vcpus[0]));
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0);
    vcpus[0].hardware_apic = false;
    CHECK(irqchip_must_inject(&vcpus[0]));
    CHECK_EQ(irqchip_take_irq(&vcpus[0]), 0x31);
}

TEST(an_end_by_a_flag_is_not_offered)
{
    begin_hardware();
    vcpus[0].clock->pv_eoi = 0x1001;
    lapic_post(apic(0), 0x31, false);
    look(0);
    lapic_accept(apic(0), 0x31);
    eoi_flag = 0;
    irqchip_offer_eoi(&vcpus[0]);
    CHECK_EQ(eoi_flag, 0);
}

/* --- writes that the CPU has done already --- */

TEST(a_change_of_the_timers_mode_is_seen_as_one)
{
    begin_hardware();
    guest_writes(0, LAPIC_TIMER_DIVIDE, 0xb);
    guest_writes(0, LAPIC_LVT_TIMER, 0x40);
    guest_writes(0, LAPIC_TIMER_INITIAL, 1000000);
    guest_writes(0, LAPIC_LVT_TIMER, 0x20040); /* periodic as it runs */
    advance(5000000);
    CHECK_EQ(apic(0)->timer_fired, 5);
    look(0);
    CHECK_EQ(requested, 0x40);
    guest_writes(0, LAPIC_LVT_TIMER, 0x40040); /* deadline: it stops */
    CHECK_EQ(lapic_get(apic(0), LAPIC_TIMER_INITIAL), 0);
    advance(5000000);
    CHECK_EQ(apic(0)->timer_fired, 5);
}

TEST(what_is_left_is_counted_at_the_new_rate)
{
    begin_hardware();
    guest_writes(0, LAPIC_TIMER_DIVIDE, 0xb);
    guest_writes(0, LAPIC_LVT_TIMER, 0x40);
    guest_writes(0, LAPIC_TIMER_INITIAL, 1000);
    advance(500);
    guest_writes(0, LAPIC_TIMER_DIVIDE, 0); /* by 2 */
    advance(999);
    CHECK_EQ(apic(0)->timer_fired, 0);
    advance(1);
    CHECK_EQ(apic(0)->timer_fired, 1);
}

TEST(what_must_not_be_written_is_put_back)
{
    begin_hardware();
    guest_writes(2, LAPIC_ID, 0x55000000);
    CHECK_EQ(lapic_get(apic(2), LAPIC_ID), 2u << 24);
    guest_writes(0, LAPIC_LVT_LINT1, UINT32_MAX);
    CHECK_EQ(lapic_get(apic(0), LAPIC_LVT_LINT1), 0x0001a7ff);
    guest_writes(0, LAPIC_TIMER_INITIAL, 7);
    guest_writes(0, LAPIC_LVT_TIMER, 0x40040);
    guest_writes(0, LAPIC_TIMER_INITIAL, 7); /* ignored in deadline mode */
    CHECK_EQ(lapic_get(apic(0), LAPIC_TIMER_INITIAL), 0);
}

TEST(an_ipi_is_sent)
{
    begin_hardware();
    guest_writes(0, LAPIC_ICR_HIGH, 2u << 24);
    guest_writes(0, LAPIC_ICR, 0x4070);
    look(1);
    CHECK_EQ(requested, 0);
    look(2);
    CHECK_EQ(requested, 0x70);
    CHECK_EQ(apic(0)->ipis, 1);
}

/* Those above the CPU sends itself. */
TEST(an_ipi_to_itself_of_a_vector_below_16_is_an_error)
{
    begin_hardware();
    guest_writes(0, LAPIC_SELF_IPI, 5);
    look(0);
    CHECK_EQ(requested, 0);
    lapic_write(apic(0), LAPIC_ESR, 0);
    CHECK_EQ(lapic_read(apic(0), LAPIC_ESR), LAPIC_ERROR_SEND_VECTOR);
}

CHECK_MAIN
