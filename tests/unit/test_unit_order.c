/* sources: kernel/core/unit_order.c kernel/core/fmt.c */
/* Units start after what they name; mistakes are named. */
#include "check.h"

#include <errno.h>

#include "../../kernel/core/unit_order.h"

static uint16_t order[UNIT_MAX];
static char error[256];

static int place_of(size_t n, size_t unit)
{
    for (size_t i = 0; i < n; i++)
        if (order[i] == unit)
            return (int)i;
    return -1;
}

TEST(no_units_are_in_order)
{
    CHECK_EQ(unit_order(NULL, 0, order, error, sizeof(error)), 0);
}

TEST(units_without_wishes_keep_their_order)
{
    const struct unit u[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

    CHECK_EQ(unit_order(u, 3, order, error, sizeof(error)), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(order[i], i);
}

TEST(each_unit_comes_after_all_it_names)
{
    const struct unit u[] = {
        {.name = "shell", .after = "tty lua"},
        {.name = "tty", .after = "  serial   keyboard "},
        {.name = "lua", .after = "vfs"},
        {.name = "keyboard", .after = ""},
        {.name = "vfs"},
        {.name = "serial"},
    };
    CHECK_EQ(unit_order(u, 6, order, error, sizeof(error)), 0);
    CHECK(place_of(6, 0) == 5);
    CHECK(place_of(6, 1) > place_of(6, 5));
    CHECK(place_of(6, 1) > place_of(6, 3));
    CHECK(place_of(6, 2) > place_of(6, 4));
    for (size_t i = 0; i < 6; i++)
        CHECK(place_of(6, i) >= 0);
}

TEST(an_unknown_name_is_told)
{
    const struct unit u[] = {{.name = "ab"}, {.name = "c", .after = "ab a"}};

    CHECK_EQ(unit_order(u, 2, order, error, sizeof(error)), -EINVAL);
    CHECK_STR(error, "unit 'c' comes after 'a', which no unit is named");
}

TEST(one_name_for_two_units_is_told)
{
    const struct unit u[] = {{.name = "x"}, {.name = "y"}, {.name = "x"}};

    CHECK_EQ(unit_order(u, 3, order, error, sizeof(error)), -EINVAL);
    CHECK_STR(error, "two units are named 'x'");
}

TEST(a_cycle_is_told_without_those_that_only_wait_for_it)
{
    const struct unit u[] = {
        {.name = "free"},
        {.name = "waits", .after = "a"},
        {.name = "a", .after = "free b"},
        {.name = "b", .after = "c"},
        {.name = "c", .after = "a"},
    };
    CHECK_EQ(unit_order(u, 5, order, error, sizeof(error)), -EINVAL);
    CHECK(strstr(error, "units wait for each other: ") == error);
    CHECK(strstr(error, "a after b") || strstr(error, "b after c"));
    CHECK(!strstr(error, "waits") && !strstr(error, "free"));
}

TEST(a_unit_after_itself_is_a_cycle)
{
    const struct unit u[] = {{.name = "me", .after = "me"}};

    CHECK_EQ(unit_order(u, 1, order, error, sizeof(error)), -EINVAL);
    CHECK_STR(error, "units wait for each other: me after me");
}

TEST(a_long_cycle_does_not_overrun_the_message)
{
    static char names[UNIT_MAX][16];
    static struct unit u[UNIT_MAX];
    char small[40];

    for (int i = 0; i < UNIT_MAX; i++) {
        sprintf(names[i], "unit-number-%d", i);
        u[i].name = names[i];
        u[i].after = names[(i + 1) % UNIT_MAX];
        sprintf(names[i], "unit-number-%d", i);
    }
    CHECK_EQ(unit_order(u, UNIT_MAX, order, small, sizeof(small)), -EINVAL);
    CHECK(strlen(small) < sizeof(small));
    u[UNIT_MAX - 1].after = NULL;
    CHECK_EQ(unit_order(u, UNIT_MAX, order, small, sizeof(small)), 0);
    CHECK_EQ(order[0], UNIT_MAX - 1);
    CHECK_EQ(order[UNIT_MAX - 1], 0);
}

TEST(too_many_units_are_refused)
{
    static struct unit u[UNIT_MAX + 1];

    CHECK_EQ(unit_order(u, UNIT_MAX + 1, order, error, sizeof(error)), -EINVAL);
}

CHECK_MAIN
