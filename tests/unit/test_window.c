/* sources: kernel/display/window_drag.c kernel/display/region.c
   kernel/display/decoration.c kernel/display/draw.c
   kernel/display/compose.c kernel/display/pointer_shape.c */
/* Windows: what is hit where, and where they go when they are dragged; the
 * pointer's arithmetic and picture. */
#include "check.h"

#include <rayos/surface.h>

#include "kernel/display/decoration.h"
#include "kernel/display/pointer.h"
#include "kernel/display/window_drag.h"

#define TITLE 40

/* Text is not looked at here. */
int32_t draw_text_in(const struct canvas *c, int32_t x, int32_t y,
                     int32_t width, const char *text, size_t size,
                     const struct draw_style *style)
{
    (void)c, (void)x, (void)y, (void)text, (void)size, (void)style;
    return width;
}

int32_t draw_text_width(const char *text, size_t size, enum draw_font font)
{
    (void)text, (void)font;
    return (int32_t)size * 12;
}

uint32_t draw_font_height(enum draw_font font)
{
    (void)font;
    return 24;
}

static const struct rect content = {100, 200, 400, 300};

static unsigned hit(int32_t x, int32_t y)
{
    return decoration_hit(content, TITLE, x, y);
}

TEST(each_part_is_hit_where_it_is_drawn)
{
    CHECK_EQ(hit(100, 200), PART_CONTENT);
    CHECK_EQ(hit(499, 499), PART_CONTENT);
    CHECK_EQ(hit(300, 199), PART_TITLE);
    CHECK_EQ(hit(300, 160), PART_TITLE);
    CHECK_EQ(hit(480, 180), PART_CLOSE);
    CHECK_EQ(hit(300, 159), PART_TOP); /* the border */
    CHECK_EQ(hit(300, 151), PART_TOP);
    CHECK_EQ(hit(300, 150), PART_NONE); /* shadow */
    CHECK_EQ(hit(99, 300), PART_LEFT);
    CHECK_EQ(hit(91, 300), PART_LEFT);
    CHECK_EQ(hit(90, 300), PART_NONE);
    CHECK_EQ(hit(500, 300), PART_RIGHT);
    CHECK_EQ(hit(508, 300), PART_RIGHT);
    CHECK_EQ(hit(509, 300), PART_NONE);
    CHECK_EQ(hit(300, 500), PART_BOTTOM);
    CHECK_EQ(hit(300, 508), PART_BOTTOM);
    CHECK_EQ(hit(300, 509), PART_NONE);
}

TEST(a_corner_takes_two_edges)
{
    CHECK_EQ(hit(500, 500), PART_RIGHT | PART_BOTTOM);
    CHECK_EQ(hit(505, 490), PART_RIGHT | PART_BOTTOM);
    CHECK_EQ(hit(490, 505), PART_RIGHT | PART_BOTTOM);
    CHECK_EQ(hit(95, 155), PART_LEFT | PART_TOP);
    CHECK_EQ(hit(95, 505), PART_LEFT | PART_BOTTOM);
    CHECK_EQ(hit(505, 155), PART_RIGHT | PART_TOP);
}

static struct rect dragged(unsigned part, int32_t dx, int32_t dy)
{
    struct drag d = {.part = part,
                     .from = content,
                     .x = 7,
                     .y = 9,
                     .min_width = 200,
                     .min_height = 120,
                     .title_height = TITLE,
                     .area = {0, 32, 800, 600}};

    return drag_place(&d, 7 + dx, 9 + dy);
}

static void check_rect(struct rect r, int32_t x, int32_t y, int32_t w,
                       int32_t h)
{
    CHECK_EQ(r.x, x);
    CHECK_EQ(r.y, y);
    CHECK_EQ(r.w, w);
    CHECK_EQ(r.h, h);
}

TEST(the_title_moves_a_window_and_stays_within_reach)
{
    check_rect(dragged(PART_TITLE, -20, 30), 80, 230, 400, 300);
    check_rect(dragged(PART_TITLE, 0, -1000), 100, 32 + TITLE + 1, 400, 300);
    check_rect(dragged(PART_TITLE, 0, 1000), 100, 632, 400, 300);
    check_rect(dragged(PART_TITLE, -1000, 0), DRAG_VISIBLE - 400, 200, 400,
               300);
    check_rect(dragged(PART_TITLE, 1000, 0), 800 - DRAG_VISIBLE, 200, 400, 300);
}

TEST(an_edge_resizes_and_the_other_stays)
{
    check_rect(dragged(PART_RIGHT, 50, 99), 100, 200, 450, 300);
    check_rect(dragged(PART_LEFT, 50, 99), 150, 200, 350, 300);
    check_rect(dragged(PART_TOP, 99, 50), 100, 250, 400, 250);
    check_rect(dragged(PART_BOTTOM, 99, -50), 100, 200, 400, 250);
    check_rect(dragged(PART_LEFT | PART_TOP, -10, -20), 90, 180, 410, 320);
}

TEST(a_size_has_a_least_and_the_area_an_end)
{
    check_rect(dragged(PART_RIGHT, -1000, 0), 100, 200, 200, 300);
    check_rect(dragged(PART_LEFT, 1000, 0), 300, 200, 200, 300);
    check_rect(dragged(PART_BOTTOM, 0, -1000), 100, 200, 400, 120);
    check_rect(dragged(PART_TOP, 0, 1000), 100, 380, 400, 120);
    check_rect(dragged(PART_RIGHT, 1000, 0), 100, 200, 699, 300);
    check_rect(dragged(PART_BOTTOM, 0, 1000), 100, 200, 400, 431);
    check_rect(dragged(PART_LEFT, -1000, 0), 1, 200, 499, 300);
    check_rect(dragged(PART_TOP, 0, -1000), 100, 73, 400, 427);
}

TEST(a_decoration_leaves_the_content_opaque_and_its_outside_clear)
{
    struct rect place = decoration_place(content, TITLE);
    static uint32_t pixels[600 * 600];
    struct canvas c = {pixels, (uint32_t)place.w, (uint32_t)place.h,
                       (uint32_t)place.w};
    struct decoration d = {.title = "title", .title_height = TITLE};

    CHECK(c.width <= 600 && c.height <= 600);
    decoration_draw(&c, &d);
    CHECK_EQ(pixels[0] >> 24, 0);
    CHECK_EQ(pixels[(size_t)(200 - place.y) * c.stride +
                    (uint32_t)(300 - place.x)] >>
                 24,
             255);
    /* The outer corner is round, the edges are not. */
    CHECK(
        pixels[(size_t)(159 - place.y) * c.stride + (uint32_t)(99 - place.x)] >>
        24 < 255);
    CHECK_EQ(
        pixels[(size_t)(500 - place.y) * c.stride + (uint32_t)(99 - place.x)] >>
            24,
        255);
}

TEST(a_window_smaller_than_its_title_is_drawn_as_far_as_it_goes)
{
    for (int32_t w = 1; w < 60; w++) {
        struct rect place = decoration_place((struct rect){0, 0, w, 3}, TITLE);
        static uint32_t pixels[200 * 200];
        struct canvas c = {pixels, (uint32_t)place.w, (uint32_t)place.h,
                           (uint32_t)place.w};
        struct decoration d = {.title = "long title", .title_height = TITLE};

        decoration_draw(&c, &d);
        CHECK_EQ(pixels[0] >> 24, 0);
    }
}

TEST(slow_motions_are_exact_and_fast_ones_go_further)
{
    int32_t last = pointer_accelerate(-101);

    for (int32_t n = -POINTER_FAST; n <= POINTER_FAST; n++)
        CHECK_EQ(pointer_accelerate(n), n);
    for (int32_t n = -100; n <= 100; n++) {
        CHECK(pointer_accelerate(n) > last);
        last = pointer_accelerate(n);
        CHECK_EQ(pointer_accelerate(-n), -last);
    }
    CHECK_EQ(pointer_accelerate(20), 32);
    CHECK(pointer_accelerate(INT32_MAX) < 10000);
    CHECK(pointer_accelerate(INT32_MIN) > -10000);
}

TEST(an_absolute_place_reaches_both_ends_of_the_screen)
{
    CHECK_EQ(pointer_scale(0, 0, 32767, 1920), 0);
    CHECK_EQ(pointer_scale(32767, 0, 32767, 1920), 1919);
    CHECK_EQ(pointer_scale(-5, 0, 32767, 1920), 0);
    CHECK_EQ(pointer_scale(INT32_MAX, 0, 32767, 1920), 1919);
    CHECK_EQ(pointer_scale(0, INT32_MIN, INT32_MAX, 1001), 500);
    CHECK_EQ(pointer_scale(5, 5, 5, 1920), 0);
    CHECK_EQ(pointer_scale(9, 10, 5, 1920), 0);
}

TEST(the_pointer_has_an_outline_all_around)
{
    static uint32_t p[POINTER_MAX * POINTER_MAX];
    uint32_t w, h, n = 0;

    pointer_picture(false, p, &w, &h);
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            bool inside = p[y * w + x] == 0xfff4f7fau;

            n += inside;
            /* Beside white there is white or black, never the background. */
            if (inside)
                CHECK(x && y && x + 1 < w && y + 1 < h && p[y * w + x - 1] &&
                      p[y * w + x + 1] && p[(y - 1) * w + x] &&
                      p[(y + 1) * w + x]);
        }
    CHECK(n > 40);
    CHECK_EQ(p[0] >> 24, 255); /* the hot spot is seen */
    pointer_picture(true, p, &w, &h);
    CHECK_EQ(p[w + 1], p[0]);
    CHECK(w <= POINTER_MAX && h <= POINTER_MAX);
}

CHECK_MAIN
