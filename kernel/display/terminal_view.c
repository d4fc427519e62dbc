/*
 * The screen's terminal as pixels: libvterm keeps the model, this file keeps
 * the lines that scrolled off and draws the cells that differ from what the
 * framebuffer shows. Thread context, under the terminal's lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/vfs.h>

#include "glyph.h"
#include "terminal_view.h"

/* One palette for the whole system: a deep blue-grey ground, soft white text,
 * and eight hues of even lightness with a brighter set. 0xRRGGBB. */
#define COLOUR_GROUND 0x10151cu
#define COLOUR_TEXT   0xd5dbe3u
#define COLOUR_CURSOR 0xf2c062u

static const uint32_t palette[16] = {
    0x1b222c, 0xe0676e, 0x8cc379, 0xdcb35f, 0x66a9e8, 0xbf8ae0,
    0x5cbfc4, 0xb9c2cd, 0x808b99, 0xf28b90, 0xaede9c, 0xf2cf85,
    0x8fc4f7, 0xd6adf2, 0x86dade, 0xf4f7fa,
};

/* Below this width the bigger font would leave fewer than 100 columns. */
#define LARGE_FONT_MIN_WIDTH 1200

static const struct font *panic_font;

const struct font *view_panic_font(void)
{
    return panic_font;
}

static struct font *view_load_font(const char *path)
{
    struct font *f = NULL;
    char *data;
    size_t size;
    int err = vfs_read_all(path, &data, &size);

    if (!err)
        err = font_load(data, size, &f);
    if (err)
        log_warn("display", "font %s: error %d", path, -err);
    return f;
}

static int view_load_fonts(struct terminal_view *v, uint32_t screen_width)
{
    bool large = screen_width >= LARGE_FONT_MIN_WIDTH;

    v->regular = view_load_font(large ? "/boot/fonts/Uni2-Terminus24x12.psf"
                                      : "/boot/fonts/Uni2-Terminus16.psf");
    v->bold = view_load_font(large ? "/boot/fonts/Uni2-TerminusBold24x12.psf"
                                   : "/boot/fonts/Uni2-TerminusBold16.psf");
    if (!v->regular)
        return -ENOENT;
    v->cell = font_metrics(v->regular);
    if (v->bold && (font_metrics(v->bold).width != v->cell.width ||
                    font_metrics(v->bold).height != v->cell.height))
        v->bold = NULL;
    panic_font = v->regular;
    return 0;
}

/* --- the model --- */

static int view_on_damage(VTermRect rect, void *user)
{
    struct terminal_view *v = user;

    for (int row = rect.start_row; row < rect.end_row; row++) {
        if (row >= 0 && (uint32_t)row < v->rows)
            v->row_dirty[row] = true;
    }
    return 1;
}

static int view_on_movecursor(VTermPos pos, VTermPos old, int visible,
                              void *user)
{
    struct terminal_view *v = user;

    (void)old;
    (void)visible; /* comes by settermprop as well */
    v->cursor = pos;
    return 1;
}

static int view_on_termprop(VTermProp prop, VTermValue *value, void *user)
{
    struct terminal_view *v = user;

    if (prop == VTERM_PROP_CURSORVISIBLE)
        v->cursor_visible = value->boolean;
    return 1;
}

static uint32_t view_rgb(const struct terminal_view *v, VTermColor c)
{
    vterm_screen_convert_color_to_rgb(v->screen, &c);
    return (uint32_t)c.rgb.red << 16 | (uint32_t)c.rgb.green << 8 | c.rgb.blue;
}

static struct view_cell view_convert(const struct terminal_view *v,
                                     const VTermScreenCell *c)
{
    struct view_cell out = {
        .ch = c->chars[0],
        .mark = c->chars[0] ? c->chars[1] : 0,
        .fg = view_rgb(v, c->fg),
        .bg = view_rgb(v, c->bg),
    };

    if (out.ch == (uint32_t)-1) { /* libvterm's mark of a right half */
        out.ch = 0;
        out.attrs |= VIEW_WIDE_RIGHT;
    }
    if (out.ch == ' ')
        out.ch = 0;
    if (c->width > 1)
        out.attrs |= VIEW_WIDE;
    if (c->attrs.bold)
        out.attrs |= VIEW_BOLD;
    if (c->attrs.underline)
        out.attrs |= VIEW_UNDERLINE;
    if (c->attrs.strike)
        out.attrs |= VIEW_STRIKE;
    if (c->attrs.reverse) {
        uint32_t fg = out.fg;

        out.fg = out.bg;
        out.bg = fg;
    }
    return out;
}

static bool view_is_blank(const struct view_cell *c)
{
    return !c->ch && c->bg == COLOUR_GROUND && !(c->attrs & VIEW_UNDERLINE);
}

static int view_on_pushline(int cols, const VTermScreenCell *cells, void *user)
{
    struct terminal_view *v = user;
    struct view_line *line, *old = v->history[v->history_next];
    uint32_t length = 0;

    for (int i = 0; i < cols; i++) {
        struct view_cell c = view_convert(v, &cells[i]);

        if (!view_is_blank(&c))
            length = (uint32_t)i + 1;
    }
    line = kalloc(sizeof(*line) + length * sizeof(line->cells[0]));
    if (!line)
        return 0; /* a line of history is lost, nothing else */
    line->length = length;
    for (uint32_t i = 0; i < length; i++)
        line->cells[i] = view_convert(v, &cells[i]);
    kfree(old);
    v->history[v->history_next] = line;
    v->history_next = (v->history_next + 1) % VIEW_HISTORY_LINES;
    if (v->history_count < VIEW_HISTORY_LINES)
        v->history_count++;
    if (v->scroll && v->scroll < v->history_count)
        v->scroll++; /* stay at the same text */
    return 1;
}

static const VTermScreenCallbacks view_callbacks = {
    .damage = view_on_damage,
    .movecursor = view_on_movecursor,
    .settermprop = view_on_termprop,
    .sb_pushline = view_on_pushline,
};

static VTermColor view_vterm_colour(uint32_t rgb)
{
    VTermColor c;

    vterm_color_rgb(&c, (uint8_t)(rgb >> 16), (uint8_t)(rgb >> 8),
                    (uint8_t)rgb);
    return c;
}

static int view_make_model(struct terminal_view *v)
{
    VTermColor fg = view_vterm_colour(COLOUR_TEXT);
    VTermColor bg = view_vterm_colour(COLOUR_GROUND);
    VTermState *state;

    v->vterm = vterm_new((int)v->rows, (int)v->columns);
    if (!v->vterm)
        return -ENOMEM;
    vterm_set_utf8(v->vterm, 1);
    state = vterm_obtain_state(v->vterm);
    v->screen = vterm_obtain_screen(v->vterm);
    vterm_state_set_default_colors(state, &fg, &bg);
    for (int i = 0; i < 16; i++) {
        VTermColor c = view_vterm_colour(palette[i]);

        vterm_state_set_palette_color(state, i, &c);
    }
    vterm_screen_set_callbacks(v->screen, &view_callbacks, v);
    vterm_screen_set_damage_merge(v->screen, VTERM_DAMAGE_ROW);
    vterm_screen_reset(v->screen, 1);
    return 0;
}

int view_init(struct terminal_view *v)
{
    const struct framebuffer *fb = framebuffer_get();
    int err = view_load_fonts(v, fb->width);

    if (err)
        return err;
    v->columns = (fb->width - 2 * (fb->width / 120)) / v->cell.width;
    v->rows = (fb->height - 2 * (fb->width / 120)) / v->cell.height;
    v->left = (fb->width - v->columns * v->cell.width) / 2;
    v->top = (fb->height - v->rows * v->cell.height) / 2;
    v->shown = kalloc(v->columns * v->rows * sizeof(v->shown[0]));
    v->row_dirty = kzalloc(v->rows * sizeof(v->row_dirty[0]));
    if (!v->shown || !v->row_dirty)
        return -ENOMEM;
    for (uint32_t i = 0; i < v->columns * v->rows; i++)
        v->shown[i] = (struct view_cell){.fg = COLOUR_TEXT,
                                         .bg = COLOUR_GROUND};
    v->cursor_visible = true;
    framebuffer_fill(0, 0, fb->width, fb->height, COLOUR_GROUND);
    return view_make_model(v);
}

/* --- drawing --- */

/* The cell at `row` of the view, which may be a line of history. */
static struct view_cell view_get_cell(const struct terminal_view *v,
                                      uint32_t row, uint32_t column)
{
    struct view_cell blank = {.fg = COLOUR_TEXT, .bg = COLOUR_GROUND};
    VTermScreenCell cell;
    VTermPos pos = {.row = (int)(row - v->scroll), .col = (int)column};

    if (row < v->scroll) {
        uint32_t back = v->scroll - row; /* 1: the newest line of history */
        const struct view_line *line =
            v->history[(v->history_next + VIEW_HISTORY_LINES - back) %
                       VIEW_HISTORY_LINES];

        return column < line->length ? line->cells[column] : blank;
    }
    if (!vterm_screen_get_cell(v->screen, pos, &cell))
        return blank;
    blank = view_convert(v, &cell);
    if (!v->scroll && v->cursor_visible && (int)row == v->cursor.row &&
        (int)column == v->cursor.col) {
        blank.fg = COLOUR_GROUND;
        blank.bg = COLOUR_CURSOR;
    }
    return blank;
}

static struct glyph_bitmap view_bitmap(const struct font *f, uint32_t ch,
                                       uint32_t width)
{
    struct glyph_bitmap b = {.width = width};

    if (!f || !ch)
        return b;
    b.rows = font_glyph(f, ch, &b.bytes_per_row);
    b.height = font_metrics(f).height;
    return b;
}

/* The glyph from the best font that has it; U+FFFD when none does. The big
 * font is loaded when the first character asks for it. */
static struct glyph_bitmap view_find_glyph(struct terminal_view *v, uint32_t ch,
                                           const struct view_cell *c)
{
    uint32_t half = c->attrs & VIEW_WIDE ? 16 : 8;
    struct glyph_bitmap b = {.rows = NULL};

    if (!ch)
        return b;
    if (!(c->attrs & VIEW_WIDE)) {
        if (c->attrs & VIEW_BOLD)
            b = view_bitmap(v->bold, ch, v->cell.width);
        if (!b.rows)
            b = view_bitmap(v->regular, ch, v->cell.width);
        if (b.rows)
            return b;
    }
    if (!v->fallback && !v->fallback_tried) {
        v->fallback_tried = true;
        v->fallback = view_load_font("/boot/fonts/unifont.psf");
    }
    b = view_bitmap(v->fallback, ch, half);
    return b.rows ? b : view_bitmap(v->fallback, 0xfffd, half);
}

static void view_draw_cell(struct terminal_view *v, uint32_t row,
                           uint32_t column, const struct view_cell *c)
{
    const struct framebuffer *fb = framebuffer_get();
    uint32_t x = v->left + column * v->cell.width;
    uint32_t y = v->top + row * v->cell.height;
    uint32_t cells = c->attrs & VIEW_WIDE && column + 1 < v->columns ? 2 : 1;
    struct glyph_bitmap base = view_find_glyph(v, c->ch, c);
    struct glyph_bitmap mark = view_find_glyph(v, c->mark, c);
    struct glyph_cell cell = {
        .pixels = fb->pixels + (size_t)y * fb->stride + x,
        .stride = fb->stride,
        .width = cells * v->cell.width,
        .height = v->cell.height,
        .fg = framebuffer_colour(c->fg),
        .bg = framebuffer_colour(c->bg),
    };
    uint32_t line = v->cell.height / 12;

    glyph_draw(&cell, &base, &mark);
    if (c->attrs & VIEW_UNDERLINE)
        framebuffer_fill(x, y + v->cell.height - 2 * line, cell.width, line,
                         c->fg);
    if (c->attrs & VIEW_STRIKE)
        framebuffer_fill(x, y + v->cell.height / 2, cell.width, line, c->fg);
}

static void view_draw_row(struct terminal_view *v, uint32_t row)
{
    struct view_cell *shown = v->shown + (size_t)row * v->columns;

    for (uint32_t column = 0; column < v->columns; column++) {
        struct view_cell c = view_get_cell(v, row, column);

        if (!memcmp(&c, &shown[column], sizeof(c)))
            continue;
        if (!(c.attrs & VIEW_WIDE_RIGHT))
            view_draw_cell(v, row, column, &c);
        else if (column && shown[column - 1].attrs & VIEW_WIDE)
            view_draw_cell(v, row, column - 1, &shown[column - 1]);
        shown[column] = c;
    }
}

void view_draw(struct terminal_view *v)
{
    vterm_screen_flush_damage(v->screen);
    for (uint32_t row = 0; row < v->rows; row++) {
        bool cursor = (int)row == v->cursor.row ||
                      (int)row == v->drawn_cursor_row;

        if (v->row_dirty[row] || v->scroll || cursor)
            view_draw_row(v, row);
        v->row_dirty[row] = false;
    }
    v->drawn_cursor_row = v->cursor.row;
}

void view_scroll(struct terminal_view *v, int32_t lines)
{
    int64_t to = (int64_t)v->scroll + lines;

    if (to < 0)
        to = 0;
    if (to > v->history_count)
        to = v->history_count;
    v->scroll = (uint32_t)to;
    for (uint32_t row = 0; row < v->rows; row++)
        v->row_dirty[row] = true;
}
