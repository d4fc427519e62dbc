/* Calendar time to Unix time. Pure. */
#ifndef BOOT_DATE_H
#define BOOT_DATE_H

#include <stdint.h>

struct date {
    unsigned year, month, day; /* month and day from 1 */
    unsigned hour, minute, second;
    int zone; /* minutes: UTC = local time + zone; DATE_ZONE_UNKNOWN: taken for
                 UTC */
};

#define DATE_ZONE_UNKNOWN 2047 /* UEFI 2.9, 8.3: EFI_UNSPECIFIED_TIMEZONE */

/* Seconds since 1970-01-01 UTC; 0 when a field is out of range or the date lies
 * before 1970. */
int64_t date_to_unix(const struct date *d);

#endif
