/* Sets of rectangles: see region.h. Pure; any context. */
#include "region.h"

/* Sums and differences of two such coordinates stay far inside 32 bits. */
#define COORDINATE_MAX (1 << 20)
/* A pixel stretched over that many is still a step of 1 in 16.16. */
#define SIDE_MAX (1 << 16)

static int32_t min32(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t max32(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

struct rect rect_intersect(struct rect a, struct rect b)
{
    int32_t x = max32(a.x, b.x), right = min32(a.x + a.w, b.x + b.w);
    int32_t y = max32(a.y, b.y), bottom = min32(a.y + a.h, b.y + b.h);

    if (rect_is_empty(a) || rect_is_empty(b) || right <= x || bottom <= y)
        return (struct rect){0};
    return (struct rect){x, y, right - x, bottom - y};
}

struct rect rect_bound(struct rect a, struct rect b)
{
    int32_t x = min32(a.x, b.x), y = min32(a.y, b.y);

    if (rect_is_empty(a))
        return b;
    if (rect_is_empty(b))
        return a;
    return (struct rect){x, y, max32(a.x + a.w, b.x + b.w) - x,
                         max32(a.y + a.h, b.y + b.h) - y};
}

bool rect_contains(struct rect a, struct rect b)
{
    return rect_is_empty(b) ||
           (b.x >= a.x && b.y >= a.y && b.x + b.w <= a.x + a.w &&
            b.y + b.h <= a.y + a.h);
}

bool rect_has_point(struct rect r, int32_t x, int32_t y)
{
    return x >= r.x && x - r.x < r.w && y >= r.y && y - r.y < r.h;
}

struct rect rect_sane(struct rect r)
{
    if (rect_is_empty(r))
        return (struct rect){0};
    r.x = max32(min32(r.x, COORDINATE_MAX), -COORDINATE_MAX);
    r.y = max32(min32(r.y, COORDINATE_MAX), -COORDINATE_MAX);
    r.w = min32(r.w, SIDE_MAX);
    r.h = min32(r.h, SIDE_MAX);
    return r;
}

/* --- regions --- */

void region_clear(struct region *g)
{
    g->count = 0;
}

static void region_remove(struct region *g, uint32_t i)
{
    g->rects[i] = g->rects[--g->count];
}

static bool region_push(struct region *g, struct rect r)
{
    if (rect_is_empty(r))
        return true;
    if (g->count == REGION_MAX)
        return false;
    g->rects[g->count++] = r;
    return true;
}

/* What is left of `r` when `hole` is taken out: up to four pieces. */
static bool region_push_rest(struct region *out, struct rect r,
                             struct rect hole)
{
    struct rect h = rect_intersect(r, hole);
    int32_t right = h.x + h.w, bottom = h.y + h.h;

    if (rect_is_empty(h))
        return region_push(out, r);
    return region_push(out, (struct rect){r.x, r.y, r.w, h.y - r.y}) &&
           region_push(out, (struct rect){r.x, h.y, h.x - r.x, h.h}) &&
           region_push(out,
                       (struct rect){right, h.y, r.x + r.w - right, h.h}) &&
           region_push(out,
                       (struct rect){r.x, bottom, r.w, r.y + r.h - bottom});
}

static bool region_push_rests(struct region *out, const struct region *g,
                              struct rect hole)
{
    out->count = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        if (!region_push_rest(out, g->rects[i], hole))
            return false;
    }
    return true;
}

/* Two that lie side by side with a whole edge in common become one. */
static bool rect_can_join(struct rect a, struct rect b)
{
    if (a.x == b.x && a.w == b.w)
        return a.y + a.h == b.y || b.y + b.h == a.y;
    if (a.y == b.y && a.h == b.h)
        return a.x + a.w == b.x || b.x + b.w == a.x;
    return false;
}

/* r overlaps nothing in g, and there is room for it. */
static void region_append(struct region *g, struct rect r)
{
    for (uint32_t i = 0; i < g->count;) {
        if (!rect_can_join(g->rects[i], r)) {
            i++;
            continue;
        }
        r = rect_bound(g->rects[i], r);
        region_remove(g, i);
        i = 0;
    }
    region_push(g, r);
}

/* Add only what is not in g yet; false, and g as it was, when that has too many
 * pieces. */
static bool region_add_exact(struct region *g, struct rect r)
{
    struct region pieces = {.count = 1, .rects = {r}}, next;

    for (uint32_t i = 0; i < g->count; i++) {
        if (!region_push_rests(&next, &pieces, g->rects[i]))
            return false;
        pieces = next;
    }
    if (g->count + pieces.count > REGION_MAX)
        return false;
    for (uint32_t i = 0; i < pieces.count; i++)
        region_append(g, pieces.rects[i]);
    return true;
}

static int64_t rect_area(struct rect r)
{
    return (int64_t)r.w * r.h;
}

/* The one that grows least when it takes in r; g is not empty. */
static uint32_t region_nearest(const struct region *g, struct rect r)
{
    int64_t best = INT64_MAX;
    uint32_t at = 0;

    for (uint32_t i = 0; i < g->count; i++) {
        int64_t more = rect_area(rect_bound(g->rects[i], r)) -
                       rect_area(g->rects[i]);

        if (more < best) {
            best = more;
            at = i;
        }
    }
    return at;
}

/* Add r as one rectangle that swallows all that it meets. */
static void region_absorb(struct region *g, struct rect r)
{
    for (uint32_t i = 0; i < g->count;) {
        if (rect_is_empty(rect_intersect(g->rects[i], r))) {
            i++;
            continue;
        }
        r = rect_bound(g->rects[i], r);
        region_remove(g, i);
        i = 0; /* it has grown, and may meet those before */
    }
    if (g->count < REGION_MAX) {
        region_append(g, r);
        return;
    }
    uint32_t i = region_nearest(g, r);

    r = rect_bound(g->rects[i], r);
    region_remove(g, i);
    region_absorb(g, r); /* has a place now: once */
}

void region_add(struct region *g, struct rect r)
{
    if (rect_is_empty(r))
        return;
    for (uint32_t i = g->count; i--;) {
        if (rect_contains(g->rects[i], r))
            return;
        if (rect_contains(r, g->rects[i]))
            region_remove(g, i);
    }
    if (!region_add_exact(g, r))
        region_absorb(g, r);
}

void region_add_all(struct region *g, const struct region *other)
{
    for (uint32_t i = 0; i < other->count; i++)
        region_add(g, other->rects[i]);
}

void region_subtract(struct region *g, struct rect r)
{
    struct region rest;

    if (region_push_rests(&rest, g, r)) {
        *g = rest;
        return;
    }
    /* Too many pieces: only those go that would leave none. */
    for (uint32_t i = g->count; i--;) {
        if (rect_contains(r, g->rects[i]))
            region_remove(g, i);
    }
}

void region_clip(struct region *g, struct rect r)
{
    for (uint32_t i = g->count; i--;) {
        g->rects[i] = rect_intersect(g->rects[i], r);
        if (rect_is_empty(g->rects[i]))
            region_remove(g, i);
    }
}
