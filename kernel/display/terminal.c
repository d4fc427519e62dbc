/*
 * The terminal on the screen, tty0: bytes written go through libvterm to
 * cells, a thread of its own draws them; keys become bytes for the tty's
 * reader. Writes come from any thread, keys from interrupt context.
 */
#include <errno.h>
#include <stdlib.h>

#include <rayos/input.h>
#include <rayos/keycodes.h>
#include <rayos/keymap.h>
#include <rayos/log.h>
#include <rayos/terminal.h>
#include <rayos/thread.h>
#include <rayos/tty.h>
#include <rayos/unit.h>

#include "terminal_view.h"

/* More than one frame a refresh of common screens is work for nobody. */
#define TERMINAL_FRAME_NS (16 * NS_PER_MS)
/* What one turn feeds to libvterm before the drawing thread may have a look. */
#define TERMINAL_CHUNK 1024

struct terminal {
    struct tty tty;
    struct mutex lock; /* view */
    struct terminal_view view;
    struct semaphore work;    /* the drawing thread's */
    _Atomic bool work_queued; /* `work` is posted and not yet taken */
    _Atomic int32_t scroll;   /* lines asked for by keys */
    struct input_stream keyboard;
    struct keymap_state keys; /* keyboard's events only */
};

static struct terminal terminal;

/* Any context but NMI. */
static void terminal_wake(struct terminal *t)
{
    if (!__atomic_exchange_n((bool *)&t->work_queued, true, __ATOMIC_ACQ_REL))
        sem_post(&t->work);
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

/* Interrupt context. */
static void terminal_key(struct terminal *t, const struct input_event *e)
{
    bool page = e->code == KEY_PAGEUP || e->code == KEY_PAGEDOWN;
    char bytes[KEYMAP_OUT_MAX];
    size_t n = keymap_translate(&t->keys, e, bytes);

    if (page && (keymap_modifiers(&t->keys) & KEYMAP_SHIFT)) {
        int32_t step = t->tty.rows / 2;

        if (e->value)
            __atomic_fetch_add((int32_t *)&t->scroll,
                               e->code == KEY_PAGEUP ? step : -step,
                               __ATOMIC_RELAXED);
        terminal_wake(t);
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
    const struct framebuffer *fb = framebuffer_get();
    int err = terminal_lock_drawn(&terminal);

    if (err)
        return err;
    if (x > fb->width || w > fb->width - x || y > fb->height ||
        h > fb->height - y)
        err = -EINVAL;
    for (uint32_t row = y; !err && row < y + h; row++) {
        const uint32_t *from = fb->pixels + (size_t)row * fb->stride + x;

        for (uint32_t i = 0; i < w; i++, rgb += 3) {
            /* The way to the framebuffer's order is also the way back. */
            uint32_t pixel = framebuffer_colour(from[i]);

            rgb[0] = (uint8_t)(pixel >> 16);
            rgb[1] = (uint8_t)(pixel >> 8);
            rgb[2] = (uint8_t)pixel;
        }
    }
    mutex_unlock(&terminal.lock);
    return err;
}

static void terminal_thread(void *arg)
{
    struct terminal *t = arg;

    for (;;) {
        int32_t lines;

        sem_wait(&t->work, TIME_NEVER);
        __atomic_store_n((bool *)&t->work_queued, false, __ATOMIC_RELEASE);
        lines = __atomic_exchange_n((int32_t *)&t->scroll, 0, __ATOMIC_RELAXED);
        mutex_lock(&t->lock);
        if (lines)
            view_scroll(&t->view, lines);
        view_draw(&t->view);
        mutex_unlock(&t->lock);
        thread_sleep(TERMINAL_FRAME_NS);
    }
}

static int terminal_start(void)
{
    struct terminal *t = &terminal;
    struct thread_attr attr = {.name = "terminal",
                               .entry = terminal_thread,
                               .arg = t,
                               .priority = PRIO_IO,
                               .affinity = CPU_ANY};
    int err;

    if (!framebuffer_get()->pixels)
        return -ENODEV;
    mutex_init(&t->lock);
    sem_init(&t->work, 0);
    keymap_init(&t->keys);
    err = view_init(&t->view);
    if (err)
        return err;
    t->tty.columns = (uint16_t)t->view.columns;
    t->tty.rows = (uint16_t)t->view.rows;
    vterm_output_set_callback(t->view.vterm, terminal_answer, &t->tty);
    err = tty_register(&t->tty, "tty0", &terminal_ops, t);
    if (err)
        return err;
    err = thread_spawn(&attr);
    if (err)
        return err;
    t->keyboard = (struct input_stream){
        .name = "terminal", .event = terminal_event, .arg = t};
    terminal_show_locks(t);
    input_set_focus(&t->keyboard);
    log_info("display", "terminal %ux%u", t->view.columns, t->view.rows);
    return 0;
}

UNIT(terminal, .after = "framebuffer vfs", .start = terminal_start);
