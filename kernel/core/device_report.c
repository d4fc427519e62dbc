/* A device's properties, told one by one to whoever listens. Tree lock held. */
#include <rayos/device.h>

void device_report_number(struct device_report *r, const char *name,
                          uint64_t value)
{
    r->number(r, name, value, false);
}

void device_report_hex(struct device_report *r, const char *name,
                       uint64_t value)
{
    r->number(r, name, value, true);
}

void device_report_text(struct device_report *r, const char *name,
                        const char *text)
{
    r->text(r, name, text);
}

void device_describe(const struct device *d, struct device_report *r)
{
    if (d->bus->describe)
        d->bus->describe(d, r);
    if (d->state == DEVICE_BOUND && d->driver->describe)
        d->driver->describe(d, r);
}
