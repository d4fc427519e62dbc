/*
 * Clocks of known rate: the ACPI PM timer, the HPET, channel 2 of the 8254.
 * Used at boot to measure the TSC.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <rayos/acpi.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#define PM_TIMER_HZ     3579545 /* ACPI 6.4, 4.8.3.3 */
#define PM_TIMER_MASK24 UINT64_C(0xffffff)
#define PM_TIMER_MASK32 UINT64_C(0xffffffff)

/* IA-PC HPET specification 1.0a, 2.3. */
#define HPET_SIZE          0x400
#define HPET_CAPS          0x000
#define HPET_CONFIG        0x010
#define HPET_COUNTER       0x0f0
#define HPET_CONFIG_ENABLE 1u
#define HPET_PERIOD_MAX_FS 100000000 /* 100 ns */
#define FS_PER_SEC         UINT64_C(1000000000000000)

/* Intel 8254 data sheet; port 0x61 gates channel 2 and the speaker. */
#define PIT_HZ        1193182
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_MODE_CH2  0xb4 /* channel 2, low then high byte, rate generator */
#define PIT_LATCH_CH2 0x80
#define PORT_B        0x61
#define PORT_B_GATE   0x01

static uint16_t pm_port;
static volatile uint32_t *hpet;

static uint64_t pm_timer_read(void)
{
    return arch_in32(pm_port);
}

static struct clock_reference pm_timer = {
    .name = "pm-timer",
    .hz = PM_TIMER_HZ,
    .read = pm_timer_read,
};

/* A place that nothing answers at reads the same for ever. */
static bool reference_runs(const struct clock_reference *ref)
{
    uint64_t first = ref->read();

    for (int i = 0; i < 1000; i++)
        if (ref->read() != first)
            return true;
    return false;
}

static const struct clock_reference *pm_timer_find(void)
{
    const struct acpi_info *acpi = acpi_info();

    if (!acpi->pm_timer_port)
        return NULL;
    pm_port = acpi->pm_timer_port;
    pm_timer.mask = acpi->pm_timer_32bit ? PM_TIMER_MASK32 : PM_TIMER_MASK24;
    return reference_runs(&pm_timer) ? &pm_timer : NULL;
}

/* 32 bits are enough, and some HPETs have no more. */
static uint64_t hpet_read(void)
{
    return hpet[HPET_COUNTER / 4];
}

static struct clock_reference hpet_reference = {
    .name = "hpet",
    .mask = UINT32_MAX,
    .read = hpet_read,
};

static const struct clock_reference *hpet_find(void)
{
    phys_t base = acpi_info()->hpet_base;
    uint32_t period;

    if (!base)
        return NULL;
    hpet = kspace_map_phys(base, HPET_SIZE, KSPACE_RW, CACHE_UC);
    if (!hpet)
        return NULL;
    period = hpet[HPET_CAPS / 4 + 1];
    if (!period || period > HPET_PERIOD_MAX_FS) {
        log_warn("clock", "HPET at %#lx tells a period of %u fs", base, period);
        return NULL;
    }
    hpet[HPET_CONFIG / 4] |= HPET_CONFIG_ENABLE;
    hpet_reference.hz = FS_PER_SEC / period;
    return reference_runs(&hpet_reference) ? &hpet_reference : NULL;
}

/* Counts down from 65536; latched, so that both bytes belong together. */
static uint64_t pit_read(void)
{
    uint32_t low, high;

    arch_out8(PIT_COMMAND, PIT_LATCH_CH2);
    low = arch_in8(PIT_CHANNEL2);
    high = arch_in8(PIT_CHANNEL2);
    return 0xffff - (high << 8 | low);
}

static const struct clock_reference pit = {
    .name = "pit",
    .hz = PIT_HZ,
    .mask = 0xffff,
    .read = pit_read,
};

static const struct clock_reference *pit_find(void)
{
    uint8_t gate = arch_in8(PORT_B) & 0x0c;

    arch_out8(PORT_B, gate | PORT_B_GATE); /* speaker off */
    arch_out8(PIT_COMMAND, PIT_MODE_CH2);
    arch_out8(PIT_CHANNEL2, 0);
    arch_out8(PIT_CHANNEL2, 0);
    return reference_runs(&pit) ? &pit : NULL;
}

const struct clock_reference *clock_reference_find(void)
{
    const struct clock_reference *ref = pm_timer_find();

    if (!ref)
        ref = hpet_find();
    if (!ref)
        ref = pit_find();
    return ref;
}
