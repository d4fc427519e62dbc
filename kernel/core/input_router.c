/*
 * Which event goes to which stream, and what is released when: see
 * input_router.h. A press goes to whoever has the focus; its release goes only
 * where the press went, so nothing sticks and nobody sees half a stroke. Two
 * keyboards that hold the same key are one key to a stream. Pure: any context.
 */
#include "input_router.h"

#include <string.h>

void router_add_device(struct input_router *r, struct input_device *d)
{
    d->id = ++r->last_device;
    memset(d->down, 0, sizeof(d->down));
    memset(d->routed, 0, sizeof(d->routed));
    memset(d->consumed, 0, sizeof(d->consumed));
    d->events = 0;
    list_push_back(&r->devices, &d->node);
}

/* --- streams --- */

static void deliver(struct input_stream *s, const struct input_event *e)
{
    s->events++;
    s->event(s, e);
}

/* A press of what it holds, or a release of what it does not, is none. */
static bool deliver_key(struct input_stream *s, const struct input_event *e)
{
    bool press = e->value != KEY_RELEASED;

    if (press == input_bit(s->down, e->code))
        return false;
    input_bit_set(s->down, e->code, press);
    deliver(s, e);
    return true;
}

static void deliver_sync(struct input_stream *s, nstime_t now, uint32_t device)
{
    struct input_event e = {.time = now, .device = device, .type = INPUT_SYN};

    deliver(s, &e);
}

static void release_all(struct input_stream *s, nstime_t now)
{
    struct input_event e = {.time = now, .type = INPUT_KEY};
    bool any = false;

    for (e.code = 0; e.code < KEY_COUNT; e.code++)
        any |= deliver_key(s, &e);
    if (any)
        deliver_sync(s, now, 0);
}

static void stop_repeat(struct input_router *r)
{
    r->repeat = (struct input_repeat){.due = TIME_NEVER};
}

void router_set_focus(struct input_router *r, struct input_stream *s,
                      nstime_t now)
{
    struct input_stream *old = r->focus;

    if (s == old)
        return;
    if (s && !s->id) {
        s->id = ++r->last_stream;
        list_push_back(&r->streams, &s->node);
    }
    stop_repeat(r);
    list_for_each (n, &r->devices)
        memset(container_of(n, struct input_device, node)->routed, 0,
               sizeof(r->injector.routed));
    r->unsynced = false;
    __atomic_store_n(&r->focus, s, __ATOMIC_RELEASE);
    /* Last: its function may change the focus again. */
    if (old)
        release_all(old, now);
}

void router_remove_stream(struct input_router *r, struct input_stream *s,
                          nstime_t now)
{
    struct input_stream *next = NULL;

    if (s->id)
        list_remove(&s->node);
    s->id = 0;
    if (!list_empty(&r->streams))
        next = container_of(r->streams.next, struct input_stream, node);
    if (r->focus == s)
        router_set_focus(r, next, now);
    release_all(s, now);
}

void router_inject_into(struct input_router *r, struct input_stream *s,
                        const struct input_event *e)
{
    (void)r;
    if (e->type == INPUT_KEY && e->value != KEY_REPEATED) {
        if (e->code && e->code < KEY_COUNT)
            deliver_key(s, e);
    } else if (e->type != INPUT_KEY ||
               (e->code < KEY_COUNT && input_bit(s->down, e->code))) {
        deliver(s, e);
    }
}

/* --- reports --- */

static bool accept_key(struct input_device *d, uint16_t code, int32_t value)
{
    if (!code || code >= KEY_COUNT ||
        (value != KEY_RELEASED && value != KEY_PRESSED) ||
        (value == KEY_PRESSED) == input_bit(d->down, code))
        return false;
    input_bit_set(d->down, code, value == KEY_PRESSED);
    return true;
}

bool router_accept(struct input_device *d, uint16_t type, uint16_t code,
                   int32_t value)
{
    bool accepted = false;

    switch (type) {
    case INPUT_SYN:
        return true;
    case INPUT_KEY:
        accepted = accept_key(d, code, value);
        break;
    case INPUT_REL:
        accepted = code < REL_COUNT && value;
        break;
    case INPUT_ABS:
        accepted = code < ABS_COUNT;
        break;
    }
    d->events += accepted;
    return accepted;
}

/* --- keys --- */

static bool routed_by_any(const struct input_router *r, uint16_t code)
{
    list_for_each (n, &r->devices)
        if (input_bit(container_of(n, struct input_device, node)->routed, code))
            return true;
    return false;
}

static bool key_repeats(uint16_t code)
{
    switch (code) {
    case KEY_LEFTSHIFT:
    case KEY_RIGHTSHIFT:
    case KEY_LEFTCTRL:
    case KEY_RIGHTCTRL:
    case KEY_LEFTALT:
    case KEY_RIGHTALT:
    case KEY_LEFTMETA:
    case KEY_RIGHTMETA:
    case KEY_CAPSLOCK:
    case KEY_NUMLOCK:
    case KEY_SCROLLLOCK:
        return false;
    default:
        return !input_is_button(code);
    }
}

static void route_press(struct input_router *r, struct input_device *d,
                        const struct input_event *e, bool consumed)
{
    /* Another CPU has reported the release already. */
    if (!input_bit(d->down, e->code))
        return;
    if (consumed) {
        input_bit_set(d->consumed, e->code, true);
        return;
    }
    if (input_is_button(e->code) && r->pointer && r->pointer(e))
        return;
    if (!r->focus)
        return;
    input_bit_set(d->routed, e->code, true);
    if (key_repeats(e->code) && r->delay)
        r->repeat = (struct input_repeat){
            .due = e->time + r->delay, .code = e->code, .device = d->id};
    r->unsynced = true;
    deliver_key(r->focus, e);
}

static void route_release(struct input_router *r, struct input_device *d,
                          const struct input_event *e)
{
    bool consumed = input_bit(d->consumed, e->code);

    input_bit_set(d->consumed, e->code, false);
    if (!consumed && input_is_button(e->code) && r->pointer)
        r->pointer(e);
    if (!input_bit(d->routed, e->code))
        return;
    input_bit_set(d->routed, e->code, false);
    if (routed_by_any(r, e->code))
        return;
    if (r->repeat.code == e->code)
        stop_repeat(r);
    r->unsynced = true;
    deliver_key(r->focus, e);
}

static void route_motion(struct input_router *r, const struct input_event *e,
                         bool consumed)
{
    if (consumed || (r->pointer && r->pointer(e)) || !r->focus)
        return;
    r->unsynced = true;
    deliver(r->focus, e);
}

void router_route(struct input_router *r, struct input_device *d,
                  const struct input_event *e, bool consumed)
{
    if (e->type == INPUT_SYN) {
        if (r->focus && r->unsynced) {
            r->unsynced = false;
            deliver(r->focus, e);
        }
    } else if (e->type != INPUT_KEY) {
        route_motion(r, e, consumed);
    } else if (e->value == KEY_PRESSED) {
        route_press(r, d, e, consumed);
    } else {
        route_release(r, d, e);
    }
}

void router_remove_device(struct input_router *r, struct input_device *d,
                          nstime_t now)
{
    struct input_event e = {.time = now, .device = d->id, .type = INPUT_KEY};

    for (e.code = 1; e.code < KEY_COUNT; e.code++)
        if (router_accept(d, INPUT_KEY, e.code, KEY_RELEASED))
            route_release(r, d, &e);
    e = (struct input_event){.time = now, .device = d->id, .type = INPUT_SYN};
    router_route(r, d, &e, false);
    list_remove(&d->node);
}

/* --- repeat --- */

bool router_repeat_due(struct input_router *r, nstime_t now,
                       struct input_event *e)
{
    if (r->repeat.due > now)
        return false;
    *e = (struct input_event){.time = now,
                              .device = r->repeat.device,
                              .type = INPUT_KEY,
                              .code = r->repeat.code,
                              .value = KEY_REPEATED};
    r->repeat.due = r->interval ? now + r->interval : TIME_NEVER;
    return true;
}

void router_repeat(struct input_router *r, const struct input_event *e)
{
    if (!r->focus || r->repeat.code != e->code ||
        r->repeat.device != e->device || !input_bit(r->focus->down, e->code))
        return;
    deliver(r->focus, e);
    deliver_sync(r->focus, e->time, e->device);
}
