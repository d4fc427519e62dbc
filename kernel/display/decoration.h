/*
 * What a floating window has around its content. Pure but for fonts: thread
 * context, but the geometry, which is for any.
 */
#ifndef RAYOS_DISPLAY_DECORATION_H
#define RAYOS_DISPLAY_DECORATION_H

#include <rayos/draw.h>

#define DECORATION_BORDER 1  /* line around all of it */
#define DECORATION_SHADOW 28 /* reaches that far */
#define DECORATION_GRIP   8  /* that far out of an edge it can be taken */
#define DECORATION_RADIUS 10

struct decoration {
    const char *title;
    bool active;
    uint32_t title_height; /* decoration_title_height */
    enum draw_font font;
};

enum decoration_part {
    PART_NONE,  /* shadow, or out of it */
    PART_TITLE, /* moves it */
    PART_CLOSE,
    PART_CONTENT,
    PART_LEFT = 16, /* edges; corners are two of them */
    PART_RIGHT = 32,
    PART_TOP = 64,
    PART_BOTTOM = 128,
};
#define PART_EDGES (PART_LEFT | PART_RIGHT | PART_TOP | PART_BOTTOM)

uint32_t decoration_title_height(enum draw_font font);
/* The place of all of it, for a content at that place. */
struct rect decoration_place(struct rect content, uint32_t title_height);
/* What of it lies at a point of the screen; enum decoration_part. */
unsigned decoration_hit(struct rect content, uint32_t title_height, int32_t x,
                        int32_t y);
/* Draw all of it on a canvas of decoration_place's size. */
void decoration_draw(const struct canvas *c, const struct decoration *d);

#endif
