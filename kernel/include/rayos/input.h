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
    uint32_t down[KEY_COUNT / 32];   /* keys and buttons held on this device */
    uint32_t routed[KEY_COUNT / 32]; /* of them: whose press the focused
                                        stream knows of */
    uint32_t consumed[KEY_COUNT / 32]; /* of them: a reflex took the press */
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
    /* In the reporter's context (interrupt mostly), interrupts off, one call at
     * a time, SYN included. It may call any function of this header that is
     * for any context. */
    void (*event)(struct input_stream *s, const struct input_event *e);
    void *arg;
    unsigned leds;                 /* atomic; input_set_leds */
    struct list node;              /* the router's */
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
/* The stream goes away: on return it is called no more. If it had the focus,
 * the first that ever had it (the terminal) gets it: a person is not left
 * without a keyboard. Thread context. */
void input_stream_remove(struct input_stream *s);
/* Pointer events (REL, ABS, buttons; no SYN) go here first, in the context of
 * input_stream.event; it answers true to keep one, false to have the focused
 * stream see it: the one that has the focus then, for it may have changed the
 * focus. The release of a button goes where its press went, whatever it
 * answers. The compositor turns motions into positions on its surfaces here.
 * Set once. */
typedef bool (*input_pointer_t)(const struct input_event *e);
void input_set_pointer(input_pointer_t fn);
/* As if the device had reported it: tests, rules, `press` commands. Device id
 * 0. */
void input_inject(uint16_t type, uint16_t code, int32_t value);
/* Straight into a stream, focused or not, without touching what is held
 * elsewhere: for `type "text" into linux`. */
void input_inject_into(struct input_stream *s, uint16_t type, uint16_t code,
                       int32_t value);

/* --- settings: any context but NMI --- */

/* First repeat after `delay`, then every `interval`; 0: none. One key repeats
 * at a time, until it is released or the focus changes. */
void input_set_repeat(nstime_t delay, nstime_t interval);
void input_get_repeat(nstime_t *delay, nstime_t *interval);
/* What all devices shall light while `s` has the focus (bits 1 << LED_*); a
 * thread tells them. */
void input_set_leds(struct input_stream *s, unsigned leds);
unsigned input_leds(void); /* of the focused stream */

/* --- listings: any context but NMI --- */

/* i-th device, with its tables copied; false past the end. Number 0 is the one
 * that input_inject speaks for. */
bool input_device_at(size_t i, struct input_device *copy);

struct input_stream_info {
    char name[INPUT_NAME_MAX];
    uint32_t id, held; /* keys and buttons */
    uint64_t events;
    bool focused;
};
/* i-th stream that was ever given the focus; false past the end. */
bool input_stream_at(size_t i, struct input_stream_info *out);

#endif
