/*
 * Power management of Intel's PIIX4 (82371AB data sheet 7.1), on machines whose
 * firmware gives no ACPI tables, as Bochs' does. UEFI firmware for it (OVMF)
 * takes "I/O space enabled" as a sign that it has set the base address already.
 * A reset may clear the base and leave that bit, and then the firmware waits
 * for ever for a timer that is nowhere. So the bit is cleared while we run: we
 * use none of these ports, and nobody else may without tables. Thread context.
 */
#include <errno.h>

#include <rayos/acpi.h>
#include <rayos/pci.h>

#define PIIX4_PMREGMISC     0x80 /* 7.1.24 */
#define PMREGMISC_IO_ENABLE 0x01u

static int piix4_power_probe(struct device *d)
{
    struct pci_device *p = pci_device_of(d);
    uint8_t misc = pci_read8(p, PIIX4_PMREGMISC);

    if (acpi_info()->present)
        return -ENODEV;
    pci_write8(p, PIIX4_PMREGMISC, misc & ~PMREGMISC_IO_ENABLE);
    return 0;
}

static void piix4_power_remove(struct device *d)
{
    (void)d;
}

static const struct pci_id ids[] = {
    {.vendor = 0x8086, .device = 0x7113, .class_code = PCI_ANY},
    {0},
};

DRIVER(piix4_power, .bus = &pci_bus, .ids = ids, .probe = piix4_power_probe,
       .remove = piix4_power_remove);
