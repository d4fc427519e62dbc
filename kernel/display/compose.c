/* Composing pictures: see compose.h. Pure; thread context. */
#include "compose.h"

#include <string.h>

#include "region.h"

#define FIXED_ONE  0x10000 /* 16.16 */
#define FIXED_HALF 0x8000

static int32_t min32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t max32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* --- four channels in one word: blue, red, green, alpha of 16 bits each, so
 * that products of 8 bits by 8 do not meet --- */

#define LANES(x) (UINT64_C(0x0001000100010001) * (x))

static inline uint64_t spread(uint32_t p)
{
    return (p & 0xff00ffu) | (uint64_t)(p & 0xff00ff00u) << 24;
}

static inline uint32_t gather(uint64_t w)
{
    return (uint32_t)(w & 0xff00ff) | (uint32_t)(w >> 24 & 0xff00ff00u);
}

/* Without alpha. */
static inline uint64_t spread_rgb(uint32_t p)
{
    return (p & 0xff00ffu) | (uint64_t)(p & 0xff00u) << 24;
}

/* t / 255 to the nearest is (t + 128 + (t + 128) / 256) / 256 for all t up to
 * 255 * 255; here in each lane. */
static inline uint32_t mix(uint32_t below, uint32_t source, uint32_t a)
{
    uint64_t t = spread_rgb(source) * a + spread_rgb(below) * (255 - a) +
                 LANES(128);

    t += t >> 8 & LANES(0xff);
    return (uint32_t)(t >> 8 & 0xff00ff) | (uint32_t)(t >> 32 & 0xff00);
}

uint32_t compose_mix(uint32_t below, uint32_t source, uint32_t a)
{
    return mix(below, source, a);
}

static inline uint32_t over_255(uint32_t t)
{
    t += 128;
    return (t + (t >> 8)) >> 8;
}

static inline uint64_t lanes_between(uint64_t a, uint64_t b, uint32_t f)
{
    return (a * (256 - f) + b * f + LANES(128)) >> 8 & LANES(0xff);
}

/* --- geometry --- */

static void prepare_integer(struct compose_layer *l)
{
    int32_t w = (int32_t)l->width, h = (int32_t)l->height;
    int32_t k = max32(1, min32(l->place.w / w, l->place.h / h));

    l->factor = (uint32_t)k;
    l->picture.w = w * k;
    l->picture.h = h * k;
}

static void prepare_fit(struct compose_layer *l)
{
    int64_t w = l->width, h = l->height, pw = l->place.w, ph = l->place.h;

    if (pw * h <= ph * w)
        ph = (h * pw + w / 2) / w;
    else
        pw = (w * ph + h / 2) / h;
    l->picture.w = max32(1, min32((int32_t)pw, l->place.w));
    l->picture.h = max32(1, min32((int32_t)ph, l->place.h));
}

/* Halves go to the left and up, for differences below zero too. */
static void centre(struct compose_layer *l)
{
    l->picture.x = l->place.x + ((l->place.w - l->picture.w) >> 1);
    l->picture.y = l->place.y + ((l->place.h - l->picture.h) >> 1);
}

void compose_prepare(struct compose_layer *l)
{
    l->factor = 1;
    l->step_x = l->step_y = FIXED_ONE;
    l->picture = l->visible = (struct rect){0};
    if (!l->pixels || !l->width || !l->height || rect_is_empty(l->place) ||
        l->width > COMPOSE_MAX_SIDE || l->height > COMPOSE_MAX_SIDE)
        return;
    l->picture = (struct rect){l->place.x, l->place.y, (int32_t)l->width,
                               (int32_t)l->height};
    if (l->scaling == SCALE_INTEGER) {
        prepare_integer(l);
    } else if (l->scaling != SCALE_NONE) {
        l->picture.w = l->place.w;
        l->picture.h = l->place.h;
        if (l->scaling == SCALE_FIT)
            prepare_fit(l);
        l->step_x = l->width * FIXED_ONE / (uint32_t)l->picture.w;
        l->step_y = l->height * FIXED_ONE / (uint32_t)l->picture.h;
    }
    if (l->scaling != SCALE_NONE)
        centre(l);
    l->visible = rect_intersect(l->picture, l->place);
}

static bool layer_is_filtered(const struct compose_layer *l)
{
    return (l->scaling == SCALE_FIT || l->scaling == SCALE_FILL) &&
           (l->picture.w != (int32_t)l->width ||
            l->picture.h != (int32_t)l->height);
}

/* --- lines of one layer --- */

/* Where pixel i's centre lies between `side` source pixels' centres. */
static int64_t fixed_position(int32_t i, uint32_t step, uint32_t side)
{
    int64_t at = (int64_t)i * step + step / 2 - FIXED_HALF;
    int64_t last = (int64_t)(side - 1) * FIXED_ONE;

    return at < 0 ? 0 : at > last ? last : at;
}

static const uint32_t *source_row(const struct compose_layer *l, int64_t row)
{
    return l->pixels + (size_t)row * l->stride;
}

/* Two rows of the source, and how much of the second. */
struct mixed_rows {
    const uint32_t *a, *b;
    uint32_t f;
};

static inline uint64_t mixed_pixel(const struct mixed_rows *m, uint32_t i)
{
    return lanes_between(spread(m->a[i]), spread(m->b[i]), m->f);
}

static struct mixed_rows mixed_rows_at(const struct compose_layer *l, int32_t y)
{
    int64_t v = fixed_position(y - l->picture.y, l->step_y, l->height);
    struct mixed_rows m = {.f = v >> 8 & 0xff};

    m.a = source_row(l, v / FIXED_ONE);
    m.b = m.f ? m.a + l->stride : m.a;
    return m;
}

/* Screen pixels [x0, x1) of line y, all of them visible. A source column is
 * mixed once: when a picture is made larger, most pixels lie between the same
 * two as the one before. */
static void fetch_filtered(const struct compose_layer *l, int32_t y, int32_t x0,
                           int32_t x1, uint32_t *out)
{
    const struct mixed_rows m = mixed_rows_at(l, y);
    const int64_t last = (int64_t)(l->width - 1) * FIXED_ONE;
    int64_t at = (int64_t)(x0 - l->picture.x) * l->step_x + l->step_x / 2 -
                 FIXED_HALF;
    uint32_t column = UINT32_MAX - 1; /* whose mix `left` is */
    uint64_t left = 0, right = 0;

    for (int32_t x = x0; x < x1; x++, at += l->step_x) {
        int64_t u = at < 0 ? 0 : at > last ? last : at;
        uint32_t i = (uint32_t)(u >> 16), j = i + (u < last);

        if (i != column) {
            left = i == column + 1 ? right : mixed_pixel(&m, i);
            right = mixed_pixel(&m, j);
            column = i;
        }
        out[x - x0] = gather(lanes_between(left, right, u >> 8 & 0xff));
    }
}

static void fetch_integer(const struct compose_layer *l, int32_t y, int32_t x0,
                          int32_t x1, uint32_t *out)
{
    uint32_t k = l->factor, from = (uint32_t)(x0 - l->picture.x);
    const uint32_t *p = source_row(l, (uint32_t)(y - l->picture.y) / k) +
                        from / k;
    uint32_t left = k - from % k; /* copies of *p that are still due */

    for (int32_t x = x0; x < x1; x++) {
        out[x - x0] = *p;
        if (!--left) {
            left = k;
            p++;
        }
    }
}

static const uint32_t *plain_pixels(const struct compose_layer *l, int32_t y,
                                    int32_t x)
{
    return source_row(l, y - l->picture.y) + (x - l->picture.x);
}

static void fetch_layer(const struct compose_layer *l, int32_t y, int32_t x0,
                        int32_t x1, uint32_t *out)
{
    if (layer_is_filtered(l))
        fetch_filtered(l, y, x0, x1, out);
    else if (l->factor > 1)
        fetch_integer(l, y, x0, x1, out);
    else
        memcpy(out, plain_pixels(l, y, x0), (size_t)(x1 - x0) * sizeof(*out));
}

/* --- layers over each other --- */

#define CHUNK 64 /* pixels that are blended at a time */

struct line {
    const struct compose_scene *scene;
    int32_t y;
    /* Where pixel x = 0 would lie in each. */
    uint32_t *out, *scratch;
};

/* Four words a turn: most of the cost of a plain ground is this loop. */
void compose_fill(uint32_t *out, size_t count, uint32_t pixel)
{
    const uint64_t pair = (uint64_t)pixel << 32 | pixel;

    for (; count >= 8; count -= 8, out += 8) {
        memcpy(out, &pair, sizeof(pair));
        memcpy(out + 2, &pair, sizeof(pair));
        memcpy(out + 4, &pair, sizeof(pair));
        memcpy(out + 6, &pair, sizeof(pair));
    }
    while (count--)
        *out++ = pixel;
}

/* Nothing, when there are none or less. */
static void fill(uint32_t *out, int32_t count, uint32_t pixel)
{
    if (count > 0)
        compose_fill(out, (size_t)count, pixel);
}

static void draw_background(const struct line *n, int32_t x0, int32_t x1,
                            uint32_t *out)
{
    const struct compose_scene *s = n->scene;
    uint32_t last = s->height > 1 ? s->height - 1 : 1;
    uint32_t a = (uint32_t)n->y * 255 / last;

    fill(out + x0, x1 - x0, compose_mix(s->top, s->bottom, a > 255 ? 255 : a));
}

static void draw_opaque(const struct compose_layer *l, const struct line *n,
                        int32_t x0, int32_t x1, uint32_t *out)
{
    const struct rect *v = &l->visible;
    int32_t a = max32(x0, v->x), b = min32(x1, v->x + v->w);

    if (!rect_has_point(*v, v->x, n->y) || a >= b) {
        fill(out + x0, x1 - x0, 0);
        return;
    }
    fill(out + x0, a - x0, 0);
    fetch_layer(l, n->y, a, b, out + a);
    fill(out + b, x1 - b, 0);
}

static inline void blend_pixel(uint32_t *below, uint32_t source, uint32_t a)
{
    if (a == 255)
        *below = source;
    else if (a)
        *below = mix(*below, source, a);
}

/* The usual case has a loop of its own. */
static void blend_run(const struct compose_layer *l, uint32_t *below,
                      const uint32_t *source, int32_t count)
{
    uint32_t fixed = l->blend ? 0 : 255;

    if (l->blend && l->opacity == 255) {
        for (int32_t i = 0; i < count; i++)
            blend_pixel(&below[i], source[i], source[i] >> 24);
        return;
    }
    for (int32_t i = 0; i < count; i++)
        blend_pixel(&below[i], source[i],
                    over_255((source[i] >> 24 | fixed) * l->opacity));
}

/* The picture's pixels [x0, x1), all of them visible, over what is there. */
static void blend_picture(const struct compose_layer *l, int32_t y, int32_t x0,
                          int32_t x1, uint32_t *below)
{
    uint32_t source[CHUNK];

    if (!layer_is_filtered(l) && l->factor == 1) {
        blend_run(l, below + x0, plain_pixels(l, y, x0), x1 - x0);
        return;
    }
    for (int32_t x = x0; x < x1; x += CHUNK) {
        int32_t count = min32(CHUNK, x1 - x);

        fetch_layer(l, y, x, x + count, source);
        blend_run(l, below + x, source, count);
    }
}

/* Only a layer that does not blend darkens what its picture leaves free. */
static void blend_margin(const struct compose_layer *l, int32_t x0, int32_t x1,
                         uint32_t *below)
{
    for (int32_t x = x0; x < x1 && !l->blend; x++)
        below[x] = mix(below[x], 0, l->opacity);
}

static void draw_blended(const struct compose_layer *l, const struct line *n,
                         int32_t x0, int32_t x1, uint32_t *below)
{
    const struct rect *v = &l->visible;
    int32_t a = max32(x0, v->x), b = min32(x1, v->x + v->w);

    if (!rect_has_point(*v, v->x, n->y) || a >= b) {
        blend_margin(l, x0, x1, below);
        return;
    }
    blend_margin(l, x0, a, below);
    blend_picture(l, n->y, a, b, below);
    blend_margin(l, b, x1, below);
}

/* Pixels [x0, x1) of the layers from number i on. What covers is drawn straight
 * into `out`, and what lies below it is not looked at; what blends is done in
 * the scratch line, for `out` may be slow to read. */
static void draw_span(const struct line *n, size_t i, int32_t x0, int32_t x1,
                      uint32_t *out)
{
    for (; i < n->scene->count && x0 < x1; i++) {
        const struct compose_layer *l = &n->scene->layers[i];
        int32_t a = max32(x0, l->place.x);
        int32_t b = min32(x1, l->place.x + l->place.w);

        if (!l->opacity || a >= b || n->y < l->place.y ||
            n->y >= l->place.y + l->place.h)
            continue;
        draw_span(n, i + 1, x0, a, out);
        if (!l->blend && l->opacity == 255) {
            draw_opaque(l, n, a, b, out);
        } else {
            draw_span(n, i + 1, a, b, n->scratch);
            draw_blended(l, n, a, b, n->scratch);
            if (out != n->scratch)
                memcpy(out + a, n->scratch + a, (size_t)(b - a) * sizeof(*out));
        }
        x0 = b;
    }
    if (x0 < x1)
        draw_background(n, x0, x1, out);
}

void compose_line(const struct compose_scene *s, int32_t y, int32_t x0,
                  int32_t x1, uint32_t *out, uint32_t *scratch)
{
    struct line n = {
        .scene = s, .y = y, .out = out - x0, .scratch = scratch - x0};

    draw_span(&n, 0, x0, x1, n.out);
}

/* The one layer that is all that r shows, pixel for pixel; NULL: more is to be
 * done. It is the usual case, of text and of a guest's screen. */
static const struct compose_layer *only_layer(const struct compose_scene *s,
                                              struct rect r)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct compose_layer *l = &s->layers[i];

        if (rect_is_empty(rect_intersect(l->place, r)))
            continue;
        return !l->blend && l->opacity == 255 && l->factor == 1 &&
                       !layer_is_filtered(l) && rect_contains(l->visible, r)
                   ? l
                   : NULL;
    }
    return NULL;
}

void compose_rect(const struct compose_scene *s, struct rect r, uint32_t *out,
                  size_t out_stride, uint32_t *scratch)
{
    const struct compose_layer *l = only_layer(s, r);

    for (int32_t y = r.y; y < r.y + r.h; y++, out += out_stride) {
        if (l)
            memcpy(out, plain_pixels(l, y, r.x), (size_t)r.w * sizeof(*out));
        else
            compose_line(s, y, r.x, r.x + r.w, out, scratch);
    }
}

/* --- between the screen and the picture --- */

/* Screen pixels, from the picture's edge on, that source pixels [from, to)
 * reach, neighbours that are mixed in included. */
static void map_side(const struct compose_layer *l, uint32_t step,
                     int32_t *from, int32_t *length)
{
    int64_t a = *from, b = a + *length;

    if (layer_is_filtered(l)) {
        a = (a - 1) * FIXED_ONE / step - 1;
        b = (b + 1) * FIXED_ONE / step + 2;
    } else {
        a *= l->factor;
        b *= l->factor;
    }
    *from = (int32_t)a;
    *length = (int32_t)(b - a);
}

struct rect compose_map_damage(const struct compose_layer *l, struct rect r)
{
    r = rect_intersect(
        r, (struct rect){0, 0, (int32_t)l->width, (int32_t)l->height});
    if (rect_is_empty(r) || rect_is_empty(l->visible))
        return (struct rect){0};
    map_side(l, l->step_x, &r.x, &r.w);
    map_side(l, l->step_y, &r.y, &r.h);
    r.x += l->picture.x;
    r.y += l->picture.y;
    return rect_intersect(r, l->visible);
}

static int32_t map_back(const struct compose_layer *l, int32_t at,
                        uint32_t step, uint32_t side)
{
    int64_t p = layer_is_filtered(l)
                    ? ((int64_t)at * step + step / 2) / FIXED_ONE
                    : at / (int32_t)l->factor;

    return p < 0 ? 0 : p >= side ? (int32_t)side - 1 : (int32_t)p;
}

void compose_map_point(const struct compose_layer *l, int32_t x, int32_t y,
                       int32_t *sx, int32_t *sy)
{
    *sx = *sy = 0;
    if (rect_is_empty(l->visible))
        return;
    *sx = map_back(l, x - l->picture.x, l->step_x, l->width);
    *sy = map_back(l, y - l->picture.y, l->step_y, l->height);
}
