/*
 * What the screen's terminal shows: fonts, palette, the cells on the screen and
 * the lines that have scrolled off. Thread context; the terminal's lock is held
 * around every call.
 */
#ifndef RAYOS_DISPLAY_TERMINAL_VIEW_H
#define RAYOS_DISPLAY_TERMINAL_VIEW_H

#include <vterm.h>

#include <rayos/surface.h>

#include "fonts.h"

#define VIEW_HISTORY_LINES 2000

enum view_attr {
    VIEW_BOLD = 1,
    VIEW_UNDERLINE = 2,
    VIEW_STRIKE = 4,
    VIEW_WIDE = 8,       /* two cells */
    VIEW_WIDE_RIGHT = 16 /* the right half of the cell before it */
};

struct view_cell {
    uint32_t ch, mark; /* code points, 0: none */
    uint32_t fg, bg;   /* 0x00RRGGBB */
    uint32_t attrs;    /* enum view_attr */
};

struct view_line {
    uint32_t length; /* cells kept; the rest is blank */
    struct view_cell cells[];
};

struct terminal_view {
    VTerm *vterm;
    VTermScreen *screen;
    struct surface *surface;
    uint32_t columns, rows;
    uint32_t margin;    /* pixels, at the least */
    uint32_t left, top; /* pixels, so that the text stands in the middle */
    struct font_set fonts;
    struct font_metrics cell;
    struct view_cell *shown; /* what the surface shows, rows * columns */
    bool *row_dirty;
    struct view_line *history[VIEW_HISTORY_LINES]; /* ring */
    uint32_t history_count, history_next;
    uint32_t scroll; /* lines that the view stands above the bottom */
    VTermPos cursor;
    bool cursor_visible;
};

/* Choose fonts for this screen, make the terminal model and clear the surface.
 * -ENOENT without fonts, -ENOMEM. */
int view_init(struct terminal_view *v, struct surface *s);
/* The surface has another size now: find columns and rows anew, and draw all.
 * -ENOMEM: as before. */
int view_resize(struct terminal_view *v);
/* Draw all that changed. */
void view_draw(struct terminal_view *v);
/* Scroll by lines, positive is back in time. */
void view_scroll(struct terminal_view *v, int32_t lines);

#endif
