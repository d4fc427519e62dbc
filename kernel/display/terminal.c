/*
 * The terminal on the screen, tty0: bytes written go through libvterm to
 * cells, which are drawn on a surface before each frame; keys become bytes for
 * the tty's reader. Writes come from any thread, keys from interrupt context.
 */
#include <errno.h>
#include <stdlib.h>

#include <rayos/input.h>
#include <rayos/keycodes.h>
#include <rayos/keymap.h>
#include <rayos/log.h>
#include <rayos/surface.h>
#include <rayos/terminal.h>
#include <rayos/tty.h>
#include <rayos/unit.h>

#include "terminal_view.h"

/* What one turn feeds to libvterm before the compositor may have a look. */
#define TERMINAL_CHUNK 1024

#define TERMINAL_WHEEL_LINES 3 /* of text, a notch */

struct terminal {
    struct tty tty;
    struct mutex lock; /* view */
    struct terminal_view view;
    struct surface *surface;
    _Atomic int32_t scroll; /* lines asked for by keys and wheel */
    struct input_stream keyboard;
    struct keymap_state keys; /* keyboard's events only */
};

static struct terminal terminal;

/* Have it drawn. Any context but NMI. */
static void terminal_wake(struct terminal *t)
{
    surface_damage(t->surface, (struct rect){0});
}

static ssize_t terminal_write(struct tty *tty, const void *data, size_t size)
{
    struct terminal *t = tty->driver;
    const char *p = data;

    for (size_t done = 0; done < size;) {
        size_t n = size - done < TERMINAL_CHUNK ? size - done : TERMINAL_CHUNK;
        int err = mutex_lock_until(&t->lock, TIME_NEVER);

        if (err)
            return err;
        if (t->view.scroll)
            view_scroll(&t->view, -(int32_t)t->view.scroll);
        vterm_input_write(t->view.vterm, p + done, n);
        mutex_unlock(&t->lock);
        done += n;
    }
    terminal_wake(t);
    return (ssize_t)size;
}

static const struct tty_ops terminal_ops = {.write = terminal_write};

/* libvterm's answers to queries (cursor position and the like). */
static void terminal_answer(const char *s, size_t len, void *user)
{
    tty_input(user, s, len);
}

/* Interrupt context, as all that follows of keys and wheel. */
static void terminal_scroll(struct terminal *t, int32_t lines)
{
    __atomic_fetch_add((int32_t *)&t->scroll, lines, __ATOMIC_RELAXED);
    terminal_wake(t);
}

static void terminal_key(struct terminal *t, const struct input_event *e)
{
    bool page = e->code == KEY_PAGEUP || e->code == KEY_PAGEDOWN;
    char bytes[KEYMAP_OUT_MAX];
    size_t n = keymap_translate(&t->keys, e, bytes);

    if (page && (keymap_modifiers(&t->keys) & KEYMAP_SHIFT)) {
        int32_t step = t->tty.rows / 2;

        if (e->value)
            terminal_scroll(t, e->code == KEY_PAGEUP ? step : -step);
    } else if (n) {
        tty_input(&t->tty, bytes, n);
    }
}

/* Caps Lock and Num Lock are the terminal's; the keyboards show them. */
static void terminal_show_locks(struct terminal *t)
{
    unsigned m = keymap_modifiers(&t->keys);

    input_set_leds(&t->keyboard,
                   (m & KEYMAP_CAPS_LOCK ? 1u << LED_CAPSL : 0) |
                       (m & KEYMAP_NUM_LOCK ? 1u << LED_NUML : 0));
}

static void terminal_event(struct input_stream *s, const struct input_event *e)
{
    struct terminal *t = s->arg;

    if (e->type == INPUT_REL && e->code == REL_WHEEL)
        terminal_scroll(t, e->value > 0 ? TERMINAL_WHEEL_LINES
                                        : -TERMINAL_WHEEL_LINES);
    if (e->type != INPUT_KEY || e->code >= BTN_MISC)
        return;
    terminal_key(t, e);
    if (e->code == KEY_CAPSLOCK || e->code == KEY_NUMLOCK)
        terminal_show_locks(t);
}

/* --- what is shown --- */

/* Take the lock, and draw what waits to be drawn. 0, -ENODEV, -ECANCELED. */
static int terminal_lock_drawn(struct terminal *t)
{
    int err;

    if (!tty_find("tty0"))
        return -ENODEV;
    err = mutex_lock_until(&t->lock, TIME_NEVER);
    if (!err)
        view_draw(&t->view);
    return err;
}

ssize_t terminal_read_row(uint32_t row, uint32_t *cells, size_t size)
{
    struct terminal *t = &terminal;
    const struct terminal_view *v = &t->view;
    const struct view_cell *shown;
    size_t count;
    int err = terminal_lock_drawn(t);

    if (err)
        return err;
    count = v->columns < size ? v->columns : size;
    shown = v->shown + (size_t)row * v->columns;
    for (size_t i = 0; row < v->rows && i < count; i++) {
        bool right = shown[i].attrs & VIEW_WIDE_RIGHT;

        cells[i] = shown[i].ch || right ? shown[i].ch : ' ';
    }
    mutex_unlock(&t->lock);
    return row < v->rows ? (ssize_t)count : -EINVAL;
}

int terminal_read_pixels(uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                         uint8_t *rgb)
{
    struct rect r = {(int32_t)x, (int32_t)y, (int32_t)w, (int32_t)h};

    return compositor_read_pixels(r, rgb);
}

/* --- the surface's callbacks --- */

static void terminal_prepare(struct surface *s)
{
    struct terminal *t = surface_arg(s);
    int32_t lines = __atomic_exchange_n((int32_t *)&t->scroll, 0,
                                        __ATOMIC_RELAXED);

    mutex_lock(&t->lock);
    if (lines)
        view_scroll(&t->view, lines);
    view_draw(&t->view);
    mutex_unlock(&t->lock);
}

/* The text flows anew. Whoever reads the tty finds its size there. */
static void terminal_resized(struct surface *s, uint32_t width, uint32_t height)
{
    struct terminal *t = surface_arg(s);
    uint32_t old_width, old_height;
    int err = 0;

    surface_size(s, &old_width, &old_height);
    if (width == old_width && height == old_height)
        return;
    mutex_lock(&t->lock);
    err = surface_resize(s, width, height);
    if (!err)
        err = view_resize(&t->view);
    t->tty.columns = (uint16_t)t->view.columns;
    t->tty.rows = (uint16_t)t->view.rows;
    if (!err)
        view_draw(&t->view);
    mutex_unlock(&t->lock);
    if (err)
        log_warn("display", "terminal of %ux%u: error %d", width, height, -err);
}

static const struct surface_ops terminal_surface_ops = {
    .prepare = terminal_prepare,
    .resized = terminal_resized,
};

static int terminal_start(void)
{
    struct terminal *t = &terminal;
    struct surface_view whole = {.shown = true, .opacity = 255};
    uint32_t width, height;
    int err;

    compositor_screen_size(&width, &height);
    if (!width)
        return -ENODEV;
    t->surface = surface_create("terminal", width, height,
                                &terminal_surface_ops, t);
    if (!t->surface)
        return -ENOMEM;
    mutex_init(&t->lock);
    keymap_init(&t->keys);
    err = view_init(&t->view, t->surface);
    if (err)
        return err;
    t->tty.columns = (uint16_t)t->view.columns;
    t->tty.rows = (uint16_t)t->view.rows;
    vterm_output_set_callback(t->view.vterm, terminal_answer, &t->tty);
    err = tty_register(&t->tty, "tty0", &terminal_ops, t);
    if (err)
        return err;
    whole.place = (struct rect){0, 0, (int32_t)width, (int32_t)height};
    surface_set_view(t->surface, &whole);
    t->keyboard = (struct input_stream){
        .name = "terminal", .event = terminal_event, .arg = t};
    terminal_show_locks(t);
    surface_set_input(t->surface, &(struct surface_input){
                                      .stream = &t->keyboard, .focus = true});
    input_set_focus(&t->keyboard);
    log_info("display", "terminal %ux%u", t->view.columns, t->view.rows);
    return 0;
}

UNIT(terminal, .after = "compositor vfs", .start = terminal_start);
