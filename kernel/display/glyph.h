/*
 * Drawing one character cell. Pure; general registers only; any context. The
 * cell is written whole and never read, so it may lie in a write-combining
 * framebuffer.
 */
#ifndef RAYOS_DISPLAY_GLYPH_H
#define RAYOS_DISPLAY_GLYPH_H

#include <rayos/types.h>

struct glyph_bitmap {
    const uint8_t *rows; /* NULL: blank */
    uint32_t bytes_per_row;
    uint32_t width, height; /* pixels that are looked at */
};

struct glyph_cell {
    uint32_t *pixels; /* top left */
    uint32_t stride;  /* pixels from one line to the next */
    uint32_t width, height;
    uint32_t fg, bg; /* as the framebuffer wants them */
};

/*
 * Draw `base`, and over it `mark` (a combining character). A bitmap of another
 * size than the cell is scaled with a box filter.
 */
void glyph_draw(const struct glyph_cell *cell, const struct glyph_bitmap *base,
                const struct glyph_bitmap *mark);

#endif
