/* Between tables.c, power.c and fixed.c. */
#ifndef DRIVERS_ACPI_POWER_H
#define DRIVERS_ACPI_POWER_H

#include "acpi_parse.h"

/* Keep what power-off and reset will need, mapped: they may be asked for in a
 * panic. Boot, after DSDT and SSDTs can be found. */
void acpi_power_init(const struct acpi_fadt *fadt);
/* The FADT; NULL: there is none. Any context. */
const struct acpi_fadt *acpi_fadt(void);
/* See to it that the fixed registers answer (ACPI 6.4, 4.8.2.1). false: the
 * firmware does not let go of them. Waits a bounded time; any context. */
bool acpi_enter_mode(void);

#endif
