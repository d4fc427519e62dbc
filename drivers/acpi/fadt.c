/*
 * The fixed ACPI description table, and the HPET's. Pure; any context. ACPI
 * 6.4, 5.2.9; IA-PC HPET 1.0a, 3.2.4.
 */
#include <errno.h>

#include "acpi_parse.h"

/* Table 5.9. The 64-bit fields with X_ win over the older ones. */
#define FADT_DSDT       40
#define FADT_SCI_INT    46
#define FADT_SMI_CMD    48
#define FADT_ENABLE     52
#define FADT_PM1A_EVT   56
#define FADT_PM1B_EVT   60
#define FADT_PM1A_CNT   64
#define FADT_PM1B_CNT   68
#define FADT_PM_TMR     76
#define FADT_GPE0       80
#define FADT_GPE1       84
#define FADT_PM1_LEN    88
#define FADT_PM_TMR_LEN 91
#define FADT_GPE0_LEN   92
#define FADT_GPE1_LEN   93
#define FADT_CENTURY    108
#define FADT_BOOT_ARCH  109
#define FADT_FLAGS      112
#define FADT_RESET_REG  116
#define FADT_RESET_VAL  128
#define FADT_X_DSDT     140
#define FADT_X_PM1A_EVT 148
#define FADT_X_PM1B_EVT 160
#define FADT_X_PM1A_CNT 172
#define FADT_X_PM1B_CNT 184
#define FADT_X_PM_TMR   208
#define FADT_X_GPE0     220
#define FADT_X_GPE1     232
#define FADT_SIZE_MIN   116 /* ACPI 1.0 */

#define BOOT_ARCH_8042     (1u << 1)
#define BOOT_ARCH_NO_RTC   (1u << 5)
#define FLAG_PWR_BUTTON    (1u << 4) /* it is not a fixed one */
#define FLAG_TMR_VAL_EXT   (1u << 8)
#define FLAG_RESET_REG     (1u << 10)
#define FLAG_HW_REDUCED    (1u << 20)
#define REVISION_BOOT_ARCH 2 /* older ones left the field reserved */
#define REVISION_REDUCED   5 /* the same of the flag */
#define PM_TMR_LENGTH      4
#define PM1_LENGTH_MIN     4
#define CENTURY_MIN        14 /* after the clock's own registers */
#define CENTURY_MAX        127
#define GAS_SIZE           12
#define GAS_ADDRESS        4

#define HPET_ADDRESS   40
#define HPET_ALIGNMENT 1024                /* and its size */
#define ADDRESS_LIMIT  (UINT64_C(1) << 52) /* of x86-64 */

static struct acpi_address read_gas(const void *table, size_t size, size_t at)
{
    struct acpi_address a = {.space = ACPI_SPACE_NONE};

    if (size >= GAS_SIZE && at <= size - GAS_SIZE) {
        a.space = (uint8_t)acpi_field(table, size, at, 1);
        a.address = acpi_field(table, size, at + GAS_ADDRESS, 8);
    }
    return a;
}

static uint16_t port_or_none(uint64_t address)
{
    return address <= UINT16_MAX ? (uint16_t)address : 0;
}

/* A register block's port: from the extended field when that is there and in
 * I/O space. */
static uint16_t read_port(const void *table, size_t size, size_t plain,
                          size_t extended)
{
    struct acpi_address a = read_gas(table, size, extended);

    if (a.space == ACPI_SPACE_IO && a.address && a.address <= UINT16_MAX)
        return (uint16_t)a.address;
    return port_or_none(acpi_field(table, size, plain, 4));
}

static void read_reset(const void *table, size_t size, uint64_t flags,
                       struct acpi_fadt *out)
{
    struct acpi_address a = read_gas(table, size, FADT_RESET_REG);

    out->reset.space = ACPI_SPACE_NONE;
    if (!(flags & FLAG_RESET_REG) || size <= FADT_RESET_VAL)
        return;
    if ((a.space == ACPI_SPACE_IO && a.address <= UINT16_MAX) ||
        (a.space == ACPI_SPACE_MEMORY && a.address) ||
        a.space == ACPI_SPACE_PCI)
        out->reset = a;
    out->reset_value = (uint8_t)acpi_field(table, size, FADT_RESET_VAL, 1);
}

/* A block whose length is odd has no halves. */
static struct acpi_gpe read_gpe(const void *table, size_t size, size_t plain,
                                size_t extended, size_t length_at)
{
    struct acpi_gpe gpe = {
        .port = read_port(table, size, plain, extended),
        .length = (uint8_t)acpi_field(table, size, length_at, 1),
    };

    if (!gpe.port || gpe.length % 2 || gpe.port > UINT16_MAX - gpe.length)
        gpe.length = 0;
    return gpe;
}

/* The registers of fixed hardware (ACPI 6.4, 4.8). */
static void read_fixed(const void *table, size_t size, struct acpi_fadt *out)
{
    uint8_t pm1 = (uint8_t)acpi_field(table, size, FADT_PM1_LEN, 1);

    out->smi_command = port_or_none(acpi_field(table, size, FADT_SMI_CMD, 4));
    out->acpi_enable = (uint8_t)acpi_field(table, size, FADT_ENABLE, 1);
    out->sci = (uint16_t)acpi_field(table, size, FADT_SCI_INT, 2);
    out->pm1a_control = read_port(table, size, FADT_PM1A_CNT, FADT_X_PM1A_CNT);
    out->pm1b_control = read_port(table, size, FADT_PM1B_CNT, FADT_X_PM1B_CNT);
    if (pm1 >= PM1_LENGTH_MIN && pm1 % 2 == 0) {
        out->pm1_event_length = pm1;
        out->pm1a_event = read_port(table, size, FADT_PM1A_EVT,
                                    FADT_X_PM1A_EVT);
        out->pm1b_event = read_port(table, size, FADT_PM1B_EVT,
                                    FADT_X_PM1B_EVT);
    }
    if (acpi_field(table, size, FADT_PM_TMR_LEN, 1) == PM_TMR_LENGTH)
        out->pm_timer = read_port(table, size, FADT_PM_TMR, FADT_X_PM_TMR);
    out->gpe[0] = read_gpe(table, size, FADT_GPE0, FADT_X_GPE0, FADT_GPE0_LEN);
    out->gpe[1] = read_gpe(table, size, FADT_GPE1, FADT_X_GPE1, FADT_GPE1_LEN);
}

static uint8_t read_century(const void *table, size_t size)
{
    uint8_t reg = (uint8_t)acpi_field(table, size, FADT_CENTURY, 1);

    return reg >= CENTURY_MIN && reg <= CENTURY_MAX ? reg : 0;
}

int acpi_parse_fadt(const void *table, size_t size, struct acpi_fadt *out)
{
    const struct acpi_header *h = table;
    uint64_t flags, arch;

    if (!acpi_table_ok(table, size, "FACP") || h->length < FADT_SIZE_MIN)
        return -EINVAL;
    size = h->length;
    flags = acpi_field(table, size, FADT_FLAGS, 4);
    arch = h->revision < REVISION_BOOT_ARCH
               ? BOOT_ARCH_8042
               : acpi_field(table, size, FADT_BOOT_ARCH, 2);
    *out = (struct acpi_fadt){
        .dsdt = acpi_field(table, size, FADT_X_DSDT, 8),
        .hardware_reduced = h->revision >= REVISION_REDUCED &&
                            flags & FLAG_HW_REDUCED,
        .pm_timer_32bit = flags & FLAG_TMR_VAL_EXT,
        .has_i8042 = arch & BOOT_ARCH_8042,
        .has_rtc = !(arch & BOOT_ARCH_NO_RTC),
        .rtc_century = read_century(table, size),
    };
    if (!out->dsdt)
        out->dsdt = acpi_field(table, size, FADT_DSDT, 4);
    if (!out->hardware_reduced)
        read_fixed(table, size, out);
    out->fixed_power_button = out->pm1a_event && !(flags & FLAG_PWR_BUTTON);
    read_reset(table, size, flags, out);
    return 0;
}

int acpi_parse_hpet(const void *table, size_t size, phys_t *base)
{
    struct acpi_address a;

    if (!acpi_table_ok(table, size, "HPET"))
        return -EINVAL;
    a = read_gas(table, ((const struct acpi_header *)table)->length,
                 HPET_ADDRESS);
    if (a.space != ACPI_SPACE_MEMORY || !a.address ||
        a.address % HPET_ALIGNMENT || a.address >= ADDRESS_LIMIT)
        return -ENODEV;
    *base = a.address;
    return 0;
}
