/* The bus of fixed devices: names, matching, properties. Thread context. */
#include <rayos/platform.h>

#include <string.h>

#include <rayos/fmt.h>

static bool platform_match(const struct device *d, const struct driver *drv)
{
    const struct platform_device *p = container_of(
        d, const struct platform_device, dev);

    for (const struct platform_id *i = drv->ids; i->id; i++)
        if (strcmp(i->id, p->id) == 0)
            return true;
    return false;
}

static void describe_ports(const struct platform_device *p,
                           struct device_report *r)
{
    char text[48];
    int n = 0;

    for (unsigned i = 0; i < PLATFORM_PORTS && p->ports[i].count; i++)
        n += fmt_snprintf(text + n, sizeof(text) - (size_t)n, "%s%#x-%#x",
                          i ? ", " : "", p->ports[i].first,
                          p->ports[i].first + p->ports[i].count - 1);
    if (n)
        device_report_text(r, "ports", text);
}

static void platform_describe(const struct device *d, struct device_report *r)
{
    static const char *const names[PLATFORM_LINES] = {"irq_line", "irq_line2"};
    const struct platform_device *p = container_of(
        d, const struct platform_device, dev);

    device_report_text(r, "description", p->description);
    describe_ports(p, r);
    for (unsigned i = 0; i < p->line_count; i++)
        device_report_number(r, names[i], p->line[i]);
}

const struct bus platform_bus = {
    .name = "platform",
    .match = platform_match,
    .describe = platform_describe,
};

int platform_add(struct platform_device *p, bool numbered)
{
    p->dev.bus = &platform_bus;
    if (numbered)
        fmt_snprintf(p->dev.name, sizeof(p->dev.name), "isa:%s%u", p->id,
                     p->index);
    else
        fmt_snprintf(p->dev.name, sizeof(p->dev.name), "isa:%s", p->id);
    return device_add(&p->dev);
}
