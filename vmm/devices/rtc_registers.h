/*
 * The MC146818A's registers as a function of time (Motorola data sheet). Pure;
 * the caller locks.
 */
#ifndef VMM_DEVICES_RTC_REGISTERS_H
#define VMM_DEVICES_RTC_REGISTERS_H

#include <rayos/types.h>

#define RTC_CMOS_SIZE 128

enum rtc_register {
    RTC_SECONDS,
    RTC_SECONDS_ALARM,
    RTC_MINUTES,
    RTC_MINUTES_ALARM,
    RTC_HOURS,
    RTC_HOURS_ALARM,
    RTC_WEEKDAY,
    RTC_DAY,
    RTC_MONTH,
    RTC_YEAR,
    RTC_A,
    RTC_B,
    RTC_C,
    RTC_D,
    RTC_CENTURY = 0x32,
};

#define RTC_A_UPDATING 0x80
#define RTC_A_RATE     0x0f
#define RTC_B_SET      0x80
#define RTC_B_PERIODIC 0x40
#define RTC_B_ALARM    0x20
#define RTC_B_UPDATE   0x10
#define RTC_B_BINARY   0x04
#define RTC_B_24_HOURS 0x02
#define RTC_C_IRQ      0x80
#define RTC_D_VALID    0x80
#define RTC_ALARM_ANY  0xc0 /* and above: matches every value */

struct rtc_registers {
    uint8_t cmos[RTC_CMOS_SIZE];
    int64_t offset;  /* guest's wall clock minus ours, ns */
    int64_t stopped; /* guest's time while SET stops the clock, ns */
};

void rtc_registers_reset(struct rtc_registers *r);
/* `wall`: ns since 1970 of our wall clock. */
uint8_t rtc_registers_read(struct rtc_registers *r, uint8_t index,
                           int64_t wall);
void rtc_registers_write(struct rtc_registers *r, uint8_t index, uint8_t value,
                         int64_t wall);
/* Time between two periodic interrupts, 0: none. */
nstime_t rtc_registers_period(const struct rtc_registers *r);
/* Does the alarm match this second of the guest's clock? */
bool rtc_registers_alarm(const struct rtc_registers *r, int64_t wall);
/* Interrupt flags that came up; true: the line is to be raised. */
bool rtc_registers_raise(struct rtc_registers *r, uint8_t flags);

#endif
