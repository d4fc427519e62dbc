/*
 * The ACPI tables that describe our virtual machine to its guest (ACPI 6.4
 * chapter 5): RSDP, XSDT, FADT, FACS, DSDT, MADT, HPET. Pure: bytes for an
 * address.
 */
#ifndef VMM_DEVICES_ACPI_TABLES_H
#define VMM_DEVICES_ACPI_TABLES_H

#include "vmm/guest_memory.h"

/* Where guests without firmware look: ACPI 6.4 5.2.5.1. */
#define ACPI_TABLES_BASE UINT64_C(0xe0000)
#define ACPI_TABLES_SIZE UINT64_C(0x20000)

#define ACPI_VIRTIO_MAX  32
#define ACPI_VIRTIO_SIZE 0x200

struct acpi_machine {
    uint32_t cpus;
    unsigned uarts; /* COM1, COM2, ... */
    unsigned virtio_count;
    struct {
        uint32_t base; /* of its MMIO window */
        uint32_t gsi;
    } virtio[ACPI_VIRTIO_MAX];
};

/* The RSDP lies at `at`, which is a multiple of 64. 0, -ENOSPC, -EINVAL.
 * `*used` bytes were written. */
int acpi_tables_build(const struct acpi_machine *m, gpa_t at, uint8_t *out,
                      size_t size, size_t *used);

#endif
