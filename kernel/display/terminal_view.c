/*
 * The screen's terminal as pixels: libvterm keeps the model, this file keeps
 * the lines that scrolled off and draws the cells that differ from what its
 * surface shows. Thread context, under the terminal's lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rayos/mm.h>

#include "compose.h"
#include "glyph.h"
#include "palette.h"
#include "terminal_view.h"

/* Less is no terminal; what does not fit is not drawn. */
#define VIEW_COLUMNS_MIN 20
#define VIEW_ROWS_MIN    4

static const uint32_t palette[16] = PALETTE_TERMINAL;

/* --- the model --- */

static void view_mark_row(struct terminal_view *v, int row)
{
    if (row >= 0 && (uint32_t)row < v->rows)
        v->row_dirty[row] = true;
}

static int view_on_damage(VTermRect rect, void *user)
{
    struct terminal_view *v = user;

    for (int row = rect.start_row; row < rect.end_row; row++)
        view_mark_row(v, row);
    return 1;
}

static int view_on_movecursor(VTermPos pos, VTermPos old, int visible,
                              void *user)
{
    struct terminal_view *v = user;

    (void)visible; /* comes by settermprop as well */
    view_mark_row(v, old.row);
    view_mark_row(v, v->cursor.row);
    view_mark_row(v, pos.row);
    v->cursor = pos;
    return 1;
}

static int view_on_termprop(VTermProp prop, VTermValue *value, void *user)
{
    struct terminal_view *v = user;

    if (prop == VTERM_PROP_CURSORVISIBLE)
        v->cursor_visible = value->boolean;
    view_mark_row(v, v->cursor.row);
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

static VTermColor view_vterm_colour(uint32_t rgb)
{
    VTermColor c;

    vterm_color_rgb(&c, (uint8_t)(rgb >> 16), (uint8_t)(rgb >> 8),
                    (uint8_t)rgb);
    return c;
}

static VTermScreenCell view_convert_back(const struct view_cell *c)
{
    return (VTermScreenCell){
        .chars = {c->ch, c->mark},
        .width = c->attrs & VIEW_WIDE ? 2 : 1,
        .attrs = {.bold = !!(c->attrs & VIEW_BOLD),
                  .underline = !!(c->attrs & VIEW_UNDERLINE),
                  .strike = !!(c->attrs & VIEW_STRIKE)},
        .fg = view_vterm_colour(c->fg),
        .bg = view_vterm_colour(c->bg),
    };
}

/* There is room for more lines: the newest of history comes back. */
static int view_on_popline(int cols, VTermScreenCell *cells, void *user)
{
    static const struct view_cell blank = {.fg = COLOUR_TEXT,
                                           .bg = COLOUR_GROUND};
    struct terminal_view *v = user;
    struct view_line *line;

    if (!v->history_count)
        return 0;
    v->history_next = (v->history_next + VIEW_HISTORY_LINES - 1) %
                      VIEW_HISTORY_LINES;
    v->history_count--;
    line = v->history[v->history_next];
    v->history[v->history_next] = NULL;
    for (uint32_t i = 0; i < (uint32_t)cols; i++) {
        struct view_cell c = i < line->length ? line->cells[i] : blank;

        if (i + 1 == (uint32_t)cols)
            c.attrs &= ~(uint32_t)VIEW_WIDE; /* half of it is cut off */
        cells[i] = view_convert_back(&c);
    }
    kfree(line);
    return 1;
}

static const VTermScreenCallbacks view_callbacks = {
    .damage = view_on_damage,
    .movecursor = view_on_movecursor,
    .settermprop = view_on_termprop,
    .sb_pushline = view_on_pushline,
    .sb_popline = view_on_popline,
};

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

/* How much text a surface of this size holds, at least a little. */
static void view_measure(const struct terminal_view *v, uint32_t *columns,
                         uint32_t *rows)
{
    uint32_t width, height;

    surface_size(v->surface, &width, &height);
    *columns = width > 2 * v->margin ? (width - 2 * v->margin) / v->cell.width
                                     : 0;
    *rows = height > 2 * v->margin ? (height - 2 * v->margin) / v->cell.height
                                   : 0;
    if (*columns < VIEW_COLUMNS_MIN)
        *columns = VIEW_COLUMNS_MIN;
    if (*rows < VIEW_ROWS_MIN)
        *rows = VIEW_ROWS_MIN;
}

/* Take over this size: nothing is shown yet. */
static int view_make_cells(struct terminal_view *v, uint32_t columns,
                           uint32_t rows)
{
    struct view_cell *shown = kalloc(columns * rows * sizeof(shown[0]));
    bool *dirty = kalloc(rows * sizeof(dirty[0]));

    if (!shown || !dirty) {
        kfree(shown);
        kfree(dirty);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < columns * rows; i++)
        shown[i] = (struct view_cell){.fg = COLOUR_TEXT, .bg = COLOUR_GROUND};
    memset(dirty, true, rows * sizeof(dirty[0]));
    kfree(v->shown);
    kfree(v->row_dirty);
    v->shown = shown;
    v->row_dirty = dirty;
    v->columns = columns;
    v->rows = rows;
    return 0;
}

/* Put the text into the middle of an empty ground. */
static void view_clear(struct terminal_view *v)
{
    uint32_t width, height, stride, *pixels;

    surface_size(v->surface, &width, &height);
    v->left = width > v->columns * v->cell.width
                  ? (width - v->columns * v->cell.width) / 2
                  : 0;
    v->top = height > v->rows * v->cell.height
                 ? (height - v->rows * v->cell.height) / 2
                 : 0;
    pixels = surface_lock(v->surface, &stride);
    compose_fill(pixels, (size_t)stride * height, COLOUR_GROUND);
    surface_unlock(v->surface);
    surface_damage(v->surface,
                   (struct rect){0, 0, (int32_t)width, (int32_t)height});
}

int view_init(struct terminal_view *v, struct surface *s)
{
    uint32_t width, height, columns, rows;
    int err;

    compositor_screen_size(&width, &height);
    err = fonts_get(fonts_size_for(width), &v->fonts);
    if (err)
        return err;
    v->surface = s;
    v->cell = v->fonts.cell;
    v->margin = width / 120;
    view_measure(v, &columns, &rows);
    err = view_make_cells(v, columns, rows);
    if (err)
        return err;
    v->cursor_visible = true;
    view_clear(v);
    return view_make_model(v);
}

int view_resize(struct terminal_view *v)
{
    uint32_t columns, rows;
    int err;

    view_measure(v, &columns, &rows);
    err = view_make_cells(v, columns, rows);
    if (!err && v->scroll)
        view_scroll(v, -(int32_t)v->scroll);
    if (!err)
        vterm_set_size(v->vterm, (int)rows, (int)columns);
    view_clear(v);
    return err;
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

/* The surface's pixels while it is locked. */
struct view_canvas {
    uint32_t *pixels;
    uint32_t stride, width, height;
};

static void view_draw_rule(const struct glyph_cell *cell, uint32_t y,
                           uint32_t thickness, uint32_t colour)
{
    for (uint32_t row = y; row < y + thickness; row++)
        for (uint32_t x = 0; x < cell->width; x++)
            cell->pixels[(size_t)row * cell->stride + x] = colour;
}

static void view_draw_cell(const struct terminal_view *v,
                           const struct view_canvas *canvas, uint32_t row,
                           uint32_t column, const struct view_cell *c)
{
    uint32_t x = v->left + column * v->cell.width;
    uint32_t y = v->top + row * v->cell.height;
    bool wide = c->attrs & VIEW_WIDE, bold = c->attrs & VIEW_BOLD;
    uint32_t cells = wide && column + 1 < v->columns ? 2 : 1;
    struct glyph_bitmap base = fonts_find_glyph(&v->fonts, c->ch, bold, wide);
    struct glyph_bitmap mark = fonts_find_glyph(&v->fonts, c->mark, bold, wide);
    struct glyph_cell cell = {
        .pixels = canvas->pixels + (size_t)y * canvas->stride + x,
        .stride = canvas->stride,
        .width = cells * v->cell.width,
        .height = v->cell.height,
        .fg = c->fg,
        .bg = c->bg,
    };
    uint32_t line = v->cell.height / 12;

    /* A surface too small for the least text shows a part of it. */
    if (x + cell.width > canvas->width || y + cell.height > canvas->height)
        return;
    glyph_draw(&cell, &base, &mark);
    if (c->attrs & VIEW_UNDERLINE)
        view_draw_rule(&cell, v->cell.height - 2 * line, line, c->fg);
    if (c->attrs & VIEW_STRIKE)
        view_draw_rule(&cell, v->cell.height / 2, line, c->fg);
}

/* Draw what differs, and answer its columns [from, to). */
static void view_draw_row(struct terminal_view *v,
                          const struct view_canvas *canvas, uint32_t row,
                          uint32_t *from, uint32_t *to)
{
    struct view_cell *shown = v->shown + (size_t)row * v->columns;

    *from = *to = 0;
    for (uint32_t column = 0; column < v->columns; column++) {
        struct view_cell c = view_get_cell(v, row, column);
        uint32_t first = column;

        if (!memcmp(&c, &shown[column], sizeof(c)))
            continue;
        if (!(c.attrs & VIEW_WIDE_RIGHT))
            view_draw_cell(v, canvas, row, column, &c);
        else if (column && shown[column - 1].attrs & VIEW_WIDE)
            view_draw_cell(v, canvas, row, --first, &shown[column - 1]);
        shown[column] = c;
        if (!*to)
            *from = first;
        *to = column + (c.attrs & VIEW_WIDE ? 2 : 1);
    }
}

static void view_damage(const struct terminal_view *v, uint32_t row,
                        uint32_t from, uint32_t to)
{
    surface_damage(v->surface, (struct rect){
                                   (int32_t)(v->left + from * v->cell.width),
                                   (int32_t)(v->top + row * v->cell.height),
                                   (int32_t)((to - from) * v->cell.width),
                                   (int32_t)v->cell.height,
                               });
}

void view_draw(struct terminal_view *v)
{
    struct view_canvas canvas;

    vterm_screen_flush_damage(v->screen);
    surface_size(v->surface, &canvas.width, &canvas.height);
    canvas.pixels = surface_lock(v->surface, &canvas.stride);
    for (uint32_t row = 0; row < v->rows; row++) {
        uint32_t from, to;

        if (!v->row_dirty[row] && !v->scroll)
            continue;
        view_draw_row(v, &canvas, row, &from, &to);
        if (to > from)
            view_damage(v, row, from, to);
        v->row_dirty[row] = false;
    }
    surface_unlock(v->surface);
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
