/*
 * Power off by S5 and reset by the reset register. Everything is looked up at
 * boot, so that both work in any context. ACPI 6.4, 4.8.3.2, 4.8.3.6, 16.1.
 */
#include <errno.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "acpi_power.h"

/* PM1 control register, table 4.13. */
#define PM1_SCI_EN       (1u << 0)
#define PM1_SLP_TYP(t)   ((uint32_t)(t) << 10)
#define PM1_SLP_TYP_MASK (7u << 10)
#define PM1_SLP_EN       (1u << 13)

#define ENABLE_WAIT_MS 300
#define EFFECT_WAIT    (100 * NS_PER_MS) /* for hardware that takes its time */

/* PCI configuration mechanism 1, PCI 3.0 3.2.2.3.2. */
#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000u

static struct acpi_fadt fadt = {.reset = {.space = ACPI_SPACE_NONE}};
static struct acpi_s5 s5;
static bool s5_known, fadt_known;
static volatile uint8_t *reset_memory;

static bool s5_look(const struct acpi_header *h)
{
    return h && acpi_find_s5((const uint8_t *)(h + 1), h->length - sizeof(*h),
                             &s5) == 0;
}

void acpi_power_init(const struct acpi_fadt *from)
{
    const struct acpi_header *ssdt;

    fadt = *from;
    fadt_known = true;
    s5_known = s5_look(acpi_find("DSDT", 0));
    for (unsigned i = 0; !s5_known && (ssdt = acpi_find("SSDT", i)); i++)
        s5_known = s5_look(ssdt);
    if (fadt.reset.space == ACPI_SPACE_MEMORY)
        reset_memory = kspace_map_phys(fadt.reset.address, 1, KSPACE_RW,
                                       CACHE_UC);
    if (!s5_known || !fadt.pm1a_control)
        log_warn("acpi", "the tables do not tell how to power off");
}

const struct acpi_fadt *acpi_fadt(void)
{
    return fadt_known ? &fadt : NULL;
}

/* The PM1 registers answer in ACPI mode only. */
bool acpi_enter_mode(void)
{
    if (!fadt.pm1a_control)
        return false;
    if (arch_in16(fadt.pm1a_control) & PM1_SCI_EN)
        return true;
    if (!fadt.smi_command || !fadt.acpi_enable)
        return false;
    arch_out8(fadt.smi_command, fadt.acpi_enable);
    for (int i = 0; i < ENABLE_WAIT_MS; i++) {
        if (arch_in16(fadt.pm1a_control) & PM1_SCI_EN)
            return true;
        clock_delay(NS_PER_MS);
    }
    return false;
}

static void sleep_write(uint16_t port, uint8_t type)
{
    uint32_t value = arch_in16(port) & ~(PM1_SLP_TYP_MASK | PM1_SLP_EN);

    arch_out16(port, (uint16_t)(value | PM1_SLP_TYP(type) | PM1_SLP_EN));
}

int acpi_power_off(void)
{
    if (!s5_known || !fadt.pm1a_control)
        return -ENODEV;
    acpi_enter_mode(); /* if it does not, this is all that can be tried */
    sleep_write(fadt.pm1a_control, s5.type_a);
    if (fadt.pm1b_control)
        sleep_write(fadt.pm1b_control, s5.type_b);
    clock_delay(EFFECT_WAIT);
    return -EIO;
}

/* Address fields of a GAS in PCI space: device 47..32, function 31..16, offset
 * 15..0, on bus 0. */
static void reset_pci(void)
{
    uint32_t device = (uint32_t)(fadt.reset.address >> 32) & 0x1f;
    uint32_t function = (uint32_t)(fadt.reset.address >> 16) & 7;
    uint32_t offset = (uint32_t)fadt.reset.address & 0xff;

    arch_out32(PCI_ADDRESS,
               PCI_ENABLE | device << 11 | function << 8 | (offset & ~3u));
    arch_out8((uint16_t)(PCI_DATA + (offset & 3)), fadt.reset_value);
}

int acpi_reset(void)
{
    switch (fadt.reset.space) {
    case ACPI_SPACE_IO:
        arch_out8((uint16_t)fadt.reset.address, fadt.reset_value);
        break;
    case ACPI_SPACE_MEMORY:
        if (!reset_memory)
            return -ENODEV;
        *reset_memory = fadt.reset_value;
        break;
    case ACPI_SPACE_PCI:
        reset_pci();
        break;
    default:
        return -ENODEV;
    }
    clock_delay(EFFECT_WAIT);
    return -EIO;
}
