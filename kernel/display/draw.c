/* Shapes of the drawing kit: see rayos/draw.h. Pure; any context. */
#include <rayos/draw.h>

#include <string.h>

#include "compose.h"
#include "draw_pixel.h"
#include "region.h"

#define SUBPIXELS 8 /* a pixel of an edge is looked at in 8 x 8 places */

static struct rect clip(const struct canvas *c, struct rect r)
{
    return rect_intersect(rect_sane(r), (struct rect){0, 0, (int32_t)c->width,
                                                      (int32_t)c->height});
}

static uint32_t *row_of(const struct canvas *c, int32_t y)
{
    return c->pixels + (size_t)y * c->stride;
}

void draw_fill(const struct canvas *c, struct rect r, uint32_t argb)
{
    r = clip(c, r);
    for (int32_t y = r.y; y < r.y + r.h; y++)
        compose_fill(row_of(c, y) + r.x, (size_t)r.w, argb);
}

static uint32_t between(uint32_t a, uint32_t b, uint32_t at, uint32_t last,
                        unsigned shift)
{
    uint32_t x = a >> shift & 0xff, y = b >> shift & 0xff;

    return (x * (last - at) + y * at + last / 2) / last << shift;
}

void draw_gradient(const struct canvas *c, struct rect r, uint32_t top,
                   uint32_t bottom)
{
    struct rect whole = rect_sane(r);
    uint32_t last = whole.h > 1 ? (uint32_t)whole.h - 1 : 1;

    r = clip(c, r);
    for (int32_t y = r.y; y < r.y + r.h; y++) {
        uint32_t at = (uint32_t)(y - whole.y);
        uint32_t colour = between(top, bottom, at, last, 0) |
                          between(top, bottom, at, last, 8) |
                          between(top, bottom, at, last, 16) |
                          between(top, bottom, at, last, 24);

        draw_fill(c, (struct rect){r.x, y, r.w, 1}, colour);
    }
}

void draw_blend(const struct canvas *c, struct rect r, uint32_t argb)
{
    r = clip(c, r);
    for (int32_t y = r.y; y < r.y + r.h; y++)
        for (int32_t x = r.x; x < r.x + r.w; x++)
            draw_pixel_over(&row_of(c, y)[x], argb, 255);
}

/* --- round corners --- */

/* How far a place, in subpixels from the rectangle's corner, lies beyond the
 * centre of that corner's circle; negative inside. */
static int32_t beyond(int32_t at, int32_t side, int32_t radius)
{
    if (at < radius)
        return radius - at;
    return at > side - radius ? at - (side - radius) : 0;
}

/* Share of the pixel that a rectangle with round corners covers, 0..255. All in
 * half subpixels, so that their centres are whole numbers. */
static uint32_t rounded_coverage(struct rect r, int32_t radius, int32_t x,
                                 int32_t y)
{
    int32_t unit = 2 * SUBPIXELS, circle = radius * unit;
    uint32_t inside = 0;

    for (int32_t v = 0; v < SUBPIXELS; v++) {
        int32_t dy = beyond((y - r.y) * unit + 2 * v + 1, r.h * unit, circle);

        for (int32_t u = 0; u < SUBPIXELS; u++) {
            int32_t dx = beyond((x - r.x) * unit + 2 * u + 1, r.w * unit,
                                circle);

            inside += (int64_t)dx * dx + (int64_t)dy * dy <=
                      (int64_t)circle * circle;
        }
    }
    return inside * 255 / (SUBPIXELS * SUBPIXELS);
}

static int32_t sane_radius(struct rect r, uint32_t radius)
{
    int32_t most = (r.w < r.h ? r.w : r.h) / 2;

    return radius > (uint32_t)most ? most : (int32_t)radius;
}

static bool in_corner(struct rect r, int32_t radius, int32_t x, int32_t y)
{
    return (x < r.x + radius || x >= r.x + r.w - radius) &&
           (y < r.y + radius || y >= r.y + r.h - radius);
}

void draw_rounded(const struct canvas *c, struct rect r, uint32_t radius,
                  uint32_t argb)
{
    struct rect whole = rect_sane(r), part = clip(c, r);
    int32_t round = sane_radius(whole, radius);

    for (int32_t y = part.y; y < part.y + part.h; y++)
        for (int32_t x = part.x; x < part.x + part.w; x++)
            draw_pixel_over(&row_of(c, y)[x], argb,
                            in_corner(whole, round, x, y)
                                ? rounded_coverage(whole, round, x, y)
                                : 255);
}

/* --- shadows --- */

static uint32_t square_root(uint32_t n)
{
    uint32_t root = 0;

    for (uint32_t bit = 1u << 15; bit; bit >>= 1)
        if ((root + bit) * (root + bit) <= n)
            root += bit;
    return root;
}

/* 16ths of a pixel from the pixel's centre to the shape; 0 inside. */
static uint32_t shape_distance(struct rect r, int32_t radius, int32_t x,
                               int32_t y)
{
    int32_t dx = beyond((x - r.x) * 16 + 8, r.w * 16, radius * 16);
    int32_t dy = beyond((y - r.y) * 16 + 8, r.h * 16, radius * 16);
    uint32_t d;

    if (!dx && !dy)
        return 0;
    if (dx > 4096 || dy > 4096) /* further than any shadow */
        return UINT32_MAX;
    d = square_root((uint32_t)(dx * dx + dy * dy));
    return d > (uint32_t)radius * 16 ? d - (uint32_t)radius * 16 : 0;
}

/* Fades as the square of what is left of the way: soft at its end. */
void draw_shadow(const struct canvas *c, struct rect r, uint32_t radius,
                 uint32_t extent, uint32_t argb)
{
    struct rect whole = rect_sane(r), part;
    int32_t round = sane_radius(whole, radius), e;

    if (extent > 200)
        extent = 200;
    e = (int32_t)extent;
    part = clip(c, (struct rect){whole.x - e, whole.y - e, whole.w + 2 * e,
                                 whole.h + 2 * e});
    for (int32_t y = part.y; y < part.y + part.h; y++) {
        for (int32_t x = part.x; x < part.x + part.w; x++) {
            uint32_t d = shape_distance(whole, round, x, y);
            uint32_t left = d < 16 * extent ? 16 * extent - d : 0;
            uint32_t share = extent ? left * 255 / (16 * extent) : 255;
            uint32_t a = (argb >> 24) * share * share / (255 * 255);

            row_of(c, y)[x] = a << 24 | (argb & 0xffffff);
        }
    }
}

/* --- pictures --- */

void draw_image(const struct canvas *c, int32_t x, int32_t y,
                const struct canvas *from, bool blend)
{
    struct rect r = clip(
        c, (struct rect){x, y, (int32_t)from->width, (int32_t)from->height});

    for (int32_t v = r.y; v < r.y + r.h; v++) {
        const uint32_t *p = row_of(from, v - y) + (r.x - x);
        uint32_t *out = row_of(c, v) + r.x;

        for (int32_t i = 0; i < r.w; i++) {
            if (blend)
                draw_pixel_over(&out[i], p[i], 255);
            else
                out[i] = p[i];
        }
    }
}
