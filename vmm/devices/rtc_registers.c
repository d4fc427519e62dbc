/*
 * The guest's real-time clock as registers. The date is computed when it is
 * read (proleptic Gregorian calendar, days counted from 1970), so nothing
 * ticks. Pure.
 */
#include <string.h>

#include "vmm/devices/rtc_registers.h"

#define NS                INT64_C(1000000000)
#define DAY               INT64_C(86400)
#define UPDATE_NS         244000 /* UIP rises that long before a second ends */
#define RATE_BASE_HZ      32768
#define PM                0x80
#define A_DEFAULT         0x26   /* 32768 Hz, 1024 interrupts a second */
#define DAYS_TO_1970      719468 /* from 0000-03-01 */
#define DAYS_OF_400_YEARS 146097
/* What nanoseconds in 64 bits can hold, with room for differences. */
#define YEAR_MIN 1800
#define YEAR_MAX 2200

struct date {
    int64_t year;
    int month, day, hour, minute, second, weekday;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Years begin on the first of March, so that leap days come last. */
static void from_days(int64_t days, struct date *d)
{
    int64_t z = days + DAYS_TO_1970, era = floor_div(z, DAYS_OF_400_YEARS);
    int64_t n = z - era * DAYS_OF_400_YEARS;
    int64_t y = (n - n / 1460 + n / 36524 - n / 146096) / 365;
    int64_t yday = n - (365 * y + y / 4 - y / 100), m = (5 * yday + 2) / 153;

    d->day = (int)(yday - (153 * m + 2) / 5 + 1);
    d->month = (int)(m < 10 ? m + 3 : m - 9);
    d->year = y + era * 400 + (d->month <= 2);
    d->weekday = (int)((days % 7 + 11) % 7) + 1; /* 1970-01-01: a Thursday */
}

static int64_t to_days(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2), era = floor_div(y, 400), n = y - era * 400;
    int64_t yday = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * DAYS_OF_400_YEARS + n * 365 + n / 4 - n / 100 + yday -
           DAYS_TO_1970;
}

static void from_ns(int64_t ns, struct date *d)
{
    int64_t seconds = floor_div(ns, NS), days = floor_div(seconds, DAY);
    int rest = (int)(seconds - days * DAY);

    from_days(days, d);
    d->hour = rest / 3600;
    d->minute = rest / 60 % 60;
    d->second = rest % 60;
}

/* --- codes --- */

static uint8_t encode(const struct rtc_registers *r, int v)
{
    return (uint8_t)(r->cmos[RTC_B] & RTC_B_BINARY ? v
                                                   : v / 10 % 10 << 4 | v % 10);
}

static int decode(const struct rtc_registers *r, uint8_t v)
{
    return r->cmos[RTC_B] & RTC_B_BINARY ? v : (v >> 4) * 10 + (v & 15);
}

static uint8_t encode_hour(const struct rtc_registers *r, int hour)
{
    if (r->cmos[RTC_B] & RTC_B_24_HOURS)
        return encode(r, hour);
    return encode(r, (hour + 11) % 12 + 1) | (hour >= 12 ? PM : 0);
}

static int decode_hour(const struct rtc_registers *r, uint8_t v)
{
    if (r->cmos[RTC_B] & RTC_B_24_HOURS)
        return decode(r, v);
    return decode(r, v & 0x7f) % 12 + (v & PM ? 12 : 0);
}

/* --- the clock --- */

static bool running(const struct rtc_registers *r)
{
    return !(r->cmos[RTC_B] & RTC_B_SET);
}

static int64_t guest_time(const struct rtc_registers *r, int64_t wall)
{
    return running(r) ? wall + r->offset : r->stopped;
}

/* Put the time of now into the date's registers. */
static void refresh(struct rtc_registers *r, int64_t wall)
{
    struct date d;

    if (!running(r))
        return;
    from_ns(guest_time(r, wall), &d);
    r->cmos[RTC_SECONDS] = encode(r, d.second);
    r->cmos[RTC_MINUTES] = encode(r, d.minute);
    r->cmos[RTC_HOURS] = encode_hour(r, d.hour);
    r->cmos[RTC_WEEKDAY] = encode(r, d.weekday);
    r->cmos[RTC_DAY] = encode(r, d.day);
    r->cmos[RTC_MONTH] = encode(r, d.month);
    r->cmos[RTC_YEAR] = encode(r, (int)(d.year % 100));
    r->cmos[RTC_CENTURY] = encode(r, (int)(d.year / 100 % 100));
}

/* What the registers say now is the time. Nonsense gives a nonsense date, as on
 * the part, but always a number. */
static void take(struct rtc_registers *r, int64_t wall, int64_t fraction)
{
    int64_t year = decode(r, r->cmos[RTC_CENTURY]) * 100 +
                   decode(r, r->cmos[RTC_YEAR]);

    if (year < YEAR_MIN || year > YEAR_MAX)
        year = year < YEAR_MIN ? YEAR_MIN : YEAR_MAX;
    int month = decode(r, r->cmos[RTC_MONTH]);
    int64_t days = to_days(year, month < 1 || month > 12 ? 1 : month,
                           decode(r, r->cmos[RTC_DAY]));
    int64_t seconds = days * DAY + decode_hour(r, r->cmos[RTC_HOURS]) * 3600 +
                      decode(r, r->cmos[RTC_MINUTES]) * 60 +
                      decode(r, r->cmos[RTC_SECONDS]);

    r->stopped = seconds * NS + fraction;
    r->offset = r->stopped - wall;
}

void rtc_registers_reset(struct rtc_registers *r)
{
    memset(r->cmos, 0, sizeof(r->cmos));
    r->cmos[RTC_A] = A_DEFAULT;
    r->cmos[RTC_B] = RTC_B_24_HOURS;
    r->cmos[RTC_D] = RTC_D_VALID;
}

static bool is_date(uint8_t index)
{
    return index <= RTC_YEAR && index != RTC_SECONDS_ALARM &&
           index != RTC_MINUTES_ALARM && index != RTC_HOURS_ALARM;
}

uint8_t rtc_registers_read(struct rtc_registers *r, uint8_t index, int64_t wall)
{
    uint8_t value;

    index &= RTC_CMOS_SIZE - 1;
    if (is_date(index) || index == RTC_CENTURY)
        refresh(r, wall);
    value = r->cmos[index];
    if (index == RTC_A && running(r)) {
        int64_t t = guest_time(r, wall), rest = t - floor_div(t, NS) * NS;

        value = (value & ~RTC_A_UPDATING) |
                (rest >= NS - UPDATE_NS ? RTC_A_UPDATING : 0);
    }
    if (index == RTC_C)
        r->cmos[RTC_C] = 0; /* reading is acknowledging */
    return value;
}

static void write_b(struct rtc_registers *r, uint8_t value, int64_t wall)
{
    bool was = running(r);

    /* The date's registers keep the code they were written in. */
    refresh(r, wall);
    if (was && (value & RTC_B_SET))
        r->stopped = guest_time(r, wall);
    r->cmos[RTC_B] = value;
    if (!was && running(r))
        take(r, wall, 0);
    if (value & RTC_B_SET)
        r->cmos[RTC_B] &= ~RTC_B_UPDATE;
}

void rtc_registers_write(struct rtc_registers *r, uint8_t index, uint8_t value,
                         int64_t wall)
{
    index &= RTC_CMOS_SIZE - 1;
    switch (index) {
    case RTC_A:
        r->cmos[RTC_A] = value & ~RTC_A_UPDATING;
        break;
    case RTC_B:
        write_b(r, value, wall);
        break;
    case RTC_C:
    case RTC_D:
        break;
    default:
        if (is_date(index) || index == RTC_CENTURY) {
            int64_t t = guest_time(r, wall);

            refresh(r, wall);
            r->cmos[index] = value;
            if (running(r))
                take(r, wall, t - floor_div(t, NS) * NS);
        } else {
            r->cmos[index] = value;
        }
    }
}

nstime_t rtc_registers_period(const struct rtc_registers *r)
{
    unsigned rate = r->cmos[RTC_A] & RTC_A_RATE;

    if (!rate || !(r->cmos[RTC_B] & RTC_B_PERIODIC))
        return 0;
    /* Rates 1 and 2 are those of 8 and 9. */
    if (rate < 3)
        rate += 7;
    return ((nstime_t)NS << (rate - 1)) / RATE_BASE_HZ;
}

static bool field_matches(const struct rtc_registers *r,
                          enum rtc_register field)
{
    uint8_t alarm = r->cmos[field + 1];

    return alarm >= RTC_ALARM_ANY || alarm == r->cmos[field];
}

bool rtc_registers_alarm(const struct rtc_registers *r, int64_t wall)
{
    struct rtc_registers now = *r;

    refresh(&now, wall);
    return field_matches(&now, RTC_SECONDS) &&
           field_matches(&now, RTC_MINUTES) && field_matches(&now, RTC_HOURS);
}

bool rtc_registers_raise(struct rtc_registers *r, uint8_t flags)
{
    r->cmos[RTC_C] |= flags;
    /* Flags and enables share their bits. */
    if (!(flags & r->cmos[RTC_B]) || (r->cmos[RTC_C] & RTC_C_IRQ))
        return false;
    r->cmos[RTC_C] |= RTC_C_IRQ;
    return true;
}
