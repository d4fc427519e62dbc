/*
 * Composing pictures, a line at a time. Pure; general registers only; thread
 * context (it takes long). All arithmetic is whole numbers, so that the same
 * scene always gives the same pixels:
 *
 * - Blending, per channel, a: the pixel's alpha (255 unless the layer blends)
 *   times the layer's opacity over 255, rounded to the nearest:
 *       out = (source * a + below * (255 - a)) / 255, rounded to the nearest.
 * - SCALE_FIT and SCALE_FILL: a pixel's centre maps to the source in 16.16
 *   fixed point, at step * x + step / 2 - 1/2 with step = source side / drawn
 *   side rounded down, held inside the first and last pixels' centres; the
 *   upper 8 bits f of the fraction mix neighbours, columns first, per channel:
 *       out = (a * (256 - f) + b * f + 128) / 256, rounded down.
 * - An opaque layer covers its place whole, black where its picture does not
 *   reach; a layer that blends leaves that part alone.
 * - The top byte of a destination pixel means nothing.
 */
#ifndef RAYOS_DISPLAY_COMPOSE_H
#define RAYOS_DISPLAY_COMPOSE_H

#include <rayos/surface.h>

struct compose_layer {
    const uint32_t *pixels;
    uint32_t width, height, stride; /* pixels */
    struct rect place;              /* on the screen; rect_sane */
    enum surface_scaling scaling;
    bool blend;
    uint8_t opacity;
    /* From here on filled in by compose_prepare. */
    struct rect picture; /* where the picture lies on the screen; it may reach
                            out of the place */
    struct rect visible; /* of it, inside the place */
    uint32_t factor;     /* SCALE_INTEGER's */
    uint32_t step_x, step_y; /* 16.16, SCALE_FIT's and SCALE_FILL's */
};

struct compose_scene {
    const struct compose_layer *layers; /* nearest first, prepared */
    size_t count;
    uint32_t top, bottom; /* background colours of the first and last line */
    uint32_t height;      /* of the screen */
};

#define COMPOSE_MAX_SIDE 16384u /* of a source */

void compose_prepare(struct compose_layer *l);
/* Pixels [x0, x1) of line y into `out` (pixel x0 first), which is only
 * written. `scratch` has room for x1 - x0 pixels. */
void compose_line(const struct compose_scene *s, int32_t y, int32_t x0,
                  int32_t x1, uint32_t *out, uint32_t *scratch);

/* All pixels of r, which is inside the screen; `out` is its top left. `scratch`
 * has room for r.w pixels. */
void compose_rect(const struct compose_scene *s, struct rect r, uint32_t *out,
                  size_t out_stride, uint32_t *scratch);

/* The part of the screen that changes with `r` of the layer's pixels. */
struct rect compose_map_damage(const struct compose_layer *l, struct rect r);
/* The source pixel that is shown at a point of the screen; the nearest inside
 * when the point lies outside. */
void compose_map_point(const struct compose_layer *l, int32_t x, int32_t y,
                       int32_t *sx, int32_t *sy);

void compose_fill(uint32_t *out, size_t count, uint32_t pixel);
/* One pixel over another, `a` 0..255; see above. */
uint32_t compose_mix(uint32_t below, uint32_t source, uint32_t a);

#endif
