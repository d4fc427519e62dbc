/*
 * Rectangles, and sets of them: what of the screen has changed. A region is a
 * bounded list of rectangles that do not overlap; when it would grow beyond its
 * bound it takes in more than it was given, never less. Pure; any context.
 */
#ifndef RAYOS_DISPLAY_REGION_H
#define RAYOS_DISPLAY_REGION_H

#include <rayos/surface.h>

#define REGION_MAX 16

struct region {
    uint32_t count;
    struct rect rects[REGION_MAX];
};

static inline bool rect_is_empty(struct rect r)
{
    return r.w <= 0 || r.h <= 0;
}

/* Empty rectangles come out as all zeroes. */
struct rect rect_intersect(struct rect a, struct rect b);
/* The smallest that holds both; an empty one adds nothing. */
struct rect rect_bound(struct rect a, struct rect b);
/* All of b lies in a; true of an empty b. */
bool rect_contains(struct rect a, struct rect b);
bool rect_has_point(struct rect r, int32_t x, int32_t y);
/* Sides and corners brought into what 32 bits and this code's sums hold. */
struct rect rect_sane(struct rect r);

void region_clear(struct region *g);
static inline bool region_is_empty(const struct region *g)
{
    return !g->count;
}
void region_add(struct region *g, struct rect r);
void region_add_all(struct region *g, const struct region *other);
/* Take r out. When the rest has too many pieces, more than the rest stays. */
void region_subtract(struct region *g, struct rect r);
/* Only what lies inside r stays. */
void region_clip(struct region *g, struct rect r);

#endif
