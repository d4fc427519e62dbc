/*
 * The guest's HPET (IA-PC HPET 1.0a): a 100 MHz 64-bit counter and three
 * comparators, at 0xfed00000. It has no legacy replacement route, so it never
 * competes with PIT and RTC; its comparators may use GSIs 16 to 23.
 */
#ifndef VMM_DEVICES_HPET_H
#define VMM_DEVICES_HPET_H

#include <rayos/types.h>

#define HPET_BASE UINT64_C(0xfed00000)
#define HPET_SIZE 0x400
/* The ACPI table repeats the low half of the capability register. */
#define HPET_CAPABILITIES_LOW 0x80862201u

#endif
