/* The registers of a CMOS clock to seconds and back. Pure; any context. */
#include "cmos_time.h"

#include <errno.h>

#define HOUR_PM 0x80 /* of the hours' register, in the 12-hour format */

/* Without a century, years from here on are of the last one. */
#define YEAR_PIVOT 70
/* A century register that says anything else was never set. */
#define CENTURY_MIN 19
#define CENTURY_MAX 29

#define DAY          INT64_C(86400) /* seconds */
#define DAYS_400     146097         /* Gregorian days in 400 years */
#define DAYS_TO_1970 719468         /* from the first of March of year 0 */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(int64_t year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30,
                                     31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970. The year begins in March here, so that the leap day is its
 * last and (153 m + 2) / 5 counts the days before month m. */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, of_era = y % 400;
    unsigned m = (month + 9) % 12;
    int64_t of_year = (153 * m + 2) / 5 + day - 1;

    return era * DAYS_400 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           DAYS_TO_1970;
}

/* The inverse, for days from 1970 on. */
static void date_from_days(int64_t days, int64_t *year, unsigned *month,
                           unsigned *day)
{
    int64_t y = 1970 + days / 366; /* never too late, a few years too early */

    while (days >= days_from_date(y + 1, 1, 1))
        y++;
    days -= days_from_date(y, 1, 1);
    *month = 1;
    while (days >= month_days(y, *month))
        days -= month_days(y, (*month)++);
    *day = (unsigned)days + 1;
    *year = y;
}

/* -1: it is no number of two digits. */
static int number_decode(uint8_t value, uint8_t status_b)
{
    if (status_b & CMOS_B_BINARY)
        return value <= 99 ? value : -1;
    if ((value & 0x0f) > 9 || value >> 4 > 9)
        return -1;
    return (value >> 4) * 10 + (value & 0x0f);
}

static uint8_t number_encode(unsigned value, uint8_t status_b)
{
    if (status_b & CMOS_B_BINARY)
        return (uint8_t)value;
    return (uint8_t)(value / 10 << 4 | value % 10);
}

/* 12 comes before 1, at midnight and at noon. */
static int hour_decode(uint8_t value, uint8_t status_b)
{
    bool pm = value & HOUR_PM;
    int hour;

    if (status_b & CMOS_B_24_HOURS)
        return number_decode(value, status_b);
    hour = number_decode(value & (uint8_t)~HOUR_PM, status_b);
    if (hour < 1 || hour > 12)
        return -1;
    return hour % 12 + (pm ? 12 : 0);
}

static uint8_t hour_encode(unsigned hour, uint8_t status_b)
{
    uint8_t pm = hour >= 12 ? HOUR_PM : 0;

    if (status_b & CMOS_B_24_HOURS)
        return number_encode(hour, status_b);
    return number_encode(hour % 12 ? hour % 12 : 12, status_b) | pm;
}

static int year_decode(const struct cmos_time *t, bool has_century)
{
    int year = number_decode(t->year, t->status_b);
    int century = has_century ? number_decode(t->century, t->status_b) : -1;

    if (year < 0)
        return -1;
    if (century < CENTURY_MIN || century > CENTURY_MAX)
        century = year >= YEAR_PIVOT ? 19 : 20;
    return century * 100 + year;
}

int cmos_time_decode(const struct cmos_time *t, bool has_century,
                     int64_t *unix_seconds)
{
    int second = number_decode(t->second, t->status_b);
    int minute = number_decode(t->minute, t->status_b);
    int hour = hour_decode(t->hour, t->status_b);
    int day = number_decode(t->day, t->status_b);
    int month = number_decode(t->month, t->status_b);
    int year = year_decode(t, has_century);

    if (second < 0 || second > 59 || minute < 0 || minute > 59 || hour < 0 ||
        hour > 23 || year < 1970 || month < 1 || month > 12 || day < 1 ||
        (unsigned)day > month_days(year, (unsigned)month))
        return -EIO;
    *unix_seconds = days_from_date(year, (unsigned)month, (unsigned)day) * DAY +
                    hour * 3600 + minute * 60 + second;
    return 0;
}

int cmos_time_encode(int64_t unix_seconds, bool has_century,
                     struct cmos_time *t)
{
    const int64_t last = has_century ? (CENTURY_MAX + 1) * 100 - 1
                                     : 2000 + YEAR_PIVOT - 1;
    uint8_t b = t->status_b;
    unsigned month, day, rest;
    int64_t year;

    if (unix_seconds < 0 ||
        unix_seconds >= days_from_date(last + 1, 1, 1) * DAY)
        return -EINVAL;
    date_from_days(unix_seconds / DAY, &year, &month, &day);
    rest = (unsigned)(unix_seconds % DAY);
    *t = (struct cmos_time){
        .second = number_encode(rest % 60, b),
        .minute = number_encode(rest / 60 % 60, b),
        .hour = hour_encode(rest / 3600, b),
        .day = number_encode(day, b),
        .month = number_encode(month, b),
        .year = number_encode((unsigned)(year % 100), b),
        .century = number_encode((unsigned)(year / 100), b),
        .status_b = b,
    };
    return 0;
}
