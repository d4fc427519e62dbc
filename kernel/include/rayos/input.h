/*
 * Input, in the way of evdev: a device reports events of a type, code and value
 * (the numbers of Linux's input-event-codes) and ends each batch with SYN. The
 * router gives each event to the stream that has the focus; on every change of
 * focus what is held is released to the old one.
 */
#ifndef RAYOS_INPUT_H
#define RAYOS_INPUT_H

#include <rayos/keycodes.h>
#include <rayos/list.h>
#include <rayos/types.h>

enum input_type {
    INPUT_SYN = 0,
    INPUT_KEY = 1,
    INPUT_REL = 2,
    INPUT_ABS = 3,
    INPUT_LED = 0x11
};

/* REL_X, ABS_X, BTN_LEFT, LED_CAPSL and others: rayos/keycodes.h */

struct input_event {
    nstime_t time;
    uint32_t device; /* id of the struct input_device */
    uint16_t type;   /* enum input_type */
    uint16_t code;
    int32_t value;
};

/* --- devices: drivers --- */

struct input_absolute {
    int32_t min, max;
};

#define INPUT_NAME_MAX 48

struct input_device {
    char name[INPUT_NAME_MAX]; /* "PS/2 keyboard" */
    uint16_t bus, vendor, product;
    bool has_keys, has_relative, has_absolute, has_leds;
    struct input_absolute x, y; /* of ABS_X and ABS_Y */
    /* Light the LEDs (bits 1 << LED_*). Thread context. NULL: none. */
    void (*set_leds)(struct input_device *d, unsigned leds);
    void *driver;
    /* The router's. */
    uint32_t id; /* 1.. ; set by input_register */
    struct list node;
    uint32_t down[KEY_COUNT / 32]; /* keys and buttons held on this device */
    uint64_t events;
};

/* Thread context. */
int input_register(struct input_device *d);
/* Releases what it holds. */
void input_unregister(struct input_device *d);
/* Any context but NMI. Repeats of keys that a driver reports by itself (value
 * 2) are dropped: the router makes its own. */
void input_report(struct input_device *d, uint16_t type, uint16_t code,
                  int32_t value);
static inline void input_sync(struct input_device *d)
{
    input_report(d, INPUT_SYN, 0, 0);
}

/* --- streams: who gets what --- */

/* Where events go: a terminal, a guest's virtio-input, the compositor's
 * pointer. */
struct input_stream {
    const char *name;
    /* In the reporter's context (interrupt mostly), one call at a time, SYN
     * included. */
    void (*event)(struct input_stream *s, const struct input_event *e);
    void *arg;
    uint32_t id;                   /* set when it is first given the focus */
    uint32_t down[KEY_COUNT / 32]; /* what it has been told is held; the
                                      router's */
    uint64_t events;
};

/* Give keys (and pointer, see below) to `s`; NULL: to nobody. What the old one
 * holds is released to it first, in the caller's context. Keys that are down
 * now reach nobody until they are released and pressed again. Any context but
 * NMI: reflexes change the focus. */
void input_set_focus(struct input_stream *s);
struct input_stream *input_focus(void);
/* The stream goes away: on return it is called no more. Thread context. */
void input_stream_remove(struct input_stream *s);
/* Pointer events (REL, ABS, buttons) go here first; it answers true to keep
 * one, or gives back what the focused stream shall see. The compositor turns
 * motions into positions on its surfaces here. Set once. */
typedef bool (*input_pointer_t)(const struct input_event *e);
void input_set_pointer(input_pointer_t fn);
/* As if the device had reported it: tests, rules, `press` commands. Device id
 * 0. */
void input_inject(uint16_t type, uint16_t code, int32_t value);
/* Straight into a stream, focused or not, without touching what is held
 * elsewhere: for `type "text" into linux`. */
void input_inject_into(struct input_stream *s, uint16_t type, uint16_t code,
                       int32_t value);

/* --- settings: thread context --- */

/* First repeat after `delay`, then every `interval`; 0: none. */
void input_set_repeat(nstime_t delay, nstime_t interval);
void input_set_leds(unsigned leds);
/* i-th device, with its tables copied; false past the end. */
bool input_device_at(size_t i, struct input_device *copy);

/* --- the old way, until drivers and terminal are on the new one --- */

void input_report_key(uint16_t code, int32_t value);
void input_set_sink(void (*sink)(const struct input_event *e));

#endif
