/*
 * Motions and buttons: the pointer moves, the window manager's hook is asked,
 * then the surface under it gets what happens, in its own pixels, by its input
 * stream. While a button is held all goes to where it was pressed. Called by
 * the input router, interrupts off, one call at a time.
 */
#include "pointer.h"

#include <errno.h>

#include <rayos/input.h>
#include <rayos/surface.h>
#include <rayos/unit.h>

#include "display.h"

/* Wider screens get the larger pointer. */
#define LARGE_POINTER_WIDTH 2200

/* The router's lock. */
static struct {
    pointer_hook_t hook;
    bool hooked;             /* it took a press, and a button is down */
    uint32_t held;           /* buttons that are down, all devices */
    struct surface *grabbed; /* got a press; with a reference */
    /* Of the last device with absolute places. */
    uint32_t device;
    struct input_absolute x, y;
} pointer;

void pointer_set_hook(pointer_hook_t hook)
{
    pointer.hook = hook;
}

/* --- to surfaces --- */

static struct input_stream *stream_of(const struct surface *s, bool *focus)
{
    struct surface_input input;

    surface_get_input(s, &input);
    *focus = input.focus;
    return input.stream;
}

static void send_place(struct input_stream *stream, int32_t sx, int32_t sy)
{
    input_inject_into(stream, INPUT_ABS, ABS_X, sx);
    input_inject_into(stream, INPUT_ABS, ABS_Y, sy);
}

/* Whom it concerns, with a reference, and where on it. */
static struct surface *surface_there(int32_t *sx, int32_t *sy)
{
    int32_t x, y;

    compositor_get_pointer(&x, &y);
    if (!pointer.grabbed)
        return surface_under(x, y, sx, sy);
    surface_map_point(pointer.grabbed, x, y, sx, sy);
    surface_get(pointer.grabbed);
    return pointer.grabbed;
}

static void grab(struct surface *s)
{
    if (pointer.grabbed)
        surface_put(pointer.grabbed);
    pointer.grabbed = s;
    if (s)
        surface_get(s);
}

/* A motion, a turn of the wheel, a button. */
static void send(const struct input_event *e)
{
    bool place = e->type == INPUT_ABS ||
                 (e->type == INPUT_REL && e->code <= REL_Y);
    bool press = e->type == INPUT_KEY && e->value == KEY_PRESSED, focus;
    int32_t sx, sy;
    struct surface *s = surface_there(&sx, &sy);
    struct input_stream *stream;

    if (!s)
        return;
    stream = stream_of(s, &focus);
    if (press && !pointer.grabbed)
        grab(s);
    if (stream && press && focus)
        input_set_focus(stream);
    if (stream) {
        send_place(stream, sx, sy);
        if (!place)
            input_inject_into(stream, e->type, e->code, e->value);
        input_inject_into(stream, INPUT_SYN, 0, 0);
    }
    surface_put(s);
}

/* --- from devices --- */

static bool ask_hook(enum pointer_action action, uint16_t button)
{
    struct pointer_event e = {.action = action, .button = button};

    compositor_get_pointer(&e.x, &e.y);
    return pointer.hook && pointer.hook(&e);
}

static void find_ranges(uint32_t device)
{
    struct input_device d;

    if (pointer.device == device)
        return;
    for (size_t i = 0; input_device_at(i, &d); i++) {
        if (d.id != device)
            continue;
        pointer.device = device;
        pointer.x = d.x;
        pointer.y = d.y;
        return;
    }
    pointer.device = 0; /* injected: pixels */
    pointer.x = pointer.y = (struct input_absolute){0, 0};
}

static int32_t absolute(int32_t value, struct input_absolute range,
                        uint32_t side)
{
    if (range.min == range.max)
        return value;
    return pointer_scale(value, range.min, range.max, (int32_t)side);
}

static void move(const struct input_event *e)
{
    uint32_t width, height;
    int32_t x, y;

    compositor_get_pointer(&x, &y);
    if (e->type == INPUT_REL) {
        *(e->code == REL_X ? &x : &y) += pointer_accelerate(e->value);
    } else {
        compositor_screen_size(&width, &height);
        find_ranges(e->device);
        if (e->code == ABS_X)
            x = absolute(e->value, pointer.x, width);
        else
            y = absolute(e->value, pointer.y, height);
    }
    compositor_move_pointer(x, y);
    if (pointer.hooked || !pointer.held) {
        if (ask_hook(POINTER_MOVED, 0) || pointer.hooked)
            return;
    }
    send(e);
}

static uint32_t button_bit(uint16_t code)
{
    return code >= BTN_LEFT && code < BTN_LEFT + 8 ? 1u << (code - BTN_LEFT)
                                                   : 0;
}

static void button(const struct input_event *e)
{
    bool press = e->value == KEY_PRESSED;
    uint32_t bit = button_bit(e->code);

    if (press) {
        if (!pointer.held)
            pointer.hooked = ask_hook(POINTER_PRESSED, e->code);
        pointer.held |= bit;
    } else {
        pointer.held &= ~bit;
        if (pointer.hooked)
            ask_hook(POINTER_RELEASED, e->code);
    }
    if (!pointer.hooked)
        send(e);
    if (!pointer.held) {
        pointer.hooked = false;
        grab(NULL);
    }
}

static bool pointer_event(const struct input_event *e)
{
    struct input_stream *focus = input_focus();
    bool place = (e->type == INPUT_REL && e->code <= REL_Y) ||
                 (e->type == INPUT_ABS && e->code <= ABS_Y);

    if (place)
        move(e);
    else if (e->type == INPUT_KEY)
        button(e);
    else if (e->type == INPUT_REL)
        send(e);
    /* A stream that is no surface's has no other way to see it. */
    return !focus || surface_has_stream(focus);
}

static int pointer_start(void)
{
    static uint32_t picture[POINTER_MAX * POINTER_MAX];
    uint32_t screen_width, screen_height, width, height;

    compositor_screen_size(&screen_width, &screen_height);
    if (!screen_width)
        return -ENODEV;
    pointer_picture(screen_width >= LARGE_POINTER_WIDTH, picture, &width,
                    &height);
    compositor_set_pointer(picture, width, height, 0, 0);
    input_set_pointer(pointer_event);
    return 0;
}

UNIT(pointer, .after = "compositor", .start = pointer_start);
