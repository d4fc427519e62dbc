/*
 * The bus of what every PC has at fixed places and nobody can ask for: the
 * keyboard controller, serial ports, the CMOS clock. Thread context.
 *
 *	static const struct platform_id ids[] = {{"i8042"}, {0}};
 *	DRIVER(i8042, .bus = &platform_bus, .ids = ids, .probe = ...);
 */
#ifndef RAYOS_PLATFORM_H
#define RAYOS_PLATFORM_H

#include <rayos/device.h>

#define PLATFORM_PORTS 2
#define PLATFORM_LINES 2

struct platform_ports {
    uint16_t first, count; /* count 0: none */
};

struct platform_device {
    struct device dev;
    const char *id; /* what drivers name */
    const char *description;
    struct platform_ports ports[PLATFORM_PORTS];
    uint8_t line[PLATFORM_LINES]; /* of the ISA bus */
    unsigned line_count;
    unsigned index; /* among those with the same id, from 0 */
};

static inline struct platform_device *platform_device_of(struct device *d)
{
    return container_of(d, struct platform_device, dev);
}

/* A driver's `ids` are these; NULL ends the table. */
struct platform_id {
    const char *id;
};

extern const struct bus platform_bus;

/* A device whose fields but `dev` are filled in and which stays where it is: it
 * gets its name, "isa:serial1" for index 1 of "serial", and joins the tree.
 * `numbered`: there may be several. As device_add. */
int platform_add(struct platform_device *p, bool numbered);

#endif
