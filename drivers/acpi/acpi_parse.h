/*
 * Parsers of ACPI tables: pure functions over (pointer, length), built for the
 * host tests too. Whatever lies in the bytes, nothing outside is read. Errors
 * are -EINVAL unless said.
 */
#ifndef DRIVERS_ACPI_PARSE_H
#define DRIVERS_ACPI_PARSE_H

#include <rayos/acpi.h>

#define ACPI_RSDP_SIZE_MAX 36 /* revision 2; revision 0 has 20 */
#define ACPI_RSDP_SIZE_MIN 20

/* Generic address structure, ACPI 6.4 5.2.3.2. */
enum acpi_space {
    ACPI_SPACE_MEMORY = 0,
    ACPI_SPACE_IO = 1,
    ACPI_SPACE_PCI = 2, /* bus 0: device << 32 | function << 16 | offset */
};

struct acpi_address {
    uint8_t space; /* enum acpi_space; ACPI_SPACE_NONE: absent */
    uint64_t address;
};
#define ACPI_SPACE_NONE 0xff

struct acpi_root {
    phys_t address;
    bool extended; /* XSDT: entries of 8 bytes, else RSDT: 4 */
};

#define ACPI_GPE_BLOCKS 2

struct acpi_fadt {
    phys_t dsdt; /* 0: none */
    /* There are no fixed registers (ACPI 6.4, 4.1): all ports below are 0. */
    bool hardware_reduced;
    uint16_t smi_command; /* port; 0: always in ACPI mode */
    uint8_t acpi_enable;
    uint16_t sci;                        /* line; ISA's numbers when below 16 */
    uint16_t pm1a_event, pm1b_event;     /* ports of status, then enable */
    uint8_t pm1_event_length;            /* of both halves; 0: none */
    uint16_t pm1a_control, pm1b_control; /* ports; 0: none */
    struct acpi_gpe {
        uint16_t port;  /* of status bytes, then as many of enable bytes */
        uint8_t length; /* of both; 0: none */
    } gpe[ACPI_GPE_BLOCKS];
    uint16_t pm_timer;
    bool pm_timer_32bit;
    bool has_i8042, has_rtc;
    bool fixed_power_button;   /* else a device in AML, or none */
    uint8_t rtc_century;       /* register of the CMOS clock; 0: none */
    struct acpi_address reset; /* space NONE: no reset register */
    uint8_t reset_value;
};

struct acpi_s5 {
    uint8_t type_a, type_b; /* SLP_TYP for PM1a and PM1b, 0..7 */
};

bool acpi_checksum_ok(const void *data, size_t size);
/* Signature, length within `size`, checksum. */
bool acpi_table_ok(const void *table, size_t size, const char signature[4]);

int acpi_parse_rsdp(const void *data, size_t size, struct acpi_root *out);
/* Number of the root table's entries, and the i-th; 0 past the end. */
size_t acpi_root_count(const void *table, size_t size, bool extended);
phys_t acpi_root_entry(const void *table, size_t size, bool extended,
                       size_t index);

/* Fill the MADT's part of `out`; entries that make no sense are left out. */
int acpi_parse_madt(const void *table, size_t size, struct acpi_info *out);
int acpi_parse_fadt(const void *table, size_t size, struct acpi_fadt *out);
/* -ENODEV: not in memory space. */
int acpi_parse_hpet(const void *table, size_t size, phys_t *base);
/* Add what makes sense to out->ecam. -ENODEV: nothing. */
int acpi_parse_mcfg(const void *table, size_t size, struct acpi_info *out);
/* Look for \_S5_ in a block of AML; -ENOENT. */
int acpi_find_s5(const uint8_t *aml, size_t size, struct acpi_s5 *out);

/* Little-endian fields at any alignment; 0 when not wholly inside. */
uint64_t acpi_field(const void *data, size_t size, size_t offset, size_t width);

#endif
