/* Text of the drawing kit: see rayos/draw.h. Thread context. */
#include <errno.h>
#include <string.h>

#include <rayos/draw.h>

#include "draw_pixel.h"
#include "fonts.h"

#define REPLACEMENT 0xfffdu
#define ELLIPSIS    0x2026u
#define CELL_MAX    32        /* pixels of either side */
#define PEN_MAX     (1 << 20) /* beyond any screen */

_Static_assert((int)DRAW_FONTS == (int)FONT_SIZES, "the same fonts");

uint32_t draw_font_height(enum draw_font font)
{
    static const uint8_t heights[DRAW_FONTS] = {16, 24, 32};

    return heights[font];
}

enum draw_font draw_font_for(uint32_t screen_width)
{
    return (enum draw_font)fonts_size_for(screen_width);
}

/* The next character at *p, which is moved behind it; p < end. */
static uint32_t next_character(const char **p, const char *end)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t) * (*p)++;
    unsigned more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    uint32_t c = more ? first & (0x3fu >> more) : first;

    if (first >= 0x80 && (first < 0xc2 || first > 0xf4))
        return REPLACEMENT;
    for (unsigned i = 0; i < more; i++) {
        if (*p == end || ((uint8_t) * *p & 0xc0) != 0x80)
            return REPLACEMENT;
        c = c << 6 | ((uint8_t) * (*p)++ & 0x3f);
    }
    return c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)
               ? REPLACEMENT
               : c;
}

/* A pen that draws, or with canvas NULL only measures. */
struct pen {
    const struct canvas *canvas;
    struct font_set fonts;
    const struct draw_style *style;
    int32_t x, y;
};

static void stamp(const struct canvas *c, int32_t x, int32_t y,
                  const struct glyph_cell *cell, uint32_t argb)
{
    for (int32_t v = 0; v < (int32_t)cell->height; v++) {
        if (y + v < 0 || y + v >= (int32_t)c->height)
            continue;
        for (int32_t u = 0; u < (int32_t)cell->width; u++)
            if (x + u >= 0 && x + u < (int32_t)c->width)
                draw_pixel_over(
                    &c->pixels[(size_t)(y + v) * c->stride + (uint32_t)(x + u)],
                    argb,
                    cell->pixels[(uint32_t)v * CELL_MAX + (uint32_t)u] & 0xff);
    }
}

static void pen_write(struct pen *pen, uint32_t ch)
{
    bool wide = fonts_is_wide(&pen->fonts, ch);
    uint32_t width = pen->fonts.cell.width * (wide ? 2 : 1);

    if (pen->canvas && ch != ' ' && width <= CELL_MAX &&
        pen->fonts.cell.height <= CELL_MAX) {
        uint32_t coverage[CELL_MAX * CELL_MAX];
        struct glyph_bitmap none = {.rows = NULL};
        struct glyph_bitmap b = fonts_find_glyph(&pen->fonts, ch,
                                                 pen->style->bold, wide);
        struct glyph_cell cell = {.pixels = coverage,
                                  .stride = CELL_MAX,
                                  .width = width,
                                  .height = pen->fonts.cell.height,
                                  .fg = 0xffffff};

        glyph_draw(&cell, &b, &none);
        stamp(pen->canvas, pen->x, pen->y, &cell, pen->style->argb);
    }
    pen->x += (int32_t)width;
}

static void pen_write_all(struct pen *pen, const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end && pen->x < PEN_MAX)
        pen_write(pen, next_character(&text, end));
}

int32_t draw_text(const struct canvas *c, int32_t x, int32_t y,
                  const char *text, size_t size, const struct draw_style *style)
{
    struct pen pen = {.canvas = c, .style = style, .x = x, .y = y};
    int err = fonts_get((enum font_size)style->font, &pen.fonts);

    if (err)
        return err;
    pen_write_all(&pen, text, size);
    return pen.x - x;
}

int32_t draw_text_width(const char *text, size_t size, enum draw_font font)
{
    const struct draw_style style = {.font = font};

    return draw_text(NULL, 0, 0, text, size, &style);
}

int32_t draw_text_in(const struct canvas *c, int32_t x, int32_t y,
                     int32_t width, const char *text, size_t size,
                     const struct draw_style *style)
{
    struct pen pen = {.canvas = c, .style = style, .x = x, .y = y};
    int32_t all = draw_text_width(text, size, style->font), cell;
    const char *end = text + size;

    if (all < 0 || all <= width)
        return all < 0 ? all : draw_text(c, x, y, text, size, style);
    if (fonts_get((enum font_size)style->font, &pen.fonts))
        return -ENOENT;
    cell = (int32_t)pen.fonts.cell.width;
    while (text < end && pen.x - x + 3 * cell <= width)
        pen_write(&pen, next_character(&text, end));
    if (pen.x - x + cell <= width)
        pen_write(&pen, ELLIPSIS);
    return pen.x - x;
}
