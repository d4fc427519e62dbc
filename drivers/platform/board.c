/*
 * What a PC has on its board, at the places where IBM's PC/AT had it. Whether a
 * serial port is there only its driver finds out. At start, thread context.
 */
#include <rayos/acpi.h>
#include <rayos/log.h>
#include <rayos/platform.h>
#include <rayos/unit.h>

static struct platform_device keyboard_controller = {
    .id = "i8042",
    .description = "keyboard controller",
    .ports = {{0x60, 1}, {0x64, 1}},
    .line = {1, 12},
    .line_count = 2,
};

static struct platform_device clock_chip = {
    .id = "rtc",
    .description = "CMOS clock",
    .ports = {{0x70, 2}},
    .line = {8},
    .line_count = 1,
};

static struct platform_device serial_ports[] = {
    {
        .id = "serial",
        .description = "serial port COM1",
        .ports = {{0x3f8, 8}},
        .line = {4},
        .line_count = 1,
        .index = 0,
    },
    {
        .id = "serial",
        .description = "serial port COM2",
        .ports = {{0x2f8, 8}},
        .line = {3},
        .line_count = 1,
        .index = 1,
    },
};

static void add(struct platform_device *p, bool numbered)
{
    int err = platform_add(p, numbered);

    if (err)
        log_error("platform", "%s: error %d", p->dev.name, err);
}

static int platform_start(void)
{
    if (acpi_info()->has_i8042)
        add(&keyboard_controller, false);
    add(&clock_chip, false);
    for (size_t i = 0; i < ARRAY_SIZE(serial_ports); i++)
        add(&serial_ports[i], true);
    return 0;
}

UNIT(platform, .start = platform_start);
