/*
 * A slow model of kernel/display/compose.h, written from its first comment:
 * pixel by pixel, from the farthest layer to the nearest, with plain divisions.
 */
#ifndef RAYOS_TEST_COMPOSE_MODEL_H
#define RAYOS_TEST_COMPOSE_MODEL_H

#include "kernel/display/compose.h"

static int model_channel(uint32_t p, int shift)
{
    return (int)(p >> shift & 0xff);
}

static uint32_t model_blend(uint32_t below, uint32_t source, int a)
{
    uint32_t out = 0;

    for (int shift = 0; shift < 24; shift += 8) {
        int t = model_channel(source, shift) * a +
                model_channel(below, shift) * (255 - a);

        out |= (uint32_t)((2 * t + 255) / (2 * 255)) << shift;
    }
    return out;
}

static int64_t model_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void model_picture(const struct compose_layer *l, struct rect *out)
{
    int64_t w = l->width, h = l->height, pw = l->place.w, ph = l->place.h;

    *out = (struct rect){l->place.x, l->place.y, (int32_t)w, (int32_t)h};
    if (l->scaling == SCALE_NONE)
        return;
    if (l->scaling == SCALE_INTEGER) {
        int64_t k = 1;

        while ((k + 1) * w <= pw && (k + 1) * h <= ph)
            k++;
        out->w = (int32_t)(w * k);
        out->h = (int32_t)(h * k);
    } else {
        out->w = (int32_t)pw;
        out->h = (int32_t)ph;
        if (l->scaling == SCALE_FIT && pw * h <= ph * w)
            out->h = (int32_t)((2 * h * pw + w) / (2 * w));
        else if (l->scaling == SCALE_FIT)
            out->w = (int32_t)((2 * w * ph + h) / (2 * h));
        out->w = out->w < 1 ? 1 : out->w > pw ? (int32_t)pw : out->w;
        out->h = out->h < 1 ? 1 : out->h > ph ? (int32_t)ph : out->h;
    }
    out->x += (int32_t)model_floor(pw - out->w, 2);
    out->y += (int32_t)model_floor(ph - out->h, 2);
}

static uint32_t model_source(const struct compose_layer *l, int64_t x,
                             int64_t y)
{
    return l->pixels[(size_t)y * l->stride + (size_t)x];
}

/* Source position of pixel i in 16.16. */
static int64_t model_position(int64_t i, int64_t side, int64_t drawn)
{
    int64_t step = side * 65536 / drawn;
    int64_t at = step * i + step / 2 - 32768;

    return at < 0 ? 0 : at > (side - 1) * 65536 ? (side - 1) * 65536 : at;
}

static uint32_t model_mix(uint32_t a, uint32_t b, int f)
{
    uint32_t out = 0;

    for (int shift = 0; shift < 32; shift += 8)
        out |= (uint32_t)((model_channel(a, shift) * (256 - f) +
                           model_channel(b, shift) * f + 128) /
                          256)
               << shift;
    return out;
}

static uint32_t model_filtered(const struct compose_layer *l, struct rect p,
                               int32_t x, int32_t y)
{
    int64_t u = model_position(x - p.x, l->width, p.w);
    int64_t v = model_position(y - p.y, l->height, p.h);
    int64_t i = u / 65536, j = v / 65536;
    int64_t i1 = i + 1 < l->width ? i + 1 : i;
    int64_t j1 = j + 1 < l->height ? j + 1 : j;
    int fx = (int)(u % 65536 / 256), fy = (int)(v % 65536 / 256);

    return model_mix(
        model_mix(model_source(l, i, j), model_source(l, i, j1), fy),
        model_mix(model_source(l, i1, j), model_source(l, i1, j1), fy), fx);
}

static uint32_t model_layer(const struct compose_layer *l, int32_t x, int32_t y,
                            uint32_t below)
{
    struct rect p;
    uint32_t pixel = 0xff000000u;
    int a;

    if (x < l->place.x || y < l->place.y || x >= l->place.x + l->place.w ||
        y >= l->place.y + l->place.h)
        return below;
    model_picture(l, &p);
    if (x < p.x || y < p.y || x >= p.x + p.w || y >= p.y + p.h) {
        if (l->blend)
            return below;
    } else if (l->scaling == SCALE_FIT || l->scaling == SCALE_FILL) {
        pixel = model_filtered(l, p, x, y);
    } else {
        int32_t k = l->scaling == SCALE_INTEGER ? p.w / (int32_t)l->width : 1;

        pixel = model_source(l, (x - p.x) / k, (y - p.y) / k);
    }
    a = l->blend ? model_channel(pixel, 24) : 255;
    a = (2 * a * l->opacity + 255) / (2 * 255);
    return model_blend(below, pixel, a);
}

static uint32_t model_pixel(const struct compose_scene *s, int32_t x, int32_t y)
{
    int last = s->height > 1 ? (int)s->height - 1 : 1;
    int a = y * 255 / last;
    uint32_t pixel = model_blend(s->top, s->bottom, a > 255 ? 255 : a);

    for (size_t i = s->count; i--;)
        pixel = model_layer(&s->layers[i], x, y, pixel);
    return pixel;
}

#endif
