/* sources: vmm/devices/input_backlog.c vmm/devices/input_config.c */
/* What a guest's keyboard and tablet say about themselves, and that no key
 * stays down however slow the guest is. */
#include <stdlib.h>

#include <rayos/input.h>

#include "vmm/devices/input_backlog.h"
#include "vmm/devices/input_config.h"

#include "check.h"

static struct input_backlog b;

static void key(uint16_t code, int32_t value)
{
    backlog_add(&b, INPUT_KEY, code, value);
    backlog_add(&b, INPUT_SYN, 0, 0);
}

static void place(int32_t x, int32_t y)
{
    backlog_add(&b, INPUT_ABS, ABS_X, x);
    backlog_add(&b, INPUT_ABS, ABS_Y, y);
    backlog_add(&b, INPUT_SYN, 0, 0);
}

static void expect(uint16_t type, uint16_t code, uint32_t value)
{
    const struct backlog_event *e = backlog_first(&b);

    CHECK(e);
    if (!e)
        return;
    CHECK_EQ(e->type, type);
    CHECK_EQ(e->code, code);
    CHECK_EQ(e->value, value);
    backlog_pop(&b);
}

TEST(events_leave_in_order_and_only_in_whole_batches)
{
    backlog_reset(&b);
    backlog_add(&b, INPUT_KEY, KEY_A, 1);
    CHECK(!backlog_first(&b));
    backlog_add(&b, INPUT_SYN, 0, 0);
    key(KEY_A, 0);
    expect(INPUT_KEY, KEY_A, 1);
    expect(INPUT_SYN, 0, 0);
    expect(INPUT_KEY, KEY_A, 0);
    expect(INPUT_SYN, 0, 0);
    CHECK(!backlog_first(&b));
    backlog_add(&b, INPUT_SYN, 0, 0);
    CHECK(!backlog_first(&b));
}

TEST(a_place_that_nobody_has_seen_is_replaced)
{
    backlog_reset(&b);
    for (int i = 0; i < 10000; i++)
        place(i, 2 * i);
    CHECK_EQ(b.count, 3);
    CHECK_EQ(b.dropped, 0);
    expect(INPUT_ABS, ABS_X, 9999);
    place(1, 2); /* the one before is half seen: another batch */
    expect(INPUT_ABS, ABS_Y, 2 * 9999);
    expect(INPUT_SYN, 0, 0);
    expect(INPUT_ABS, ABS_X, 1);
    expect(INPUT_ABS, ABS_Y, 2);
    expect(INPUT_SYN, 0, 0);
    place(3, 4);
    key(BTN_LEFT, 1);
    place(5, 6);
    expect(INPUT_ABS, ABS_X, 3); /* where the press was */
    CHECK_EQ(b.count, 2 + 2 + 3);
}

TEST(what_was_never_pressed_is_not_released)
{
    backlog_reset(&b);
    key(KEY_A, 0);
    key(KEY_A, 2);
    CHECK(!backlog_first(&b));
    key(KEY_COUNT, 1);
    key(0xffff, 1);
    CHECK(!backlog_first(&b));
}

TEST(a_full_backlog_keeps_room_for_releases)
{
    unsigned pressed = 0;

    backlog_reset(&b);
    for (uint16_t code = 1; code < KEY_COUNT; code++)
        key(code, 1);
    for (int i = 0; i < BACKLOG_SIZE; i++) {
        backlog_add(&b, INPUT_REL, REL_WHEEL, 1);
        backlog_add(&b, INPUT_SYN, 0, 0);
    }
    CHECK(b.dropped > 0);
    for (uint16_t code = 1; code < KEY_COUNT; code++)
        key(code, 0);
    CHECK_EQ(b.held, 0);
    CHECK(b.count <= BACKLOG_SIZE);
    for (const struct backlog_event *e; (e = backlog_first(&b));
         backlog_pop(&b))
        if (e->type == INPUT_KEY)
            pressed += e->value ? 1 : -1u;
    CHECK_EQ(pressed, 0);
}

/* Against a model: a guest that applies what it gets, at random speed. */
TEST(at_the_end_no_key_is_down_in_the_guest)
{
    static bool guest[KEY_COUNT], user[KEY_COUNT];

    srand(1);
    backlog_reset(&b);
    for (int i = 0; i < 300000; i++) {
        uint16_t code = (uint16_t)(1 + rand() % 300);
        const struct backlog_event *e;

        if (rand() % 3 == 0)
            backlog_add(&b, INPUT_ABS, ABS_X, rand());
        else
            backlog_add(&b, INPUT_KEY, code, user[code] ^= 1);
        if (rand() % 4)
            backlog_add(&b, INPUT_SYN, 0, 0);
        CHECK(b.count + b.open + !!b.open + 2 * b.held <= BACKLOG_SIZE);
        for (int n = rand() % (i / 1000 % 2 ? 2 : 6);
             n && (e = backlog_first(&b)); n--, backlog_pop(&b))
            if (e->type == INPUT_KEY) {
                CHECK_EQ(guest[e->code], !e->value);
                guest[e->code] = e->value;
            }
    }
    for (uint16_t code = 0; code < KEY_COUNT; code++)
        backlog_add(&b, INPUT_KEY, code, 0);
    backlog_add(&b, INPUT_SYN, 0, 0);
    for (const struct backlog_event *e; (e = backlog_first(&b));
         backlog_pop(&b))
        if (e->type == INPUT_KEY)
            guest[e->code] = e->value;
    for (int i = 0; i < KEY_COUNT; i++)
        CHECK(!guest[i]);
}

static bool has_bit(const uint8_t *bits, unsigned size, unsigned n)
{
    return n / 8 < size && bits[n / 8] >> n % 8 & 1;
}

TEST(the_keyboard_has_keys_and_leds_and_nothing_else)
{
    const struct input_kind *k = &input_kind_keyboard;
    uint8_t out[INPUT_CONFIG_ANSWER];
    uint8_t n = input_config_answer(k, INPUT_CONFIG_EVENTS, INPUT_KEY, out);

    CHECK(has_bit(out, n, KEY_A));
    CHECK(has_bit(out, n, KEY_SEARCH));
    CHECK(!has_bit(out, n, KEY_RESERVED));
    CHECK(!has_bit(out, n, BTN_LEFT));
    n = input_config_answer(k, INPUT_CONFIG_EVENTS, INPUT_LED, out);
    CHECK_EQ(n, 1);
    CHECK_EQ(out[0], 7);
    CHECK_EQ(input_config_answer(k, INPUT_CONFIG_EVENTS, INPUT_ABS, out), 0);
    CHECK_EQ(input_config_answer(k, INPUT_CONFIG_EVENTS, 0xff, out), 0);
    CHECK_EQ(input_config_answer(k, INPUT_CONFIG_ABSOLUTE, ABS_X, out), 0);
    n = input_config_answer(k, INPUT_CONFIG_NAME, 0, out);
    CHECK_EQ(n, strlen(k->name));
    CHECK(memcmp(out, k->name, n) == 0);
    CHECK_EQ(input_config_answer(k, INPUT_CONFIG_NAME, 1, out), 0);
    CHECK_EQ(input_config_answer(k, INPUT_CONFIG_IDS, 0, out), 8);
    CHECK_EQ(input_config_answer(k, INPUT_CONFIG_SERIAL, 0, out), 0);
}

TEST(the_tablet_has_places_buttons_and_wheels)
{
    const struct input_kind *k = &input_kind_tablet;
    uint8_t out[INPUT_CONFIG_ANSWER];
    uint32_t max;
    uint8_t n = input_config_answer(k, INPUT_CONFIG_EVENTS, INPUT_KEY, out);

    CHECK(has_bit(out, n, BTN_LEFT) && has_bit(out, n, BTN_MIDDLE));
    CHECK(!has_bit(out, n, KEY_A));
    n = input_config_answer(k, INPUT_CONFIG_EVENTS, INPUT_REL, out);
    CHECK(has_bit(out, n, REL_WHEEL) && has_bit(out, n, REL_HWHEEL));
    CHECK(!has_bit(out, n, REL_X));
    n = input_config_answer(k, INPUT_CONFIG_EVENTS, INPUT_ABS, out);
    CHECK_EQ(n, 1);
    CHECK_EQ(out[0], 3);
    CHECK_EQ(input_config_answer(k, INPUT_CONFIG_ABSOLUTE, ABS_Y, out), 20);
    memcpy(&max, out + 4, sizeof(max));
    CHECK_EQ(max, INPUT_TABLET_MAX);
    CHECK_EQ(input_config_answer(k, INPUT_CONFIG_ABSOLUTE, 2, out), 0);
}

CHECK_MAIN
