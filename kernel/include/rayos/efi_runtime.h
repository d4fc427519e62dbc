/*
 * UEFI runtime services: variables only (UEFI 2.9, 8.2). Called on identity
 * page tables of their own, one call at a time. Thread context. -ENODEV when
 * the firmware has none.
 */
#ifndef RAYOS_EFI_RUNTIME_H
#define RAYOS_EFI_RUNTIME_H

#include <rayos/types.h>

/* The boot reached the prompt: clear the loader's count of failed boots. */
int efi_boot_succeeded(void);

#endif
