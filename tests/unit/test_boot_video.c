/* sources: kernel/boot/video.c */
/* Which graphics mode the loader takes. */
#include "check.h"

#include "kernel/boot/video.h"

static const struct video_mode modes[] = {
    {640, 480, true},  {1024, 768, true},  {1920, 1080, false},
    {1600, 900, true}, {1600, 1200, true}, {2560, 1440, true},
    {1600, 900, true}, {800, 600, true},
};
#define COUNT (sizeof(modes) / sizeof(modes[0]))

TEST(the_most_pixels_within_the_limit_win)
{
    CHECK_EQ(video_best(modes, COUNT, 0), 3);
}

TEST(the_current_mode_wins_over_its_equals)
{
    CHECK_EQ(video_best(modes, COUNT, 6), 6);
    CHECK_EQ(video_find(modes, COUNT, 6, 1600, 900), 6);
    CHECK_EQ(video_find(modes, COUNT, 0, 1600, 900), 3);
}

TEST(when_all_are_too_large_the_smallest_is_taken)
{
    static const struct video_mode large[] = {
        {3840, 2160, true}, {1920, 1200, true}, {2560, 1440, true}};

    CHECK_EQ(video_best(large, 3, 0), 1);
}

TEST(a_mode_that_is_not_usable_is_never_taken)
{
    static const struct video_mode none[] = {{640, 480, false}};

    CHECK(video_best(none, 1, 0) == VIDEO_MODE_NONE);
    CHECK(video_best(none, 0, 0) == VIDEO_MODE_NONE);
    CHECK(video_find(modes, COUNT, 2, 1920, 1080) == VIDEO_MODE_NONE);
    CHECK_EQ(video_best(modes, COUNT, 99), 3); /* a current mode off the list */
}

TEST(a_request_may_exceed_the_limit)
{
    CHECK_EQ(video_find(modes, COUNT, 0, 2560, 1440), 5);
}

TEST(only_two_numbers_with_an_x_are_a_size)
{
    static const char *const bad[] = {
        "",          "800",
        "800x",      "x600",
        "800x600x",  "800*600",
        "0x600",     "800x0",
        "-800x600",  " 800x600",
        "800x600 ",  "99999x1",
        "1x70000",   "99999999999999999999x1",
        "0x320x200",
    };
    uint32_t w, h;

    CHECK(video_parse("800x600", &w, &h));
    CHECK_EQ(w, 800);
    CHECK_EQ(h, 600);
    CHECK(video_parse("65535X1", &w, &h));
    CHECK_EQ(w, 65535);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!video_parse(bad[i], &w, &h));
}

CHECK_MAIN
