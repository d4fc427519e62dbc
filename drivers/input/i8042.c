/*
 * The PC's keyboard controller (IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboard and Auxiliary Device Controller"), and the two ports it
 * has, which it puts on the `ps2` bus. The translation of the keyboard's codes
 * to set 1 stays on: that is what every firmware and emulator is tested with.
 * Every wait is bounded. Probe and remove: thread context, the rest interrupt.
 */
#include <errno.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/fmt.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/platform.h>
#include <rayos/thread.h>

#include "ps2.h"

#define I8042_DATA    0x60
#define I8042_STATUS  0x64 /* read */
#define I8042_COMMAND 0x64 /* write */

#define STATUS_OUTPUT_FULL 0x01 /* a byte waits for us */
#define STATUS_INPUT_FULL  0x02 /* ours has not been taken */
#define STATUS_AUX         0x20 /* it is the mouse's */
#define STATUS_TIMEOUT     0x40
#define STATUS_PARITY      0x80
#define STATUS_NONE        0xff /* nothing decodes the port */

#define COMMAND_READ_CONFIG  0x20
#define COMMAND_WRITE_CONFIG 0x60
#define COMMAND_AUX_OFF      0xa7
#define COMMAND_AUX_ON       0xa8
#define COMMAND_AUX_TEST     0xa9
#define COMMAND_SELF_TEST    0xaa
#define COMMAND_PORT_TEST    0xab
#define COMMAND_KEYBOARD_OFF 0xad
#define COMMAND_KEYBOARD_ON  0xae
#define COMMAND_TO_AUX       0xd4 /* the next data byte */

#define SELF_TEST_OK 0x55
#define PORT_TEST_OK 0x00

#define CONFIG_KEYBOARD_IRQ 0x01
#define CONFIG_AUX_IRQ      0x02
#define CONFIG_SYSTEM       0x04 /* the firmware's self test passed */
#define CONFIG_AUX_OFF      0x20
#define CONFIG_TRANSLATE    0x40

/* A controller takes microseconds for a command, its self test more. */
#define SPINS          1000
#define ANSWER_TIMEOUT (50 * NS_PER_MS)
/* In the interrupt: for the byte that we sent before. */
#define TRANSMIT_TIMEOUT (2 * NS_PER_MS)
/* The buffer holds 16 bytes on the largest keyboards. */
#define DRAIN_LIMIT 32

enum { PORT_KEYBOARD, PORT_AUX, PORTS };

static struct controller {
    struct spinlock lock; /* the registers, once interrupts are on */
    struct mutex commands;
    struct ps2_port port[PORTS];
    bool has_aux;
    int vector[PORTS]; /* 0: none */
} controller;

/* --- talking to the controller while it is set up --- */

static bool wait_status(uint8_t mask, uint8_t value, nstime_t timeout,
                        bool may_sleep)
{
    nstime_t deadline = clock_now() + timeout;
    unsigned spins = 0;

    while ((arch_in8(I8042_STATUS) & mask) != value) {
        if (clock_now() >= deadline)
            return false;
        if (may_sleep && ++spins > SPINS)
            thread_sleep(NS_PER_MS);
        arch_pause();
    }
    return true;
}

/* The next byte, or -ETIMEDOUT. */
static int read_byte(void)
{
    if (!wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL, ANSWER_TIMEOUT,
                     true))
        return -ETIMEDOUT;
    return arch_in8(I8042_DATA);
}

static int command(uint8_t c)
{
    if (!wait_status(STATUS_INPUT_FULL, 0, ANSWER_TIMEOUT, true))
        return -ETIMEDOUT;
    arch_out8(I8042_COMMAND, c);
    return 0;
}

static int command_read(uint8_t c)
{
    int err = command(c);

    return err ? err : read_byte();
}

static int config_write(uint8_t config)
{
    int err = command(COMMAND_WRITE_CONFIG);

    if (err)
        return err;
    if (!wait_status(STATUS_INPUT_FULL, 0, ANSWER_TIMEOUT, true))
        return -ETIMEDOUT;
    arch_out8(I8042_DATA, config);
    return 0;
}

static void discard_input(void)
{
    for (unsigned i = 0;
         i < DRAIN_LIMIT && arch_in8(I8042_STATUS) & STATUS_OUTPUT_FULL; i++)
        arch_in8(I8042_DATA);
}

/* The second port is there when its clock can be switched on and off. */
static bool find_aux(void)
{
    int off, on;

    if (command(COMMAND_AUX_OFF))
        return false;
    off = command_read(COMMAND_READ_CONFIG);
    if (command(COMMAND_AUX_ON))
        return false;
    on = command_read(COMMAND_READ_CONFIG);
    if (off < 0 || on < 0 || !(off & CONFIG_AUX_OFF) || on & CONFIG_AUX_OFF)
        return false;
    return command_read(COMMAND_AUX_TEST) == PORT_TEST_OK;
}

/* Quiet both ports, check the controller, leave the ports open with their
 * interrupts off. */
static int controller_setup(struct controller *c)
{
    int result, err;

    if (arch_in8(I8042_STATUS) == STATUS_NONE)
        return -ENODEV;
    err = command(COMMAND_KEYBOARD_OFF);
    if (!err)
        err = command(COMMAND_AUX_OFF);
    if (err)
        return -ENODEV;
    discard_input();
    result = command_read(COMMAND_SELF_TEST);
    if (result < 0)
        return -ENODEV;
    if (result != SELF_TEST_OK)
        log_warn("i8042", "controller self test answered 0x%02x", result);
    result = command_read(COMMAND_PORT_TEST);
    if (result != PORT_TEST_OK)
        log_warn("i8042", "keyboard port test answered %d", result);
    c->has_aux = find_aux();
    /* The self test may have changed the configuration: write all of it. */
    err = config_write(CONFIG_SYSTEM | CONFIG_TRANSLATE |
                       (c->has_aux ? 0 : CONFIG_AUX_OFF));
    if (!err)
        err = command(COMMAND_KEYBOARD_ON);
    return err ? -EIO : 0;
}

/* --- ports --- */

/* Lock held; any context. */
static int transmit(struct ps2_port *p, uint8_t byte)
{
    if (p->kind == PS2_MOUSE) {
        if (!wait_status(STATUS_INPUT_FULL, 0, TRANSMIT_TIMEOUT, false))
            return -ETIMEDOUT;
        arch_out8(I8042_COMMAND, COMMAND_TO_AUX);
    }
    if (!wait_status(STATUS_INPUT_FULL, 0, TRANSMIT_TIMEOUT, false))
        return -ETIMEDOUT;
    arch_out8(I8042_DATA, byte);
    return 0;
}

/* Of either line. They are edge triggered, so all that is there must be read;
 * what a port sends may come with the other one's interrupt. */
static void i8042_interrupt(void *arg)
{
    struct controller *c = arg;
    irqflags_t flags = spin_lock(&c->lock);

    for (unsigned i = 0; i < DRAIN_LIMIT; i++) {
        uint8_t status = arch_in8(I8042_STATUS);

        if (!(status & STATUS_OUTPUT_FULL))
            break;
        uint8_t byte = arch_in8(I8042_DATA);

        ps2_incoming(&c->port[status & STATUS_AUX ? PORT_AUX : PORT_KEYBOARD],
                     byte, status & (STATUS_TIMEOUT | STATUS_PARITY));
    }
    spin_unlock(&c->lock, flags);
}

static void port_init(struct controller *c, unsigned i)
{
    static const char *const names[PORTS] = {"ps2:keyboard", "ps2:mouse"};
    struct ps2_port *p = &c->port[i];

    *p = (struct ps2_port){.kind = i == PORT_AUX ? PS2_MOUSE : PS2_KEYBOARD,
                           .lock = &c->lock,
                           .commands = &c->commands,
                           .transmit = transmit};
    waitq_init(&p->finished);
    p->dev.bus = &ps2_bus;
    fmt_snprintf(p->dev.name, sizeof(p->dev.name), "%s", names[i]);
}

static void lines_release(struct controller *c)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (c->vector[i] > 0)
            irq_release(c->vector[i]);
        c->vector[i] = 0;
    }
}

static int lines_request(struct controller *c, const struct platform_device *p)
{
    for (unsigned i = 0; i < PORTS && i < p->line_count; i++) {
        if (i == PORT_AUX && !c->has_aux)
            break;
        c->vector[i] = irq_request_isa(p->line[i], "i8042", i8042_interrupt, c);
        if (c->vector[i] < 0) {
            int err = c->vector[i];

            lines_release(c);
            return err;
        }
    }
    return 0;
}

/* --- the device --- */

static int i8042_probe(struct device *d)
{
    struct controller *c = &controller;
    int err;

    mutex_init(&c->commands);
    for (unsigned i = 0; i < PORTS; i++)
        port_init(c, i);
    err = controller_setup(c);
    if (err)
        return err;
    err = lines_request(c, platform_device_of(d));
    if (err)
        return err;
    err = config_write(CONFIG_SYSTEM | CONFIG_TRANSLATE | CONFIG_KEYBOARD_IRQ |
                       (c->has_aux ? CONFIG_AUX_IRQ : CONFIG_AUX_OFF));
    if (err) {
        lines_release(c);
        return err;
    }
    /* A key that came in between has had its edge already. */
    i8042_interrupt(c);
    d->driver_data = c;
    for (unsigned i = 0; i < (c->has_aux ? PORTS : 1); i++) {
        c->port[i].dev.parent = d;
        device_add(&c->port[i].dev);
    }
    return 0;
}

/* Silent for whoever runs next. */
static void i8042_remove(struct device *d)
{
    struct controller *c = d->driver_data;

    for (unsigned i = c->has_aux ? PORTS : 1; i-- > 0;)
        device_remove(&c->port[i].dev);
    lines_release(c);
    config_write(CONFIG_SYSTEM | CONFIG_TRANSLATE);
    command(COMMAND_AUX_OFF);
    command(COMMAND_KEYBOARD_OFF);
    discard_input();
}

static const struct platform_id ids[] = {{"i8042"}, {0}};

DRIVER(i8042, .bus = &platform_bus, .ids = ids, .probe = i8042_probe,
       .remove = i8042_remove);
