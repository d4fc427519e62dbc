/*
 * The mouse at the second port, with a wheel if it answers to the sequence of
 * sample rates that Microsoft's IntelliMouse introduced. Probe and remove:
 * thread context; bytes: interrupt context.
 */
#include <errno.h>

#include <rayos/clock.h>
#include <rayos/input.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "ps2.h"
#include "ps2_packet.h"

#define MOUSE_SET_RESOLUTION 0xe8
#define MOUSE_GET_ID         0xf2
#define MOUSE_SET_RATE       0xf3
#define MOUSE_ENABLE         0xf4
#define MOUSE_DISABLE        0xf5
#define MOUSE_SET_DEFAULTS   0xf6

#define RESOLUTION_8_PER_MM 3
#define RATE                100
#define ID_WHEEL            3

#define BUS_I8042 0x11 /* Linux's input.h */

struct mouse {
    struct ps2_port *port;
    struct ps2_packet_state decoder; /* lock, these three: the port's */
    uint8_t buttons;
    uint64_t packets;
    struct input_device input;
};

static void report_buttons(struct mouse *m, uint8_t buttons)
{
    static const struct {
        uint8_t bit;
        uint16_t code;
    } table[] = {
        {PS2_BUTTON_LEFT, BTN_LEFT},
        {PS2_BUTTON_RIGHT, BTN_RIGHT},
        {PS2_BUTTON_MIDDLE, BTN_MIDDLE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if ((buttons ^ m->buttons) & table[i].bit)
            input_report(&m->input, INPUT_KEY, table[i].code,
                         buttons & table[i].bit ? KEY_PRESSED : KEY_RELEASED);
    m->buttons = buttons;
}

/* evdev has y downwards, and the wheel away from the user. */
static void receive(void *arg, uint8_t byte, bool bad)
{
    struct mouse *m = arg;
    struct ps2_motion motion;

    if (bad) {
        ps2_packet_reset(&m->decoder);
        return;
    }
    if (!ps2_packet_feed(&m->decoder, byte, clock_now(), &motion))
        return;
    m->packets++;
    input_report(&m->input, INPUT_REL, REL_X, motion.x);
    input_report(&m->input, INPUT_REL, REL_Y, -motion.y);
    input_report(&m->input, INPUT_REL, REL_WHEEL, -motion.wheel);
    report_buttons(m, motion.buttons);
    input_sync(&m->input);
}

/* 200, 100, 80: a mouse with a wheel has another id from then on. */
static int find_wheel(struct ps2_port *p, bool *wheel)
{
    static const uint8_t knock[] = {MOUSE_SET_RATE, 200, MOUSE_SET_RATE, 100,
                                    MOUSE_SET_RATE, 80,  MOUSE_GET_ID};
    uint8_t id;
    int err = ps2_command(p, knock, sizeof(knock), &id, 1);

    *wheel = !err && id == ID_WHEEL;
    return err;
}

static int mouse_setup(struct ps2_port *p, bool *wheel)
{
    static const uint8_t settings[] = {
        MOUSE_SET_RATE, RATE, MOUSE_SET_RESOLUTION, RESOLUTION_8_PER_MM};
    /* Quiet first: its packets must not be taken for answers. */
    int err = ps2_command(p, (uint8_t[]){MOUSE_DISABLE, MOUSE_SET_DEFAULTS}, 2,
                          NULL, 0);

    if (!err)
        err = find_wheel(p, wheel);
    if (!err)
        err = ps2_command(p, settings, sizeof(settings), NULL, 0);
    return err;
}

static int mouse_probe(struct device *d)
{
    struct mouse *m = kzalloc(sizeof(*m));
    bool wheel;
    int err;

    if (!m)
        return -ENOMEM;
    *m = (struct mouse){.port = ps2_port_of(d),
                        .input = {.name = "PS/2 mouse",
                                  .bus = BUS_I8042,
                                  .has_keys = true,
                                  .has_relative = true,
                                  .driver = m}};
    err = mouse_setup(m->port, &wheel);
    if (err) {
        kfree(m);
        return err == -ETIMEDOUT ? -ENODEV : err;
    }
    ps2_packet_init(&m->decoder, wheel ? 4 : 3);
    d->driver_data = m;
    input_register(&m->input);
    ps2_listen(m->port, receive, m);
    err = ps2_command(m->port, (uint8_t[]){MOUSE_ENABLE}, 1, NULL, 0);
    if (err)
        log_warn("ps2", "the mouse does not start (%d)", err);
    return 0;
}

static void mouse_remove(struct device *d)
{
    struct mouse *m = d->driver_data;

    ps2_command(m->port, (uint8_t[]){MOUSE_DISABLE}, 1, NULL, 0);
    ps2_listen(m->port, NULL, NULL);
    input_unregister(&m->input);
    kfree(m);
}

static void mouse_describe(const struct device *d, struct device_report *r)
{
    const struct mouse *m = d->driver_data;

    device_report_number(r, "input", m->input.id);
    device_report_text(r, "wheel", m->decoder.size == 4 ? "yes" : "no");
    device_report_number(r, "packets", m->packets);
    device_report_number(r, "bytes_thrown_away", m->decoder.resyncs);
}

static const struct ps2_id ids[] = {{PS2_MOUSE}, {0}};

DRIVER(ps2_mouse, .bus = &ps2_bus, .ids = ids, .probe = mouse_probe,
       .remove = mouse_remove, .describe = mouse_describe);
