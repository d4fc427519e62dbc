/*
 * The CMOS clock of a PC (MC146818A). Its registers are read and written
 * through an index and a data port; the bits of what they mean are
 * cmos_time.c's. Thread context.
 */
#include <errno.h>
#include <string.h>

#include <arch/cpu.h>
#include <rayos/acpi.h>
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/platform.h>
#include <rayos/random.h>
#include <rayos/rtc.h>
#include <rayos/spinlock.h>

#include "cmos_time.h"

#define PORT_INDEX \
    0 /* from the device's first port; bit 7 would hold off NMIs */
#define PORT_DATA 1

#define REG_SECOND 0x00
#define REG_MINUTE 0x02
#define REG_HOUR   0x04
#define REG_DAY    0x07
#define REG_MONTH  0x08
#define REG_YEAR   0x09
#define REG_A      0x0a
#define REG_B      0x0b
#define REG_D      0x0d

#define A_UPDATE    0x80 /* in progress, or about to be within 244 us */
#define B_SET       0x80 /* no updates: somebody writes */
#define D_VALID     0x80 /* the battery held */
#define NO_REGISTER 0xff /* what a port that nobody answers on reads */

/* An update takes 2 ms (data sheet, table 6); this is for a dead chip. */
#define UPDATE_WAIT (20 * NS_PER_MS)
#define UPDATE_POLL (20 * NS_PER_US)
#define READ_TRIES  8
/* Seconds, between what was written and what is read. */
#define VERIFY_APART 2

static struct spinlock lock = SPINLOCK_INIT; /* index and data port together */
static uint16_t port;                        /* constant while bound */
static uint8_t century_register;             /* the same; 0: none */

static uint8_t cmos_read(uint8_t reg)
{
    irqflags_t flags = spin_lock(&lock);
    uint8_t value;

    arch_out8((uint16_t)(port + PORT_INDEX), reg);
    value = arch_in8((uint16_t)(port + PORT_DATA));
    spin_unlock(&lock, flags);
    return value;
}

static void cmos_write(uint8_t reg, uint8_t value)
{
    irqflags_t flags = spin_lock(&lock);

    arch_out8((uint16_t)(port + PORT_INDEX), reg);
    arch_out8((uint16_t)(port + PORT_DATA), value);
    spin_unlock(&lock, flags);
}

static int wait_for_update(void)
{
    nstime_t deadline = clock_now() + UPDATE_WAIT;

    while (cmos_read(REG_A) & A_UPDATE) {
        if (clock_now() >= deadline)
            return -ETIMEDOUT;
        clock_delay(UPDATE_POLL);
    }
    return 0;
}

static void read_registers(struct cmos_time *t)
{
    *t = (struct cmos_time){
        .second = cmos_read(REG_SECOND),
        .minute = cmos_read(REG_MINUTE),
        .hour = cmos_read(REG_HOUR),
        .day = cmos_read(REG_DAY),
        .month = cmos_read(REG_MONTH),
        .year = cmos_read(REG_YEAR),
        .century = century_register ? cmos_read(century_register) : 0,
        .status_b = cmos_read(REG_B),
    };
}

/* An interrupt between two registers may last longer than the 244 us that "no
 * update" promises: only two readings that agree count. */
static int read_stable(struct cmos_time *t)
{
    for (unsigned i = 0; i < READ_TRIES; i++) {
        struct cmos_time again;
        int err = wait_for_update();

        if (err)
            return err;
        read_registers(t);
        err = wait_for_update();
        if (err)
            return err;
        read_registers(&again);
        if (memcmp(t, &again, sizeof(again)) == 0)
            return 0;
    }
    return -EIO;
}

static int cmos_rtc_read(int64_t *unix_seconds)
{
    struct cmos_time t;
    int err = read_stable(&t);

    if (err)
        return err;
    if (!(cmos_read(REG_D) & D_VALID))
        return -EIO;
    return cmos_time_decode(&t, century_register != 0, unix_seconds);
}

/* With SET the chip finishes an update that has begun, and makes no other. */
static void write_registers(const struct cmos_time *t)
{
    cmos_write(REG_B, t->status_b | B_SET);
    cmos_write(REG_SECOND, t->second);
    cmos_write(REG_MINUTE, t->minute);
    cmos_write(REG_HOUR, t->hour);
    cmos_write(REG_DAY, t->day);
    cmos_write(REG_MONTH, t->month);
    cmos_write(REG_YEAR, t->year);
    if (century_register)
        cmos_write(century_register, t->century);
    cmos_write(REG_B, t->status_b);
}

/* The format stays as the firmware had it. */
static int cmos_rtc_write(int64_t unix_seconds)
{
    struct cmos_time t = {.status_b = cmos_read(REG_B) & (uint8_t)~B_SET};
    int64_t now;
    int err = cmos_time_encode(unix_seconds, century_register != 0, &t);

    if (!err)
        err = wait_for_update();
    if (err)
        return err;
    write_registers(&t);
    err = cmos_rtc_read(&now);
    if (!err && (now < unix_seconds || now > unix_seconds + VERIFY_APART))
        err = -EIO;
    return err;
}

static const struct rtc_ops ops = {
    .read = cmos_rtc_read,
    .write = cmos_rtc_write,
};

/* --- the driver --- */

/* Where nobody answers, all bits of all registers are set. */
static bool is_there(void)
{
    return cmos_read(REG_SECOND) != NO_REGISTER ||
           cmos_read(REG_B) != NO_REGISTER || cmos_read(REG_D) != NO_REGISTER;
}

static int cmos_rtc_probe(struct device *d)
{
    uint64_t moment[2];
    int err;

    port = platform_device_of(d)->ports[0].first;
    century_register = acpi_info()->rtc_century;
    if (!acpi_info()->has_rtc || !is_there())
        return -ENODEV;
    err = rtc_attach(&ops);
    if (err)
        return err;
    moment[0] = arch_tsc();
    moment[1] = (uint64_t)wall_clock_now();
    random_add_from("rtc", moment, sizeof(moment), 0);
    return 0;
}

static void cmos_rtc_remove(struct device *d)
{
    (void)d;
    rtc_detach(&ops);
}

static void cmos_rtc_describe(const struct device *d, struct device_report *r)
{
    uint8_t b = cmos_read(REG_B);

    (void)d;
    device_report_text(r, "format", b & CMOS_B_BINARY ? "binary" : "BCD");
    device_report_number(r, "hours", b & CMOS_B_24_HOURS ? 24 : 12);
    device_report_text(r, "battery",
                       cmos_read(REG_D) & D_VALID ? "good" : "dead");
    if (century_register)
        device_report_hex(r, "century_register", century_register);
}

static const struct platform_id ids[] = {{"rtc"}, {0}};

DRIVER(cmos_rtc, .bus = &platform_bus, .ids = ids, .probe = cmos_rtc_probe,
       .remove = cmos_rtc_remove, .describe = cmos_rtc_describe);
