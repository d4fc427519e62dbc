/*
 * The PC's keyboard controller and the keyboard behind it (IBM PS/2 Hardware
 * Interface Technical Reference, "Keyboard and Auxiliary Device Controller").
 * The controller's translation to scan code set 1 stays on: that is what every
 * firmware and emulator is tested with. Every wait is bounded; a keyboard that
 * does not answer is served all the same, for it may be plugged in later. The
 * start runs in a thread, the rest in the interrupt.
 */
#include <errno.h>

#include <arch/cpu.h>
#include <rayos/acpi.h>
#include <rayos/input.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/spinlock.h>
#include <rayos/thread.h>
#include <rayos/unit.h>

#include "scancode.h"

#define I8042_DATA    0x60
#define I8042_STATUS  0x64 /* read */
#define I8042_COMMAND 0x64 /* write */

#define STATUS_OUTPUT_FULL 0x01 /* a byte waits for us */
#define STATUS_INPUT_FULL  0x02 /* ours has not been taken */
#define STATUS_AUX         0x20 /* it is the mouse's */
#define STATUS_TIMEOUT     0x40
#define STATUS_PARITY      0x80
#define STATUS_NONE        0xff /* nothing decodes the port */

#define COMMAND_WRITE_CONFIG 0x60
#define COMMAND_AUX_OFF      0xa7
#define COMMAND_SELF_TEST    0xaa
#define COMMAND_PORT_TEST    0xab
#define COMMAND_KEYBOARD_OFF 0xad
#define COMMAND_KEYBOARD_ON  0xae

#define SELF_TEST_OK 0x55
#define PORT_TEST_OK 0x00

#define CONFIG_KEYBOARD_IRQ 0x01
#define CONFIG_SYSTEM       0x04 /* the firmware's self test passed */
#define CONFIG_AUX_OFF      0x20
#define CONFIG_TRANSLATE    0x40

#define KEYBOARD_SET_DEFAULTS 0xf6
#define KEYBOARD_SCAN_SET     0xf0
#define KEYBOARD_ENABLE       0xf4
#define KEYBOARD_ACK          0xfa
#define KEYBOARD_RESEND       0xfe
#define SCAN_SET_2            2

#define KEYBOARD_LINE 1 /* ISA interrupt */

/* A controller takes microseconds; a keyboard up to 20 ms for its answer. */
#define SPINS          1000
#define ANSWER_TIMEOUT (50 * NS_PER_MS)
#define SEND_TRIES     3
/* The buffer holds 16 bytes on the largest keyboards. */
#define DRAIN_LIMIT 32

static struct scancode_state decoder; /* lock */
static struct spinlock lock;
static struct input_device keyboard = {.name = "PS/2 keyboard",
                                       .has_keys = true};

/* --- talking to the controller, during the start --- */

static bool wait_writable(void)
{
    nstime_t deadline = clock_now() + ANSWER_TIMEOUT;
    unsigned spins = 0;

    while (arch_in8(I8042_STATUS) & STATUS_INPUT_FULL) {
        if (clock_now() >= deadline)
            return false;
        if (++spins > SPINS)
            thread_sleep(NS_PER_MS);
        arch_pause();
    }
    return true;
}

/* The next byte, or -ETIMEDOUT. */
static int read_byte(void)
{
    nstime_t deadline = clock_now() + ANSWER_TIMEOUT;
    unsigned spins = 0;

    while (!(arch_in8(I8042_STATUS) & STATUS_OUTPUT_FULL)) {
        if (clock_now() >= deadline)
            return -ETIMEDOUT;
        if (++spins > SPINS)
            thread_sleep(NS_PER_MS);
        arch_pause();
    }
    return arch_in8(I8042_DATA);
}

static int command(uint8_t c)
{
    if (!wait_writable())
        return -ETIMEDOUT;
    arch_out8(I8042_COMMAND, c);
    return 0;
}

static int command_read(uint8_t c)
{
    int err = command(c);

    return err ? err : read_byte();
}

static int write_byte(uint8_t v)
{
    if (!wait_writable())
        return -ETIMEDOUT;
    arch_out8(I8042_DATA, v);
    return 0;
}

static int config_write(uint8_t config)
{
    int err = command(COMMAND_WRITE_CONFIG);

    return err ? err : write_byte(config);
}

static void discard_input(void)
{
    for (unsigned i = 0;
         i < DRAIN_LIMIT && arch_in8(I8042_STATUS) & STATUS_OUTPUT_FULL; i++)
        arch_in8(I8042_DATA);
}

/* One byte to the keyboard, again when it asks for it. 0, -ETIMEDOUT, -EIO. */
static int keyboard_send(uint8_t v)
{
    for (unsigned tries = 0; tries < SEND_TRIES; tries++) {
        int err = write_byte(v), answer;

        if (err)
            return err;
        /* Keys that are being typed may come before the answer. */
        for (unsigned i = 0; i < DRAIN_LIMIT; i++) {
            answer = read_byte();
            if (answer < 0 || answer == KEYBOARD_ACK)
                return answer < 0 ? answer : 0;
            if (answer == KEYBOARD_RESEND)
                break;
        }
    }
    return -EIO;
}

static int keyboard_setup(void)
{
    static const uint8_t sequence[] = {
        KEYBOARD_SET_DEFAULTS,
        KEYBOARD_SCAN_SET,
        SCAN_SET_2,
        KEYBOARD_ENABLE,
    };

    for (size_t i = 0; i < ARRAY_SIZE(sequence); i++) {
        int err = keyboard_send(sequence[i]);

        if (err)
            return err;
    }
    return 0;
}

/* Quiet both ports, check the controller, leave the keyboard's port open with
 * its interrupt off. */
static int controller_setup(uint8_t *config)
{
    if (arch_in8(I8042_STATUS) == STATUS_NONE)
        return -ENODEV;
    int err = command(COMMAND_KEYBOARD_OFF);

    if (!err)
        err = command(COMMAND_AUX_OFF);
    if (err)
        return -ENODEV;
    discard_input();
    int result = command_read(COMMAND_SELF_TEST);

    if (result < 0)
        return -ENODEV;
    if (result != SELF_TEST_OK)
        log_warn("i8042", "controller self test answered 0x%02x", result);
    result = command_read(COMMAND_PORT_TEST);
    if (result != PORT_TEST_OK)
        log_warn("i8042", "keyboard port test answered %d", result);
    /* The self test may have changed the configuration: write all of it. */
    *config = CONFIG_SYSTEM | CONFIG_TRANSLATE | CONFIG_AUX_OFF;
    err = config_write(*config);
    if (!err)
        err = command(COMMAND_KEYBOARD_ON);
    return err ? -EIO : 0;
}

/* --- keys --- */

static void report(void *arg, uint16_t code, int32_t value)
{
    input_report(arg, INPUT_KEY, code, value);
}

/* Also called once by the start, on another CPU perhaps: hence the lock. The
 * line is edge triggered, so all that is there must be read. */
static void i8042_interrupt(void *arg)
{
    irqflags_t flags = spin_lock(&lock);

    (void)arg;
    for (unsigned i = 0; i < DRAIN_LIMIT; i++) {
        uint8_t status = arch_in8(I8042_STATUS);

        if (!(status & STATUS_OUTPUT_FULL))
            break;
        uint8_t byte = arch_in8(I8042_DATA);

        if (status & STATUS_AUX)
            continue; /* nobody asked the mouse */
        if (status & (STATUS_TIMEOUT | STATUS_PARITY))
            scancode_release_all(&decoder, report, &keyboard);
        else
            scancode_feed(&decoder, byte, report, &keyboard);
    }
    input_sync(&keyboard);
    spin_unlock(&lock, flags);
}

static int i8042_start(void)
{
    uint8_t config;

    if (!acpi_info()->has_i8042)
        return -ENODEV;
    int err = controller_setup(&config);

    if (err)
        return err;
    err = keyboard_setup();
    if (err)
        log_warn("i8042", "the keyboard does not answer (%d)", err);
    input_register(&keyboard);
    int vector = irq_request_isa(KEYBOARD_LINE, "i8042", i8042_interrupt, NULL);

    if (vector < 0)
        return vector;
    err = config_write(config | CONFIG_KEYBOARD_IRQ);
    /* A key that came in between has had its edge already. */
    i8042_interrupt(NULL);
    if (!err)
        log_info("i8042", "keyboard on IRQ %d, scan code set 1", KEYBOARD_LINE);
    return err;
}

/* Silent for whoever runs next. */
static void i8042_stop(void)
{
    command(COMMAND_KEYBOARD_OFF);
}

UNIT(i8042, .start = i8042_start, .stop = i8042_stop);
