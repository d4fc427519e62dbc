/*
 * ACPI static tables (ACPI 6.4 chapter 5), checked: signature, length,
 * checksum, every entry's bounds. Read-only after boot: any context.
 */
#ifndef RAYOS_ACPI_H
#define RAYOS_ACPI_H

#include <rayos/types.h>

struct boot_info;

struct acpi_header {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
} __attribute__((packed));

struct acpi_ioapic {
    uint32_t id, gsi_base;
    phys_t base;
};

struct acpi_override { /* ISA interrupt source override */
    uint8_t isa_line;
    uint32_t gsi;
    uint32_t flags; /* IRQ_LEVEL, IRQ_ACTIVE_LOW as in irq.h */
};

struct acpi_ecam { /* memory-mapped PCI configuration space */
    phys_t base;   /* of bus 0, whichever bus is the first */
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

#define ACPI_MAX_IOAPICS   8
#define ACPI_MAX_OVERRIDES 16
#define ACPI_MAX_ECAMS     8

/* What the kernel needs of MADT, FADT, HPET and MCFG. Without tables `present`
 * is false and the rest is the PC's standard. */
struct acpi_info {
    bool present;
    uint32_t cpu_count;
    uint32_t cpu_apic_id[MAX_CPUS]; /* enabled CPUs only */
    phys_t lapic_base;
    bool has_pic;
    uint32_t ioapic_count;
    struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
    uint32_t override_count;
    struct acpi_override override[ACPI_MAX_OVERRIDES];
    uint16_t pm_timer_port; /* 0: none */
    bool pm_timer_32bit;
    phys_t hpet_base;    /* 0: none */
    bool has_i8042;      /* FADT boot flags; true without FADT */
    bool has_rtc;        /* the same */
    uint8_t rtc_century; /* CMOS register; 0: none. Without FADT: 0x32 */
    uint32_t ecam_count; /* 0: ports only */
    struct acpi_ecam ecam[ACPI_MAX_ECAMS];
};

/* Find and check the tables. Boot, after kspace_init. */
void acpi_init(const struct boot_info *info);
const struct acpi_info *acpi_info(void);
/* The n-th table of that signature, mapped for good; NULL. */
const struct acpi_header *acpi_find(const char signature[4], unsigned n);
/* Power off by S5 (from the DSDT's \_S5 package); -ENODEV when the tables do
 * not tell how. */
int acpi_power_off(void);
/* Reset by the FADT's reset register; -ENODEV. */
int acpi_reset(void);

#endif
