/* sources: kernel/display/compose.c kernel/display/region.c
   kernel/display/draw.c */
/*
 * Any views, any damage: pictures and lines are of exactly their size, so that
 * the sanitizer sees a step out of them; and what is composed for a part of a
 * line is what is composed for all of it.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/display/compose.h"
#include "kernel/display/region.h"
#include <rayos/draw.h>

#define LAYERS 5
#define WIDTH  64
#define HEIGHT 48

static int32_t number(struct fuzz_input *in)
{
    int32_t n;

    switch (fuzz_byte(in) % 4) {
    case 0:
        fuzz_take(in, &n, sizeof(n));
        return n;
    case 1:
        return (int32_t)fuzz_byte(in) * 64 - 8192;
    default:
        return (int32_t)fuzz_byte(in) - 100;
    }
}

static struct rect rectangle(struct fuzz_input *in)
{
    struct rect r;

    r.x = number(in);
    r.y = number(in);
    r.w = number(in);
    r.h = number(in);
    return r;
}

static void take_layer(struct fuzz_input *in, struct compose_layer *l)
{
    uint32_t w = fuzz_byte(in) % 20, h = fuzz_byte(in) % 20;
    uint8_t how = fuzz_byte(in);
    uint32_t *pixels = malloc(w && h ? (size_t)w * h * 4 : 1);

    for (uint32_t i = 0; i < w * h; i++)
        pixels[i] = i * 0x01234567u;
    *l = (struct compose_layer){
        .pixels = pixels,
        .width = w,
        .height = h,
        .stride = w,
        .place = rect_sane(rectangle(in)),
        .scaling = (enum surface_scaling)(how % 4),
        .blend = how & 4,
        .opacity = how & 8 ? 255 : fuzz_byte(in),
    };
    compose_prepare(l);
    FUZZ_CHECK(rect_contains(l->place, l->visible));
}

static void line(const struct compose_scene *s, int32_t y, int32_t x0,
                 int32_t x1, uint32_t *to)
{
    size_t size = (size_t)(x1 - x0) * sizeof(*to);
    uint32_t *out = malloc(size), *scratch = malloc(size);

    compose_line(s, y, x0, x1, out, scratch);
    memcpy(to, out, size);
    free(out);
    free(scratch);
}

/* All of a rectangle, and its first line into `to`. */
static void rectangle_of(const struct compose_scene *s, struct rect r,
                         uint32_t *to)
{
    size_t width = (size_t)r.w * sizeof(*to);
    uint32_t *out = malloc(width * (size_t)r.h), *scratch = malloc(width);

    compose_rect(s, r, out, (size_t)r.w, scratch);
    memcpy(to, out, width);
    free(out);
    free(scratch);
}

static void compose_damage(const struct compose_scene *s, struct region *damage)
{
    uint32_t whole[WIDTH], part[WIDTH];

    region_clip(damage, (struct rect){0, 0, WIDTH, HEIGHT});
    FUZZ_CHECK(damage->count <= REGION_MAX);
    for (uint32_t i = 0; i < damage->count; i++) {
        struct rect r = damage->rects[i];

        FUZZ_CHECK(r.x >= 0 && r.y >= 0 && r.w > 0 && r.h > 0 &&
                   r.x + r.w <= WIDTH && r.y + r.h <= HEIGHT);
        line(s, r.y, 0, WIDTH, whole);
        rectangle_of(s, r, part);
        for (int32_t x = 0; x < r.w; x++)
            FUZZ_CHECK(((part[x] ^ whole[r.x + x]) & 0xffffff) == 0);
    }
}

/* The drawing kit, with the same wild numbers. */
static void draw(struct fuzz_input *in)
{
    uint32_t *pixels = calloc(WIDTH * HEIGHT, 4);
    struct canvas c = {pixels, WIDTH, HEIGHT, WIDTH};
    struct rect r = rectangle(in);
    uint32_t radius = (uint32_t)number(in), colour = (uint32_t)number(in);

    draw_fill(&c, r, colour);
    draw_blend(&c, r, colour);
    draw_gradient(&c, r, colour, ~colour);
    draw_rounded(&c, r, radius, colour);
    draw_shadow(&c, r, radius, (uint32_t)number(in), colour);
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct compose_layer layers[LAYERS];
    struct compose_scene s = {.layers = layers,
                              .count = fuzz_byte(&in) % (LAYERS + 1),
                              .top = 0x102030,
                              .bottom = 0x405060,
                              .height = HEIGHT};
    struct region damage = {0};

    for (size_t i = 0; i < s.count; i++)
        take_layer(&in, &layers[i]);
    for (size_t n = 0; in.left && n < 40; n++) {
        struct rect r = rect_sane(rectangle(&in));
        uint8_t how = fuzz_byte(&in);
        int32_t x, y;

        if (how % 4 == 0)
            region_subtract(&damage, r);
        else if (how % 4 == 1 && s.count)
            region_add(&damage, compose_map_damage(&layers[how % s.count], r));
        else
            region_add(&damage, r);
        if (s.count)
            compose_map_point(&layers[how % s.count], r.x, r.y, &x, &y);
    }
    compose_damage(&s, &damage);
    draw(&in);
    for (size_t i = 0; i < s.count; i++)
        free((void *)layers[i].pixels);
    return 0;
}
