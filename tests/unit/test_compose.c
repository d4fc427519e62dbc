/* sources: kernel/display/compose.c kernel/display/region.c */
/* Every pixel that is composed is the one of a slow model, and no other place
 * is touched. */
#include "check.h"

#include <stdlib.h>

#include "compose_model.h"
#include "kernel/display/region.h"

#define WIDTH  97
#define HEIGHT 61
#define LAYERS 6

static uint32_t *pictures[LAYERS];
static struct compose_layer layers[LAYERS];

static uint32_t random_pixel(void)
{
    static const uint8_t alphas[] = {0, 1, 127, 128, 254, 255};
    uint32_t colour = (uint32_t)rand() & 0xffffff;

    if (rand() % 3 == 0)
        return (uint32_t)alphas[rand() % 6] << 24 | colour;
    return (uint32_t)rand() << 8 ^ colour;
}

/* Of exactly the size that is needed, so that ASan sees a read beyond. */
static void random_layer(size_t i)
{
    uint32_t w = 1 + (uint32_t)rand() % 40, h = 1 + (uint32_t)rand() % 30;
    uint32_t stride = w + (uint32_t)rand() % 3;
    size_t count = (size_t)(h - 1) * stride + w;
    static const uint8_t opacities[] = {0, 1, 100, 254, 255, 255, 255, 255};

    free(pictures[i]);
    pictures[i] = malloc(count * sizeof(uint32_t));
    for (size_t k = 0; k < count; k++)
        pictures[i][k] = random_pixel();
    layers[i] = (struct compose_layer){
        .pixels = pictures[i],
        .width = w,
        .height = h,
        .stride = stride,
        .place = {rand() % WIDTH - 20, rand() % HEIGHT - 20, rand() % 80,
                  rand() % 60},
        .scaling = (enum surface_scaling)(rand() % 4),
        .blend = rand() % 2,
        .opacity = opacities[rand() % 8],
    };
    if (rand() % 5 == 0) { /* nothing to scale */
        layers[i].place.w = (int32_t)w;
        layers[i].place.h = (int32_t)h;
    }
    compose_prepare(&layers[i]);
}

static void compare_rect(const struct compose_scene *s)
{
    struct rect r = {rand() % WIDTH, rand() % HEIGHT, 0, 0};
    uint32_t *out, *scratch;
    size_t stride;

    r.w = 1 + rand() % (WIDTH - r.x);
    r.h = 1 + rand() % (HEIGHT - r.y);
    stride = (size_t)r.w + (size_t)rand() % 4;
    out = malloc((stride * (size_t)(r.h - 1) + (size_t)r.w) * sizeof(*out));
    scratch = malloc((size_t)r.w * sizeof(*scratch));
    compose_rect(s, r, out, stride, scratch);
    for (int32_t i = 0; i < r.w * r.h; i++) {
        int32_t x = i % r.w, y = i / r.w;
        uint32_t is = out[(size_t)y * stride + (size_t)x] & 0xffffff;

        if (is != model_pixel(s, r.x + x, r.y + y)) {
            CHECK_FAIL("pixel %d,%d is %06x", r.x + x, r.y + y, is);
            break;
        }
    }
    free(out);
    free(scratch);
}

static void compare_line(const struct compose_scene *s, int32_t y)
{
    int32_t x0 = rand() % WIDTH, x1 = x0 + 1 + rand() % (WIDTH - x0);
    size_t count = (size_t)(x1 - x0);
    uint32_t *out = malloc(count * sizeof(*out));
    uint32_t *scratch = malloc(count * sizeof(*scratch));

    memset(out, 0x55, count * sizeof(*out));
    compose_line(s, y, x0, x1, out, scratch);
    for (int32_t x = x0; x < x1; x++) {
        uint32_t is = out[x - x0] & 0xffffff;

        if (is != model_pixel(s, x, y)) {
            CHECK_FAIL("pixel %d,%d is %06x, expected %06x", x, y, is,
                       model_pixel(s, x, y));
            break;
        }
    }
    free(out);
    free(scratch);
}

TEST(random_scenes_look_as_the_model_says)
{
    srand(3);
    for (int round = 0; round < 1500 && check_failures < 5; round++) {
        struct compose_scene s = {
            .layers = layers,
            .count = (size_t)rand() % (LAYERS + 1),
            .top = (uint32_t)rand() & 0xffffff,
            .bottom = (uint32_t)rand() & 0xffffff,
            .height = HEIGHT,
        };

        for (size_t i = 0; i < s.count; i++)
            random_layer(i);
        for (int n = 0; n < 12; n++)
            compare_line(&s, rand() % HEIGHT);
        compare_rect(&s);
    }
}

TEST(blending_is_exact_for_every_alpha_and_value)
{
    for (uint32_t a = 0; a < 256; a++)
        for (uint32_t v = 0; v < 256; v++) {
            uint32_t source = v << 16 | (255 - v) << 8 | (v ^ 0x5a);
            uint32_t below = (255 - v) << 16 | v << 8 | (v * 7 & 0xff);

            if (compose_mix(below, source, a) !=
                model_blend(below, source, (int)a))
                CHECK_FAIL("alpha %u, value %u", a, v);
        }
}

static struct compose_layer framed(uint32_t *pixels, struct rect place,
                                   enum surface_scaling scaling)
{
    struct compose_layer l = {.pixels = pixels,
                              .width = 2,
                              .height = 2,
                              .stride = 2,
                              .place = place,
                              .scaling = scaling,
                              .opacity = 255};

    compose_prepare(&l);
    return l;
}

TEST(whole_factors_are_centred_with_black_around)
{
    uint32_t pixels[4] = {0x111111, 0x222222, 0x333333, 0x444444};
    /* 2 * 3 = 6 of 7: what is left over is to the right. */
    struct compose_layer l = framed(pixels, (struct rect){1, 0, 7, 6},
                                    SCALE_INTEGER);
    struct compose_scene s = {&l, 1, 0xabcdef, 0xabcdef, 6};
    static const uint32_t expected[9] = {0xabcdef, 0x111111, 0x111111,
                                         0x111111, 0x222222, 0x222222,
                                         0x222222, 0,        0xabcdef};
    uint32_t out[9], scratch[9];

    compose_line(&s, 1, 0, 9, out, scratch);
    for (int i = 0; i < 9; i++)
        CHECK_EQ(out[i], expected[i]);
}

TEST(what_an_opaque_layer_covers_is_not_even_read)
{
    uint32_t near_pixels[4] = {1, 2, 3, 4};
    struct compose_layer two[2] = {
        framed(near_pixels, (struct rect){0, 0, 8, 8}, SCALE_FILL),
        framed((uint32_t *)16, (struct rect){0, 0, 8, 8}, SCALE_NONE)};
    struct compose_scene s = {two, 2, 0, 0, 8};
    uint32_t out[8], scratch[8];

    compose_line(&s, 0, 0, 8, out, scratch); /* it would fault */
    CHECK_EQ(out[0], 1);
}

/* Changing the pixels inside of a rectangle changes nothing outside of the
 * damage that is mapped from it. */
TEST(damage_on_the_screen_holds_all_that_changes)
{
    srand(4);
    for (int round = 0; round < 600 && check_failures < 5; round++) {
        struct compose_scene s = {layers, 1, 0, 0, HEIGHT};
        static uint32_t before[HEIGHT][WIDTH], after[HEIGHT][WIDTH];
        uint32_t scratch[WIDTH];
        struct rect r, damage;

        random_layer(0);
        layers[0].opacity = 255;
        r = (struct rect){rand() % (int)layers[0].width,
                          rand() % (int)layers[0].height, 1 + rand() % 5,
                          1 + rand() % 5};
        for (int y = 0; y < HEIGHT; y++)
            compose_line(&s, y, 0, WIDTH, before[y], scratch);
        for (int y = r.y; y < r.y + r.h && y < (int)layers[0].height; y++)
            for (int x = r.x; x < r.x + r.w && x < (int)layers[0].width; x++)
                pictures[0][y * (int)layers[0].stride + x] ^= 0xffffffff;
        for (int y = 0; y < HEIGHT; y++)
            compose_line(&s, y, 0, WIDTH, after[y], scratch);
        damage = compose_map_damage(&layers[0], r);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++)
                if ((before[y][x] ^ after[y][x]) & 0xffffff &&
                    !rect_has_point(damage, x, y))
                    CHECK_FAIL("%d,%d changes outside of the damage", x, y);
    }
}

TEST(a_point_of_the_screen_maps_to_the_pixel_shown_there)
{
    uint32_t pixels[4] = {0};
    struct compose_layer l = framed(pixels, (struct rect){10, 20, 8, 6},
                                    SCALE_INTEGER);
    int32_t x, y;

    compose_map_point(&l, 11, 20, &x, &y);
    CHECK_EQ(x, 0);
    CHECK_EQ(y, 0);
    compose_map_point(&l, 14, 23, &x, &y);
    CHECK_EQ(x, 1);
    CHECK_EQ(y, 1);
    compose_map_point(&l, -50, 500, &x, &y);
    CHECK_EQ(x, 0);
    CHECK_EQ(y, 1);
    l = framed(pixels, (struct rect){0, 0, 100, 10}, SCALE_FILL);
    compose_map_point(&l, 49, 4, &x, &y);
    CHECK_EQ(x, 0);
    CHECK_EQ(y, 0);
    compose_map_point(&l, 50, 5, &x, &y);
    CHECK_EQ(x, 1);
    CHECK_EQ(y, 1);
}

TEST(sizes_that_nobody_draws_are_nothing)
{
    uint32_t pixel = 0;
    struct compose_layer l = {.pixels = &pixel,
                              .width = COMPOSE_MAX_SIDE + 1,
                              .height = 1,
                              .place = {0, 0, 10, 10}};

    compose_prepare(&l);
    CHECK(rect_is_empty(l.visible));
    l.width = 1;
    l.pixels = NULL;
    compose_prepare(&l);
    CHECK(rect_is_empty(l.visible));
}

CHECK_MAIN
