/* Between tables.c and power.c. */
#ifndef DRIVERS_ACPI_POWER_H
#define DRIVERS_ACPI_POWER_H

#include "acpi_parse.h"

/* Keep what power-off and reset will need, mapped: they may be asked for in a
 * panic. Boot, after DSDT and SSDTs can be found. */
void acpi_power_init(const struct acpi_fadt *fadt);

#endif
