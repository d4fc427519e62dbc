/* Dragging windows: see window_drag.h. Pure; any context. */
#include "window_drag.h"

#include "decoration.h"

static int32_t clamp(int32_t v, int32_t low, int32_t high)
{
    if (v > high)
        v = high;
    return v < low ? low : v; /* low counts when there is no such place */
}

struct rect drag_keep(struct rect content, int32_t title_height,
                      struct rect area)
{
    int32_t above = title_height + DECORATION_BORDER;
    int32_t part = content.w < DRAG_VISIBLE ? content.w : DRAG_VISIBLE;

    content.x = clamp(content.x, area.x - content.w + part,
                      area.x + area.w - part);
    content.y = clamp(content.y, area.y + above, area.y + area.h);
    return content;
}

/* An edge that is dragged stays inside the area, and the other where it is. */
static void drag_edges(const struct drag *d, int32_t dx, int32_t dy,
                       struct rect *r)
{
    int32_t right = r->x + r->w, bottom = r->y + r->h;
    int32_t above = d->title_height + DECORATION_BORDER;
    const struct rect *a = &d->area;

    if (d->part & PART_LEFT) {
        r->x = clamp(r->x + dx, a->x + DECORATION_BORDER, right - d->min_width);
        if (r->x > right - d->min_width)
            r->x = right - d->min_width;
        r->w = right - r->x;
    } else if (d->part & PART_RIGHT) {
        r->w = clamp(right + dx, r->x + d->min_width,
                     a->x + a->w - DECORATION_BORDER) -
               r->x;
    }
    if (d->part & PART_TOP) {
        r->y = clamp(r->y + dy, a->y + above, bottom - d->min_height);
        if (r->y > bottom - d->min_height)
            r->y = bottom - d->min_height;
        r->h = bottom - r->y;
    } else if (d->part & PART_BOTTOM) {
        r->h = clamp(bottom + dy, r->y + d->min_height,
                     a->y + a->h - DECORATION_BORDER) -
               r->y;
    }
}

struct rect drag_place(const struct drag *d, int32_t x, int32_t y)
{
    struct rect r = d->from;

    if (d->part & PART_EDGES) {
        drag_edges(d, x - d->x, y - d->y, &r);
        return r;
    }
    r.x += x - d->x;
    r.y += y - d->y;
    return drag_keep(r, d->title_height, d->area);
}
