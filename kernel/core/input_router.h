/*
 * The router's state and its steps, without locks, timers and events: input.c
 * has those. Pure; also built for the host tests. Whoever calls serializes; the
 * functions of streams and the pointer's are called from in here, and may call
 * back in.
 *
 * What holds between two calls:
 * - A bit of a device's `routed` or `consumed` is also one of its `down`.
 * - A key that is `routed` by some device is `down` in the focused stream.
 * - A stream without the focus holds only what was injected into it.
 */
#ifndef KERNEL_CORE_INPUT_ROUTER_H
#define KERNEL_CORE_INPUT_ROUTER_H

#include <rayos/input.h>

struct input_repeat {
    nstime_t due; /* TIME_NEVER: nothing repeats */
    uint16_t code;
    uint32_t device;
};

struct input_router {
    struct list devices, streams; /* the injecting device is the first */
    struct input_device injector;
    struct input_stream *focus; /* atomic; NULL: nobody */
    input_pointer_t pointer;
    uint32_t last_device, last_stream;
    bool unsynced; /* the focused stream has had events since a SYN */
    struct input_repeat repeat;
    nstime_t delay, interval; /* of repeats; 0: none */
};

#define ROUTER_REPEAT_DELAY    (250 * NS_PER_MS)
#define ROUTER_REPEAT_INTERVAL (33 * NS_PER_MS)

#define ROUTER_INIT(r)                                               \
    {                                                                \
        .devices = {&(r).injector.node, &(r).injector.node},         \
        .streams = LIST_INIT((r).streams),                           \
        .injector = {.name = "injected",                             \
                     .has_keys = true,                               \
                     .has_relative = true,                           \
                     .node = {&(r).devices, &(r).devices}},          \
        .repeat = {.due = TIME_NEVER}, .delay = ROUTER_REPEAT_DELAY, \
        .interval = ROUTER_REPEAT_INTERVAL,                          \
    }

void router_add_device(struct input_router *r, struct input_device *d);
/* Releases what it holds. */
void router_remove_device(struct input_router *r, struct input_device *d,
                          nstime_t now);

/* A report of a driver, first half: is it one? Repeats, presses of what is
 * down, releases of what is up and unknown codes are not. */
bool router_accept(struct input_device *d, uint16_t type, uint16_t code,
                   int32_t value);
/* Second half: bring it to whom it concerns. */
void router_route(struct input_router *r, struct input_device *d,
                  const struct input_event *e, bool consumed);

void router_set_focus(struct input_router *r, struct input_stream *s,
                      nstime_t now);
void router_remove_stream(struct input_router *r, struct input_stream *s,
                          nstime_t now);
void router_inject_into(struct input_router *r, struct input_stream *s,
                        const struct input_event *e);

/* Is a repeat due? Then fill in its event, for router_repeat. */
bool router_repeat_due(struct input_router *r, nstime_t now,
                       struct input_event *e);
/* Unless the key went up meanwhile. */
void router_repeat(struct input_router *r, const struct input_event *e);

static inline bool input_bit(const uint32_t *map, uint16_t code)
{
    return map[code / 32] >> code % 32 & 1;
}

static inline void input_bit_set(uint32_t *map, uint16_t code, bool on)
{
    if (on)
        map[code / 32] |= 1u << code % 32;
    else
        map[code / 32] &= ~(1u << code % 32);
}

static inline bool input_is_button(uint16_t code)
{
    return code >= BTN_MISC && code < BTN_END;
}

#endif
