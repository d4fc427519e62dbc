/* sources: kernel/display/draw.c kernel/display/compose.c
   kernel/display/region.c */
/* The drawing kit: shapes where they belong, nothing outside of the canvas. */
#include "check.h"

#include <stdlib.h>

#include <rayos/draw.h>

#include "kernel/display/draw_pixel.h"

#define SIDE 32

static uint32_t *pixels; /* of exactly the canvas's size: ASan guards it */
static struct canvas canvas;

static void clear(uint32_t argb)
{
    free(pixels);
    pixels = malloc(SIDE * SIDE * sizeof(*pixels));
    for (int i = 0; i < SIDE * SIDE; i++)
        pixels[i] = argb;
    canvas = (struct canvas){pixels, SIDE, SIDE, SIDE};
}

static uint32_t at(int x, int y)
{
    return pixels[y * SIDE + x];
}

TEST(a_rectangle_is_filled_exactly)
{
    clear(7);
    draw_fill(&canvas, (struct rect){3, 4, 5, 6}, 0x80112233);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            CHECK_EQ(at(x, y),
                     x >= 3 && x < 8 && y >= 4 && y < 10 ? 0x80112233 : 7);
}

TEST(whatever_reaches_out_is_cut_off)
{
    static const int32_t wild[] = {INT32_MIN, -40, -1, 0, 5, 31, 32, INT32_MAX};
    uint32_t picture[9] = {0};
    struct canvas small = {picture, 3, 3, 3};

    clear(0xff000000);
    for (int i = 0; i < 8 * 8 * 8 * 8; i++) {
        struct rect r = {wild[i % 8], wild[i / 8 % 8], wild[i / 64 % 8],
                         wild[i / 512]};

        draw_fill(&canvas, r, 1);
        draw_blend(&canvas, r, 0x80ffffff);
        draw_gradient(&canvas, r, 0, 0xffffffff);
        draw_rounded(&canvas, r, (uint32_t)wild[i % 5], 0x80ffffff);
        if (i % 8 == 0)
            draw_shadow(&canvas, r, 4, (uint32_t)wild[i / 8 % 8], 0xff000000);
        draw_image(&canvas, r.x, r.y, &small, i & 1);
    }
    CHECK(pixels);
}

TEST(a_gradient_begins_and_ends_with_its_colours)
{
    clear(0);
    draw_gradient(&canvas, (struct rect){0, 2, SIDE, 11}, 0xff000000,
                  0xff6496c8);
    CHECK_EQ(at(0, 2), 0xff000000);
    CHECK_EQ(at(5, 12), 0xff6496c8);
    CHECK_EQ(at(5, 7), 0xff324b64);
    CHECK_EQ(at(5, 13), 0);
}

TEST(round_corners_are_symmetric_and_have_the_area_of_a_circle)
{
    uint32_t sum = 0;

    clear(0);
    draw_rounded(&canvas, (struct rect){4, 4, 20, 20}, 10, 0xffffffff);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            sum += at(x, y) >> 24;
            if (x < 28 && y < 28) {
                CHECK_EQ(at(x, y), at(27 - x, y));
                CHECK_EQ(at(x, y), at(x, 27 - y));
                CHECK_EQ(at(x, y), at(y, x));
            }
        }
    CHECK_EQ(at(4, 4), 0);
    CHECK_EQ(at(14, 4) >> 24, 255);
    /* pi * 10^2 = 314.16 */
    CHECK(sum > 312 * 255 && sum < 316 * 255);
}

TEST(a_shadow_fades_to_nothing)
{
    clear(0xffffffff);
    draw_shadow(&canvas, (struct rect){12, 12, 8, 8}, 2, 8, 0x80000000);
    CHECK_EQ(at(15, 15), 0x80000000);
    CHECK_EQ(at(3, 15), 0xffffffff); /* out of its reach: not touched */
    CHECK_EQ(at(4, 15) >> 24, 0);
    for (int x = 5; x < 12; x++)
        CHECK(at(x, 15) >> 24 >= at(x - 1, 15) >> 24);
    CHECK_EQ(at(8, 15), at(15, 8));
}

TEST(pictures_replace_or_blend)
{
    uint32_t picture[4] = {0xff0000ff, 0x00ffffff, 0x800000ff, 0xff00ff00};
    struct canvas from = {picture, 2, 2, 2};

    clear(0xffff0000);
    draw_image(&canvas, 1, 1, &from, true);
    CHECK_EQ(at(1, 1), 0xff0000ff);
    CHECK_EQ(at(2, 1), 0xffff0000);
    CHECK_EQ(at(1, 2), 0xff000000 | compose_mix(0xff0000, 0x0000ff, 0x80));
    draw_image(&canvas, 1, 1, &from, false);
    CHECK_EQ(at(2, 1), 0x00ffffff);
}

TEST(over_something_that_shines_through_colours_are_weighted)
{
    uint32_t p = 0;

    draw_pixel_over(&p, 0x80102030, 255);
    CHECK_EQ(p, 0x80102030);
    p = 0x80ff0000;
    draw_pixel_over(&p, 0x800000ff, 255);
    /* alpha 128 + 128 * 127 / 255 = 191.75; shares 128 * 255 to 128 * 127 */
    CHECK_EQ(p >> 24, 192);
    CHECK_EQ(p & 0xff, (255 * 255 + 191) / 382);
    CHECK_EQ(p >> 16 & 0xff, (255 * 127 + 191) / 382);
    p = 0xff123456;
    draw_pixel_over(&p, 0xffffffff, 0);
    CHECK_EQ(p, 0xff123456);
}

CHECK_MAIN
