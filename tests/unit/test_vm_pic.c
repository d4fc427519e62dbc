/* sources: vmm/devices/pic.c */
/*
 * The guest's 8259As behave as their data sheet says.
 */
#include "check.h"

#include "../../vmm/devices/pic.h"

/* As a PC's firmware and Linux set them up: vectors 0x20 and 0x28. */
static struct pic ready(uint8_t icw4)
{
    static const uint8_t bases[] = {0x20, 0x28};
    struct pic p = {0};

    pic_reset(&p);
    for (unsigned i = 0; i < 2; i++) {
        uint16_t port = i ? 0xa0 : 0x20;

        pic_write(&p, port, 0x11);
        pic_write(&p, port + 1, bases[i]);
        pic_write(&p, port + 1, i ? 2 : 4);
        pic_write(&p, port + 1, icw4);
        pic_write(&p, port + 1, 0);
    }
    return p;
}

static void pulse(struct pic *p, unsigned line)
{
    pic_set_line(p, line, true);
    pic_set_line(p, line, false);
}

TEST(nothing_asks_after_reset)
{
    struct pic p = ready(1);

    CHECK(!pic_output(&p));
    CHECK_EQ(pic_acknowledge(&p), 0x27); /* spurious */
    CHECK_EQ(p.chip[0].isr, 0);
}

TEST(a_line_gives_its_vector_and_blocks_lesser_ones_until_its_end)
{
    struct pic p = ready(1);

    pulse(&p, 4);
    CHECK(pic_output(&p));
    CHECK_EQ(pic_acknowledge(&p), 0x24);
    pulse(&p, 5);
    CHECK(!pic_output(&p));
    pulse(&p, 1);
    CHECK(pic_output(&p));
    CHECK_EQ(pic_acknowledge(&p), 0x21);
    pic_write(&p, 0x20, 0x20); /* ends 1 */
    CHECK(!pic_output(&p));
    pic_write(&p, 0x20, 0x20); /* ends 4 */
    CHECK_EQ(pic_acknowledge(&p), 0x25);
}

TEST(the_slave_comes_through_line_2)
{
    struct pic p = ready(1);

    pulse(&p, 12);
    pulse(&p, 8);
    CHECK_EQ(pic_acknowledge(&p), 0x28);
    CHECK_EQ(p.chip[0].isr, 4);
    CHECK_EQ(p.chip[1].isr, 1);
    CHECK(!pic_output(&p));
    pic_write(&p, 0xa0, 0x60); /* specific end of 8 */
    CHECK(!pic_output(&p));    /* the master's line 2 is still in service */
    pic_write(&p, 0x20, 0x62);
    CHECK_EQ(pic_acknowledge(&p), 0x2c);
}

TEST(an_edge_that_is_masked_waits)
{
    struct pic p = ready(1);

    pic_write(&p, 0x21, 0x10);
    pulse(&p, 4);
    CHECK(!pic_output(&p));
    CHECK_EQ(pic_read(&p, 0x20), 0x10);
    pic_write(&p, 0x21, 0);
    CHECK_EQ(pic_acknowledge(&p), 0x24);
    CHECK_EQ(pic_read(&p, 0x20), 0);
}

TEST(a_level_line_asks_until_it_falls)
{
    struct pic p = ready(1);

    pic_write(&p, 0x4d1, 0x04); /* line 10 */
    pic_set_line(&p, 10, true);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(pic_acknowledge(&p), 0x2a);
        pic_write(&p, 0xa0, 0x20);
        pic_write(&p, 0x20, 0x20);
    }
    pic_set_line(&p, 10, false);
    CHECK(!pic_output(&p));
}

TEST(an_edge_line_that_stays_high_asks_once)
{
    struct pic p = ready(1);

    pic_set_line(&p, 3, true);
    pic_set_line(&p, 3, true);
    CHECK_EQ(pic_acknowledge(&p), 0x23);
    pic_write(&p, 0x20, 0x20);
    CHECK(!pic_output(&p));
}

TEST(timer_keyboard_cascade_rtc_and_coprocessor_cannot_be_level)
{
    struct pic p = ready(1);

    pic_write(&p, 0x4d0, 0xff);
    pic_write(&p, 0x4d1, 0xff);
    CHECK_EQ(pic_read(&p, 0x4d0), 0xf8);
    CHECK_EQ(pic_read(&p, 0x4d1), 0xde);
}

TEST(automatic_end_leaves_nothing_in_service)
{
    struct pic p = ready(3);

    pulse(&p, 0);
    CHECK_EQ(pic_acknowledge(&p), 0x20);
    CHECK_EQ(p.chip[0].isr, 0);
    pulse(&p, 0);
    CHECK(pic_output(&p));
}

TEST(rotation_moves_the_served_line_to_the_end)
{
    struct pic p = ready(1);

    pulse(&p, 3);
    pic_acknowledge(&p);
    pic_write(&p, 0x20, 0xa0); /* rotate on non-specific end */
    pulse(&p, 3);
    pulse(&p, 4);
    CHECK_EQ(pic_acknowledge(&p), 0x24);
    pic_write(&p, 0x20, 0xc0 | 7); /* lowest is 7: the usual order */
    CHECK_EQ(p.chip[0].first, 0);
}

TEST(special_mask_lets_lesser_lines_through)
{
    struct pic p = ready(1);

    pulse(&p, 1);
    pic_acknowledge(&p);
    pulse(&p, 6);
    CHECK(!pic_output(&p));
    pic_write(&p, 0x21, 0x02);
    pic_write(&p, 0x20, 0x68);
    CHECK_EQ(pic_acknowledge(&p), 0x26);
}

TEST(special_nesting_lets_the_slave_interrupt_itself)
{
    struct pic p = ready(1);

    pic_write(&p, 0x20, 0x11);
    pic_write(&p, 0x21, 0x20);
    pic_write(&p, 0x21, 4);
    pic_write(&p, 0x21, 0x11);
    pulse(&p, 13);
    CHECK_EQ(pic_acknowledge(&p), 0x2d);
    pulse(&p, 9);
    CHECK_EQ(pic_acknowledge(&p), 0x29);
}

TEST(a_poll_is_an_acknowledge)
{
    struct pic p = ready(1);

    pulse(&p, 5);
    pic_write(&p, 0x20, 0x0c);
    CHECK_EQ(pic_read(&p, 0x20), 0x85);
    CHECK_EQ(p.chip[0].isr, 0x20);
    pic_write(&p, 0x20, 0x0b);
    CHECK_EQ(pic_read(&p, 0x20), 0x20);
    pic_write(&p, 0x20, 0x0c);
    CHECK_EQ(pic_read(&p, 0x20), 0);
}

TEST(a_single_controller_needs_no_third_word)
{
    struct pic p = ready(1);

    pic_write(&p, 0x20, 0x13);
    pic_write(&p, 0x21, 0x40);
    pic_write(&p, 0x21, 0x01);
    pic_write(&p, 0x21, 0xaa);
    CHECK_EQ(pic_read(&p, 0x21), 0xaa);
    CHECK_EQ(p.chip[0].base, 0x40);
}

TEST(lines_out_of_range_are_ignored)
{
    struct pic p = ready(1);

    pic_set_line(&p, 2, true);
    pic_set_line(&p, 16, true);
    pic_set_line(&p, UINT32_MAX, true);
    CHECK(!pic_output(&p));
}

CHECK_MAIN
