/*
 * A small drawing kit for what the system itself puts on surfaces: bars, title
 * bars, notices, test pictures. Colours are 0xAARRGGBB, alpha not
 * premultiplied. Whatever reaches out of the canvas is cut off. Pure, any
 * context, but text: thread context, for fonts are loaded when first used.
 */
#ifndef RAYOS_DRAW_H
#define RAYOS_DRAW_H

#include <rayos/surface.h>
#include <rayos/types.h>

struct canvas {
    uint32_t *pixels;
    uint32_t width, height;
    uint32_t stride; /* pixels */
};

/* Replace what is there, alpha included. */
void draw_fill(const struct canvas *c, struct rect r, uint32_t argb);
/* From the first line's colour to the last's, in place of what is there. */
void draw_gradient(const struct canvas *c, struct rect r, uint32_t top,
                   uint32_t bottom);
/* Put the colour over what is there. */
void draw_blend(const struct canvas *c, struct rect r, uint32_t argb);
/* The same with round corners, their edges smooth. A radius beyond half of a
 * side is that half. */
void draw_rounded(const struct canvas *c, struct rect r, uint32_t radius,
                  uint32_t argb);
/* Around a rectangle with round corners, and under it: the colour fades out
 * over `extent` pixels. In place of what is there. */
void draw_shadow(const struct canvas *c, struct rect r, uint32_t radius,
                 uint32_t extent, uint32_t argb);
/* A picture, over what is there or in its place. */
void draw_image(const struct canvas *c, int32_t x, int32_t y,
                const struct canvas *from, bool blend);

enum draw_font { DRAW_FONT_16, DRAW_FONT_24, DRAW_FONT_32, DRAW_FONTS };

struct draw_style {
    enum draw_font font;
    bool bold;
    uint32_t argb;
};

/* A line of UTF-8; malformed bytes are drawn as U+FFFD. Returns the width in
 * pixels; -ENOENT without fonts. */
int32_t draw_text(const struct canvas *c, int32_t x, int32_t y,
                  const char *text, size_t size,
                  const struct draw_style *style);
/* As much as fits into `width`, with an ellipsis where something is left out.
 */
int32_t draw_text_in(const struct canvas *c, int32_t x, int32_t y,
                     int32_t width, const char *text, size_t size,
                     const struct draw_style *style);
int32_t draw_text_width(const char *text, size_t size, enum draw_font font);
/* Of a line; the height of a font is constant: 16, 24 or 32. */
uint32_t draw_font_height(enum draw_font font);
/* What suits text on a screen of this width. */
enum draw_font draw_font_for(uint32_t screen_width);

#endif
