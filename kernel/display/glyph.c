/* Character cells: see glyph.h. */
#include "glyph.h"

#define COVERAGE_FULL 256

static bool glyph_bit(const struct glyph_bitmap *b, uint32_t x, uint32_t y)
{
    return b->rows[y * b->bytes_per_row + x / 8] & 0x80u >> (x & 7);
}

/* Share of the destination pixel (x, y) that the bitmap covers, 0..256. The
 * pixel is a box of bw/cw by bh/ch bitmap pixels; all in units of 1/cw, 1/ch.
 */
static uint32_t glyph_coverage(const struct glyph_bitmap *b,
                               const struct glyph_cell *c, uint32_t x,
                               uint32_t y)
{
    uint32_t left = x * b->width, right = left + b->width;
    uint32_t top = y * b->height, bottom = top + b->height;
    uint32_t sum = 0;

    for (uint32_t v = top; v < bottom;) {
        uint32_t row = v / c->height, row_end = (row + 1) * c->height;
        uint32_t v_end = row_end < bottom ? row_end : bottom;

        for (uint32_t u = left; u < right;) {
            uint32_t col = u / c->width, col_end = (col + 1) * c->width;
            uint32_t u_end = col_end < right ? col_end : right;

            if (glyph_bit(b, col, row))
                sum += (u_end - u) * (v_end - v);
            u = u_end;
        }
        v = v_end;
    }
    return sum * COVERAGE_FULL / (b->width * b->height);
}

/* Two channels at a time: the products stay below their neighbours' bits. */
static uint32_t glyph_blend(uint32_t bg, uint32_t fg, uint32_t coverage)
{
    uint32_t rest = COVERAGE_FULL - coverage;
    uint32_t rb = ((fg & 0xff00ff) * coverage + (bg & 0xff00ff) * rest) >> 8;
    uint32_t g = ((fg & 0x00ff00) * coverage + (bg & 0x00ff00) * rest) >> 8;

    return (rb & 0xff00ff) | (g & 0x00ff00);
}

static void glyph_draw_scaled(const struct glyph_cell *cell,
                              const struct glyph_bitmap *base,
                              const struct glyph_bitmap *mark)
{
    for (uint32_t y = 0; y < cell->height; y++) {
        uint32_t *p = cell->pixels + (size_t)y * cell->stride;

        for (uint32_t x = 0; x < cell->width; x++) {
            uint32_t a = base->rows ? glyph_coverage(base, cell, x, y) : 0;
            uint32_t b = mark->rows ? glyph_coverage(mark, cell, x, y) : 0;

            p[x] = glyph_blend(cell->bg, cell->fg, a > b ? a : b);
        }
    }
}

static void glyph_draw_exact(const struct glyph_cell *cell,
                             const struct glyph_bitmap *base)
{
    const uint32_t colours[2] = {cell->bg, cell->fg};

    for (uint32_t y = 0; y < cell->height; y++) {
        const uint8_t *row = base->rows + y * base->bytes_per_row;
        uint32_t *p = cell->pixels + (size_t)y * cell->stride;

        for (uint32_t x = 0; x < cell->width; x += 8) {
            uint32_t bits = row[x / 8];
            uint32_t n = cell->width - x < 8 ? cell->width - x : 8;

            for (uint32_t i = 0; i < n; i++, bits <<= 1)
                p[x + i] = colours[bits >> 7 & 1];
        }
    }
}

static void glyph_draw_blank(const struct glyph_cell *cell)
{
    for (uint32_t y = 0; y < cell->height; y++) {
        uint32_t *p = cell->pixels + (size_t)y * cell->stride;

        for (uint32_t x = 0; x < cell->width; x++)
            p[x] = cell->bg;
    }
}

void glyph_draw(const struct glyph_cell *cell, const struct glyph_bitmap *base,
                const struct glyph_bitmap *mark)
{
    if (!base->rows && !mark->rows)
        glyph_draw_blank(cell);
    else if (!mark->rows && base->width == cell->width &&
             base->height == cell->height)
        glyph_draw_exact(cell, base);
    else
        glyph_draw_scaled(cell, base, mark);
}
