/* The end of the session: orderly shutdown, reset, and the exits that emulators
 * offer. */
#ifndef RAYOS_POWER_H
#define RAYOS_POWER_H

enum power_action { POWER_OFF, POWER_RESET };

/* Ask for an orderly end: stops the domains, then all units in reverse order,
 * then the machine. Thread context; returns at once, the work is done by a
 * thread of its own. */
void power_request(enum power_action action);
/* At once, without asking anybody. Any context. Reset tries: UEFI ResetSystem
 * is not used; ACPI reset register, 0xCF9, keyboard controller, triple fault.
 * Off tries: ACPI S5, Bochs's 0x8900, then halts. */
_Noreturn void power_now(enum power_action action);

#endif
