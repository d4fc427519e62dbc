/*
 * The panic report on the screen: text straight into the framebuffer, without
 * locks, in two columns so that a long report fits. Any context; only called
 * by the one CPU that panics.
 */
#include <rayos/framebuffer.h>
#include <rayos/panic.h>

#include "fonts.h"
#include "glyph.h"

#define PANIC_GROUND 0x3b1016u
#define PANIC_TEXT   0xf4e9e6u
#define PANIC_MARGIN 16 /* pixels */

static struct {
    bool begun;
    uint32_t left; /* of the text column, pixels */
    uint32_t x, y; /* pixels */
} panic_pen;

static void panic_new_line(const struct framebuffer *fb, uint32_t height)
{
    panic_pen.x = panic_pen.left;
    panic_pen.y += height;
    if (panic_pen.y + height + PANIC_MARGIN <= fb->height)
        return;
    panic_pen.y = PANIC_MARGIN;
    panic_pen.left = panic_pen.left == PANIC_MARGIN ? fb->width / 2
                                                    : PANIC_MARGIN;
    panic_pen.x = panic_pen.left;
}

static void panic_draw(const struct framebuffer *fb, const struct font *f,
                       char c)
{
    struct font_metrics m = font_metrics(f);
    struct glyph_bitmap none = {.rows = NULL};
    struct glyph_bitmap b = {.width = m.width, .height = m.height};
    uint32_t right = panic_pen.left == PANIC_MARGIN ? fb->width / 2 : fb->width;
    struct glyph_cell cell = {
        .stride = fb->stride,
        .width = m.width,
        .height = m.height,
        .fg = framebuffer_colour(PANIC_TEXT),
        .bg = framebuffer_colour(PANIC_GROUND),
    };

    if (panic_pen.x + m.width + PANIC_MARGIN > right)
        panic_new_line(fb, m.height);
    cell.pixels = fb->pixels + (size_t)panic_pen.y * fb->stride + panic_pen.x;
    b.rows = font_glyph(f, (uint8_t)c, &b.bytes_per_row);
    glyph_draw(&cell, &b, &none);
    panic_pen.x += m.width;
}

void panic_screen_write(const char *text, size_t size)
{
    const struct framebuffer *fb = framebuffer_get();
    const struct font *f = fonts_panic_font();

    if (!fb->pixels || !f)
        return;
    if (!panic_pen.begun) {
        panic_pen.begun = true;
        panic_pen.left = panic_pen.x = panic_pen.y = PANIC_MARGIN;
        framebuffer_fill(0, 0, fb->width, fb->height, PANIC_GROUND);
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n')
            panic_new_line(fb, font_metrics(f).height);
        else if (text[i] >= ' ')
            panic_draw(fb, f, text[i]);
    }
}
