/*
 * What a configuration space says: pure functions over a reader, built for the
 * host tests too. Whatever the device answers, every walk ends and every number
 * that comes out is in bounds.
 */
#ifndef DRIVERS_PCI_PARSE_H
#define DRIVERS_PCI_PARSE_H

#include <rayos/pci.h>

/* PCI 3.0 6.1, PCI-to-PCI Bridge Architecture 1.2 3.2. */
#define PCI_VENDOR              0x00
#define PCI_DEVICE              0x02
#define PCI_COMMAND             0x04
#define PCI_STATUS              0x06
#define PCI_REVISION            0x08 /* class code above it */
#define PCI_HEADER_TYPE         0x0e
#define PCI_BAR0                0x10
#define PCI_PRIMARY_BUS         0x18
#define PCI_SECONDARY_BUS       0x19
#define PCI_SUBORDINATE_BUS     0x1a
#define PCI_IO_BASE             0x1c
#define PCI_IO_LIMIT            0x1d
#define PCI_MEMORY_BASE         0x20
#define PCI_MEMORY_LIMIT        0x22
#define PCI_PREFETCH_BASE       0x24
#define PCI_PREFETCH_LIMIT      0x26
#define PCI_PREFETCH_BASE_HIGH  0x28
#define PCI_PREFETCH_LIMIT_HIGH 0x2c
#define PCI_SUBSYSTEM           0x2c /* vendor, then id */
#define PCI_CAPABILITIES        0x34
#define PCI_IRQ_LINE            0x3c
#define PCI_IRQ_PIN             0x3d

#define PCI_COMMAND_IO          0x0001
#define PCI_COMMAND_MEMORY      0x0002
#define PCI_COMMAND_MASTER      0x0004
#define PCI_COMMAND_INTX_OFF    0x0400
#define PCI_STATUS_CAPABILITIES 0x0010

#define PCI_HEADER_DEVICE 0
#define PCI_HEADER_BRIDGE 1
#define PCI_HEADER_MULTI  0x80

#define PCI_CAP_MSI  0x05
#define PCI_CAP_MSIX 0x11

#define PCI_CONFIG_SIZE 256
#define PCI_ECAM_SIZE   4096

struct pci_space {
    /* Aligned; past `size` nobody asks. */
    uint32_t (*read)(const struct pci_space *s, uint16_t offset);
    uint16_t size; /* bytes that can be reached */
    const void *arg;
};

uint32_t pci_space_read(const struct pci_space *s, uint16_t offset,
                        unsigned width);

/* Identity, class, header type, subsystem, interrupt pin. -ENODEV: nobody
 * answers. */
int pci_parse_header(const struct pci_space *s, struct pci_device *out);
/* How many BARs a header of that type has. */
unsigned pci_bar_count(uint8_t header_type);
/*
 * What a BAR is: its value and what it reads after all ones have been written;
 * `high` values are the next BAR's. Returns how many BARs it takes, 1 or 2.
 */
unsigned pci_parse_bar(uint32_t value, uint32_t high, uint32_t mask,
                       uint32_t high_mask, bool has_next, struct pci_bar *out);
uint16_t pci_walk_capabilities(const struct pci_space *s, uint8_t id,
                               unsigned n);

struct pci_msix {
    uint16_t capability;
    unsigned vectors;
    unsigned bar;
    uint64_t offset; /* of the table in that BAR */
};
/* -ENODEV: no MSI-X; -EINVAL: the table does not lie inside a memory BAR. */
int pci_parse_msix(const struct pci_space *s, const struct pci_bar *bars,
                   struct pci_msix *out);

struct pci_msi {
    uint16_t capability;
    bool wide; /* 64-bit address */
    bool maskable;
};
int pci_parse_msi(const struct pci_space *s, struct pci_msi *out);

#endif
