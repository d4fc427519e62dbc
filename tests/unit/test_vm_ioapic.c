/* sources: vmm/devices/ioapic.c */
/*
 * The guest's I/O APIC delivers edges once, levels until they end, and nothing
 * that is masked.
 */
#include "check.h"

#include "../../vmm/devices/ioapic.h"

static struct apic_message last;
static int delivered;

static void deliver(void *arg, const struct apic_message *m)
{
    (void)arg;
    last = *m;
    delivered++;
}

static struct ioapic ready(void)
{
    struct ioapic io = {.deliver = deliver};

    ioapic_reset(&io);
    delivered = 0;
    return io;
}

static void reg_write(struct ioapic *io, uint32_t reg, uint32_t value)
{
    ioapic_write(io, 0, reg);
    ioapic_write(io, 0x10, value);
}

static uint32_t reg_read(struct ioapic *io, uint32_t reg)
{
    ioapic_write(io, 0, reg);
    return ioapic_read(io, 0x10);
}

static void program(struct ioapic *io, unsigned pin, uint32_t low,
                    uint32_t high)
{
    reg_write(io, 0x11 + pin * 2, high);
    reg_write(io, 0x10 + pin * 2, low);
}

TEST(all_pins_are_masked_after_reset)
{
    struct ioapic io = ready();

    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        CHECK_EQ(reg_read(&io, 0x10 + pin * 2), 0x10000);
        ioapic_set_line(&io, pin, true);
    }
    CHECK_EQ(delivered, 0);
    CHECK_EQ(reg_read(&io, 1), 0x170011);
}

TEST(an_edge_is_delivered_once_with_all_that_its_entry_says)
{
    struct ioapic io = ready();

    program(&io, 5, 0x00000931, 0x03000000); /* logical, lowest, vector 31 */
    ioapic_set_line(&io, 5, true);
    ioapic_set_line(&io, 5, true);
    CHECK_EQ(delivered, 1);
    CHECK_EQ(last.vector, 0x31);
    CHECK_EQ(last.mode, APIC_LOWEST);
    CHECK(last.logical);
    CHECK(!last.level);
    CHECK_EQ(last.destination, 3);
    ioapic_set_line(&io, 5, false);
    ioapic_set_line(&io, 5, true);
    CHECK_EQ(delivered, 2);
}

TEST(an_edge_on_a_masked_pin_is_lost)
{
    struct ioapic io = ready();

    program(&io, 4, 0x10040, 0);
    ioapic_set_line(&io, 4, true);
    program(&io, 4, 0x00040, 0);
    CHECK_EQ(delivered, 0);
}

TEST(a_level_waits_for_its_end_and_comes_again_while_it_stands)
{
    struct ioapic io = ready();

    program(&io, 10, 0x8050, 0);
    ioapic_set_line(&io, 10, true);
    CHECK_EQ(delivered, 1);
    CHECK_EQ(reg_read(&io, 0x10 + 20), 0xc050); /* Remote IRR */
    ioapic_set_line(&io, 10, false);
    ioapic_set_line(&io, 10, true);
    CHECK_EQ(delivered, 1);
    ioapic_eoi(&io, 0x51);
    CHECK_EQ(delivered, 1);
    ioapic_eoi(&io, 0x50);
    CHECK_EQ(delivered, 2);
    ioapic_set_line(&io, 10, false);
    ioapic_eoi(&io, 0x50);
    CHECK_EQ(delivered, 2);
    CHECK_EQ(reg_read(&io, 0x10 + 20), 0x8050);
}

TEST(a_level_that_stands_comes_when_it_is_unmasked)
{
    struct ioapic io = ready();

    program(&io, 11, 0x18060, 0);
    ioapic_set_line(&io, 11, true);
    CHECK_EQ(delivered, 0);
    program(&io, 11, 0x08060, 0);
    CHECK_EQ(delivered, 1);
}

TEST(read_only_bits_are_not_written)
{
    struct ioapic io = ready();

    program(&io, 0, 0x1ffff, 0xffffffff);
    CHECK_EQ(reg_read(&io, 0x10), 0x1afff);
    CHECK_EQ(reg_read(&io, 0x11), 0xff000000);
    reg_write(&io, 1, 0);
    CHECK_EQ(reg_read(&io, 1), 0x170011);
    reg_write(&io, 0, 0xffffffff);
    CHECK_EQ(reg_read(&io, 0), 0x0f000000);
}

TEST(going_back_to_edge_forgets_an_end_that_never_came)
{
    struct ioapic io = ready();

    program(&io, 9, 0x8070, 0);
    ioapic_set_line(&io, 9, true);
    program(&io, 9, 0x10070, 0);
    CHECK_EQ(reg_read(&io, 0x10 + 18), 0x10070);
    program(&io, 9, 0x8070, 0);
    CHECK_EQ(delivered, 2);
}

TEST(registers_and_pins_that_are_not_there_do_nothing)
{
    struct ioapic io = ready();

    reg_write(&io, 0x10 + 48, 0x40);
    reg_write(&io, 0xff, 0x40);
    CHECK_EQ(reg_read(&io, 0x10 + 48), 0);
    CHECK_EQ(reg_read(&io, 0xff), 0);
    CHECK_EQ(ioapic_read(&io, 0x20), 0);
    ioapic_set_line(&io, 24, true);
    ioapic_set_line(&io, UINT32_MAX, true);
    CHECK_EQ(delivered, 0);
}

TEST(only_level_vectors_want_their_end_reported)
{
    struct ioapic io = ready();

    program(&io, 3, 0x41, 0);
    program(&io, 6, 0x8042, 0);
    CHECK(!ioapic_wants_eoi(&io, 0x41));
    CHECK(ioapic_wants_eoi(&io, 0x42));
}

CHECK_MAIN
