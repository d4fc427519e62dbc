/* sources: lua/caps.c */
#include "check.h"
#include "lua/caps.h"

static struct caps set_of(const char *a, const char *b)
{
    struct caps set = {0};

    CHECK(!a || caps_add(&set, a));
    CHECK(!b || caps_add(&set, b));
    return set;
}

TEST(an_empty_set_has_nothing)
{
    struct caps set = set_of(NULL, NULL);

    CHECK(!caps_has(&set, "fs"));
    CHECK(!caps_has(&set, "*"));
}

TEST(a_name_covers_itself_and_what_is_below)
{
    struct caps set = set_of("fs", "vm.start");

    CHECK(caps_has(&set, "fs"));
    CHECK(caps_has(&set, "fs.write"));
    CHECK(!caps_has(&set, "fsck"));
    CHECK(!caps_has(&set, "f"));
    CHECK(caps_has(&set, "vm.start"));
    CHECK(!caps_has(&set, "vm"));
    CHECK(!caps_has(&set, "*"));
}

TEST(a_star_covers_all)
{
    struct caps set = set_of("*", NULL);

    CHECK(caps_has(&set, "power"));
    CHECK(caps_has(&set, "*"));
}

TEST(a_set_covers_another_or_names_what_is_missing)
{
    struct caps have = set_of("fs", "log"), want = set_of("fs.read", "log");
    struct caps more = set_of("log", "power");
    const char *missing = NULL;

    CHECK(caps_cover(&have, &want, &missing));
    CHECK(!caps_cover(&have, &more, &missing));
    CHECK_STR(missing, "power");
}

TEST(names_that_are_too_long_or_too_many_are_refused)
{
    struct caps set = {0};

    CHECK(!caps_add(&set, ""));
    CHECK(!caps_add(&set, "a-name-of-twenty-four-by"));
    CHECK(caps_add(&set, "a-name-of-twenty-three-"));
    for (int i = 1; i < CAPS_MAX; i++)
        CHECK(caps_add(&set, "x"));
    CHECK(!caps_add(&set, "x"));
    CHECK(!caps_has(&set, "y"));
}

CHECK_MAIN
