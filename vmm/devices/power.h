/*
 * The guest's ACPI hardware (ACPI 6.4 chapter 4.8): PM1 event and control
 * registers, the power management timer, the reset register; and the other ways
 * in which a guest ends itself.
 */
#ifndef VMM_DEVICES_POWER_H
#define VMM_DEVICES_POWER_H

#include <rayos/types.h>

struct vm;

/* What the FADT and the DSDT say (vmm/devices/acpi_tables.c). */
#define POWER_PM1_EVENT   0x600
#define POWER_PM1_CONTROL 0x604
#define POWER_PM_TIMER    0x608
#define POWER_RESET_PORT  0xcf9
#define POWER_RESET_VALUE 0x06
#define POWER_SCI_GSI     9
#define POWER_SLEEP_S5    5 /* SLP_TYP of \_S5 */

/* Press the power button: a guest with ACPI shuts down in order. Any context
 * but NMI. */
void power_press(struct vm *vm);
/* Does the guest listen to the button? vm->lock is held. */
bool power_listens(struct vm *vm);

#endif
