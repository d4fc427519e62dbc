/* Where a window goes when the mouse drags a part of it. Pure; any context. */
#ifndef RAYOS_DISPLAY_WINDOW_DRAG_H
#define RAYOS_DISPLAY_WINDOW_DRAG_H

#include "region.h"

struct drag {
    unsigned part;    /* enum decoration_part */
    struct rect from; /* the content when it began */
    int32_t x, y;     /* the pointer then */
    int32_t min_width, min_height;
    int32_t title_height;
    struct rect area;
};

/* The content's place when the pointer is at (x, y). */
struct rect drag_place(const struct drag *d, int32_t x, int32_t y);
/* Moved so that the title bar can be reached: all of its height is inside the
 * area, and DRAG_VISIBLE pixels of its width. */
#define DRAG_VISIBLE 80
struct rect drag_keep(struct rect content, int32_t title_height,
                      struct rect area);

#endif
