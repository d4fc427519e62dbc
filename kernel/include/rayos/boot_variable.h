/*
 * The UEFI variable that counts the boots which did not reach the prompt: the
 * loader adds one, the kernel (core/efi_runtime.c) clears it. A little-endian
 * uint32_t. Shared by both; includes neither's headers.
 */
#ifndef RAYOS_BOOT_VARIABLE_H
#define RAYOS_BOOT_VARIABLE_H

/* df283517-7afc-4fec-8cda-90fe4f390a2f, made for this variable; initializes an
 * EFI_GUID, or a structure of that form. */
#define BOOT_VARIABLE_GUID                                 \
    {                                                      \
        0xdf283517, 0x7afc, 0x4fec,                        \
        {                                                  \
            0x8c, 0xda, 0x90, 0xfe, 0x4f, 0x39, 0x0a, 0x2f \
        }                                                  \
    }

/* UTF-16, whatever wchar_t is. */
#define BOOT_VARIABLE_NAME u"RayOSFailedBoots"

/* UEFI 2.9, 8.2: non-volatile, boot service and runtime access. */
#define BOOT_VARIABLE_ATTRIBUTES 0x7u

#endif
