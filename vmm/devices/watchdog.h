/* The guest's watchdog: see watchdog.c for its registers. */
#ifndef VMM_DEVICES_WATCHDOG_H
#define VMM_DEVICES_WATCHDOG_H

#define WATCHDOG_PORT 0x620

#endif
