/* Page tables for calls of UEFI runtime services. Thread context, one caller at
 * a time. */
#ifndef CORE_EFI_TABLES_H
#define CORE_EFI_TABLES_H

#include <rayos/types.h>

/* Map one range of physical memory at its own address, writable; executable or
 * not. Page aligned. -ENOMEM. */
int efi_tables_map(phys_t base, uint64_t size, bool executable, bool uncached);
/* Physical address of the top table, with the kernel's upper half as it is
 * now; 0 when nothing was mapped. */
phys_t efi_tables_root(void);

#endif
