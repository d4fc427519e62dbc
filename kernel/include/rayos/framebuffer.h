/*
 * The boot framebuffer and bitmap fonts. Drawing functions use general
 * registers only and take no locks, so that a panic may draw; in normal running
 * only the display thread draws. Colours are 0x00RRGGBB.
 */
#ifndef RAYOS_FRAMEBUFFER_H
#define RAYOS_FRAMEBUFFER_H

#include <rayos/types.h>

struct framebuffer {
    uint32_t *pixels; /* write-combining mapping; NULL: there is no screen */
    uint32_t width, height;
    uint32_t stride; /* pixels from one line to the next */
    bool rgb;        /* red in the low byte */
};

const struct framebuffer *framebuffer_get(void);
/* 0x00RRGGBB in the framebuffer's own byte order. */
uint32_t framebuffer_colour(uint32_t rgb);
void framebuffer_fill(uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                      uint32_t colour);

/* A PSF2 font with a Unicode table, glyphs of one cell or, for wide characters,
 * two. */
struct font;
struct font_metrics {
    uint32_t width, height; /* of one cell, pixels */
};
/* Parse; `data` stays in use. Every length and offset is checked: -EINVAL with
 * a log line that names the field. */
int font_load(const void *data, size_t size, struct font **out);
void font_free(struct font *f);
struct font_metrics font_metrics(const struct font *f);
/* Bitmap of a code point, `bytes_per_row` * height bytes, MSB left; NULL when
 * the font lacks it. */
const uint8_t *font_glyph(const struct font *f, uint32_t codepoint,
                          uint32_t *bytes_per_row);

#endif
