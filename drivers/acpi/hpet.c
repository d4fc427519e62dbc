/*
 * The HPET in the device tree. The clock uses its counter while it measures the
 * TSC (arch/clock_reference.c) and nobody uses its timers, so the driver only
 * tells what there is. Thread context. IA-PC HPET 1.0a, 2.3.
 */
#include <errno.h>

#include <rayos/acpi.h>
#include <rayos/mm.h>
#include <rayos/platform.h>
#include <rayos/unit.h>

#define HPET_SIZE       0x400
#define HPET_CAPS       0 /* words of 32 bits */
#define HPET_PERIOD     1 /* of the counter, femtoseconds */
#define CAPS_REV(c)     ((c)&0xff)
#define CAPS_TIMERS(c)  (((c) >> 8 & 0x1f) + 1)
#define CAPS_64_BITS(c) ((c) >> 13 & 1)
#define CAPS_VENDOR(c)  ((c) >> 16)
#define PERIOD_MAX      100000000
#define FS_PER_SEC      UINT64_C(1000000000000000)

static struct platform_device hpet = {
    .id = "hpet",
    .description = "high precision event timer",
};

static uint32_t caps, period; /* as read at probe */

static int hpet_probe(struct device *d)
{
    phys_t base = acpi_info()->hpet_base;
    volatile uint32_t *regs = kspace_map_phys(base, HPET_SIZE, KSPACE_RW,
                                              CACHE_UC);

    (void)d;
    if (!regs)
        return -ENOMEM;
    caps = regs[HPET_CAPS];
    period = regs[HPET_PERIOD];
    kspace_unmap_phys((void *)(uintptr_t)regs);
    return period && period <= PERIOD_MAX && CAPS_REV(caps) ? 0 : -ENODEV;
}

static void hpet_remove(struct device *d)
{
    (void)d;
}

static void hpet_describe(const struct device *d, struct device_report *r)
{
    (void)d;
    device_report_hex(r, "address", acpi_info()->hpet_base);
    device_report_hex(r, "vendor", CAPS_VENDOR(caps));
    device_report_number(r, "hz", FS_PER_SEC / period);
    device_report_number(r, "bits", CAPS_64_BITS(caps) ? 64 : 32);
    device_report_number(r, "timers", CAPS_TIMERS(caps));
}

static const struct platform_id ids[] = {{"hpet"}, {0}};

DRIVER(hpet, .bus = &platform_bus, .ids = ids, .probe = hpet_probe,
       .remove = hpet_remove, .describe = hpet_describe);

static int hpet_start(void)
{
    return acpi_info()->hpet_base ? platform_add(&hpet, false) : -ENODEV;
}

UNIT(hpet, .after = "platform", .start = hpet_start);
