/*
 * The fixed events of ACPI: the power button, by way of the system control
 * interrupt. All other sources of that interrupt are off, for nobody could
 * handle them without an interpreter of AML. Handler: interrupt context; the
 * rest: threads. ACPI 6.4, 4.8.3.1 and 4.8.4.
 */
#include <errno.h>

#include <arch/cpu.h>
#include <rayos/event.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/platform.h>
#include <rayos/power.h>
#include <rayos/unit.h>
#include <rayos/workq.h>

#include "acpi_power.h"

/* PM1 status and enable registers, tables 4.11 and 4.12. Status bits are
 * cleared by writing ones. */
#define PM1_POWER_BUTTON (1u << 8)
#define PM1_STATUS_ALL   0x8f31u /* those that are not reserved */

#define ISA_LINES 16

static const struct event_field power_button_fields[] = {
    EVENT_FIELD(source, EVENT_U32, "the device"),
    {0},
};
EVENT_TYPE(power_button, .doc = "the machine's power button was pressed",
           .fields = power_button_fields);

static struct platform_device button = {
    .id = "power_button",
    .description = "power button (ACPI fixed event)",
};

static struct irq_share sci;    /* probe and remove */
static struct work off_work;    /* made at start */
static uint64_t presses;        /* interrupt handler */
static uint16_t status_port[2]; /* constant while bound; 0: none */
static uint16_t enable_port[2]; /* the same */

static void off_now(struct work *w)
{
    (void)w;
    power_request(POWER_OFF);
}

static uint32_t status_read(void)
{
    uint32_t status = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(status_port); i++)
        if (status_port[i])
            status |= arch_in16(status_port[i]);
    return status;
}

static void status_clear(uint32_t bits)
{
    for (unsigned i = 0; i < ARRAY_SIZE(status_port); i++)
        if (status_port[i])
            arch_out16(status_port[i], (uint16_t)bits);
}

/* The other events are left off. */
static void enable_write(uint32_t bits)
{
    for (unsigned i = 0; i < ARRAY_SIZE(enable_port); i++)
        if (enable_port[i])
            arch_out16(enable_port[i], (uint16_t)bits);
}

/* Cleared first: a press that comes meanwhile is another one. Unless a reflex
 * has taken it, the button does what is written on it. */
static bool sci_interrupt(void *arg)
{
    struct device *d = arg;
    struct event e = {.source = d->id};

    if (!(status_read() & PM1_POWER_BUTTON))
        return false;
    status_clear(PM1_POWER_BUTTON);
    presses++;
    if (!event_raise(&event_type_power_button, &e))
        work_submit(workq_system(), &off_work);
    return true;
}

/* General-purpose events would interrupt for ever: their handlers are AML. */
static void gpe_off(const struct acpi_fadt *fadt)
{
    for (unsigned i = 0; i < ACPI_GPE_BLOCKS; i++) {
        const struct acpi_gpe *gpe = &fadt->gpe[i];

        for (unsigned at = gpe->length / 2u; at < gpe->length; at++)
            arch_out8((uint16_t)(gpe->port + at), 0);
    }
}

/* ACPI 6.4, 5.2.9: level, active low, unless an override says otherwise. */
static uint32_t sci_gsi(uint16_t line, uint32_t *flags)
{
    uint32_t gsi = line;

    *flags = 0;
    if (line < ISA_LINES)
        gsi = irq_isa_to_gsi(line, flags);
    if (!(*flags & IRQ_LEVEL))
        *flags = IRQ_LEVEL | IRQ_ACTIVE_LOW;
    return gsi;
}

static void ports_find(const struct acpi_fadt *fadt)
{
    const uint16_t blocks[2] = {fadt->pm1a_event, fadt->pm1b_event};

    for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
        status_port[i] = blocks[i];
        enable_port[i] = blocks[i] ? (uint16_t)(blocks[i] +
                                                fadt->pm1_event_length / 2)
                                   : 0;
    }
}

static int button_probe(struct device *d)
{
    const struct acpi_fadt *fadt = acpi_fadt();
    uint32_t gsi, flags;
    int err;

    if (!fadt || !fadt->fixed_power_button)
        return -ENODEV;
    if (!acpi_enter_mode())
        return -EIO;
    ports_find(fadt);
    enable_write(0);
    gpe_off(fadt);
    status_clear(PM1_STATUS_ALL);
    sci = (struct irq_share){
        .handler = sci_interrupt, .arg = d, .name = "acpi"};
    gsi = sci_gsi(fadt->sci, &flags);
    err = irq_share_request(gsi, flags, &sci);
    if (err)
        return err;
    enable_write(PM1_POWER_BUTTON);
    return 0;
}

static void button_remove(struct device *d)
{
    (void)d;
    enable_write(0);
    irq_share_release(&sci);
    status_clear(PM1_POWER_BUTTON);
}

static void button_describe(const struct device *d, struct device_report *r)
{
    (void)d;
    device_report_number(r, "gsi", sci.gsi);
    device_report_number(r, "presses", presses);
}

static const struct platform_id ids[] = {{"power_button"}, {0}};

DRIVER(acpi_button, .bus = &platform_bus, .ids = ids, .probe = button_probe,
       .remove = button_remove, .describe = button_describe);

static int acpi_button_start(void)
{
    const struct acpi_fadt *fadt = acpi_fadt();

    if (!fadt || !fadt->fixed_power_button)
        return -ENODEV;
    work_init(&off_work, off_now);
    return platform_add(&button, false);
}

UNIT(acpi_button, .after = "platform event", .start = acpi_button_start);
