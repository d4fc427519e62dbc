/*
 * The keyboard at the first port. The controller translates its codes to set 1.
 * A keyboard that does not answer is served all the same: it may be plugged in
 * later. Probe and remove: thread context; bytes: interrupt context.
 */
#include <errno.h>

#include <rayos/input.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "ps2.h"
#include "scancode.h"

#define KEYBOARD_SET_LEDS     0xed
#define KEYBOARD_SCAN_SET     0xf0
#define KEYBOARD_ENABLE       0xf4
#define KEYBOARD_SET_DEFAULTS 0xf6
#define SCAN_SET_2            2

#define KEYBOARD_LED_SCROLL 1
#define KEYBOARD_LED_NUM    2
#define KEYBOARD_LED_CAPS   4

#define BUS_I8042 0x11 /* Linux's input.h */

struct keyboard {
    struct ps2_port *port;
    struct scancode_state decoder; /* lock: the port's */
    struct input_device input;
};

static void emit(void *arg, uint16_t code, int32_t value)
{
    struct keyboard *k = arg;

    input_report(&k->input, INPUT_KEY, code, value);
}

static void receive(void *arg, uint8_t byte, bool bad)
{
    struct keyboard *k = arg;

    if (bad)
        scancode_release_all(&k->decoder, emit, k);
    else
        scancode_feed(&k->decoder, byte, emit, k);
    input_sync(&k->input);
}

static void set_leds(struct input_device *d, unsigned leds)
{
    struct keyboard *k = d->driver;
    uint8_t lit = (leds & 1u << LED_SCROLLL ? KEYBOARD_LED_SCROLL : 0) |
                  (leds & 1u << LED_NUML ? KEYBOARD_LED_NUM : 0) |
                  (leds & 1u << LED_CAPSL ? KEYBOARD_LED_CAPS : 0);
    int err = ps2_command(k->port, (uint8_t[]){KEYBOARD_SET_LEDS, lit}, 2, NULL,
                          0);

    if (err)
        log_debug("ps2", "the keyboard's LEDs: error %d", err);
}

static int keyboard_setup(struct ps2_port *p)
{
    static const uint8_t sequence[] = {
        KEYBOARD_SET_DEFAULTS,
        KEYBOARD_SCAN_SET,
        SCAN_SET_2,
        KEYBOARD_ENABLE,
    };

    return ps2_command(p, sequence, sizeof(sequence), NULL, 0);
}

static int keyboard_probe(struct device *d)
{
    struct keyboard *k = kzalloc(sizeof(*k));
    int err;

    if (!k)
        return -ENOMEM;
    *k = (struct keyboard){.port = ps2_port_of(d),
                           .input = {.name = "PS/2 keyboard",
                                     .bus = BUS_I8042,
                                     .has_keys = true,
                                     .set_leds = set_leds,
                                     .driver = k}};
    err = keyboard_setup(k->port);
    if (err)
        log_warn("ps2", "the keyboard does not answer (%d)", err);
    k->input.has_leds = !err;
    d->driver_data = k;
    input_register(&k->input);
    ps2_listen(k->port, receive, k);
    return 0;
}

static void keyboard_remove(struct device *d)
{
    struct keyboard *k = d->driver_data;

    ps2_listen(k->port, NULL, NULL);
    input_unregister(&k->input);
    kfree(k);
}

static void keyboard_describe(const struct device *d, struct device_report *r)
{
    const struct keyboard *k = d->driver_data;

    device_report_number(r, "input", k->input.id);
    device_report_number(r, "events", k->input.events);
}

static const struct ps2_id ids[] = {{PS2_KEYBOARD}, {0}};

DRIVER(ps2_keyboard, .bus = &ps2_bus, .ids = ids, .probe = keyboard_probe,
       .remove = keyboard_remove, .describe = keyboard_describe);
