/*
 * PCI (PCI Local Bus 3.0, PCI Express Base 4.0 chapter 7): configuration space,
 * BARs, capabilities, interrupts. Thread context unless said. The bus finds its
 * devices in the unit `pci`.
 */
#ifndef RAYOS_PCI_H
#define RAYOS_PCI_H

#include <rayos/device.h>
#include <rayos/irq.h>

#define PCI_BARS     6
#define PCI_MSIX_MAX 64 /* vectors that we use of a device at most */

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEMORY };

struct pci_bar {
    enum pci_bar_kind kind;
    bool wide, prefetchable; /* 64 bit */
    bool usable;             /* has an address that its bridges pass on */
    uint64_t base, size;
};

struct pci_irq; /* interrupt state of a device, drivers/pci/pci_irq.c */

struct pci_device {
    struct device dev;
    uint16_t segment;
    uint8_t bus, slot, function;
    uint8_t header_type; /* without the multi-function bit */
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class_code; /* class << 16 | subclass << 8 | interface */
    uint8_t revision;
    uint8_t irq_pin, irq_line; /* pin 0: none; line: what firmware routed */
    uint8_t secondary_bus;     /* of a bridge */
    struct pci_bar bar[PCI_BARS];
    struct pci_irq *irq; /* NULL: no interrupts requested */
    uint8_t *ecam;       /* its configuration space, or NULL: by ports */
};

static inline struct pci_device *pci_device_of(struct device *d)
{
    return container_of(d, struct pci_device, dev);
}

extern const struct bus pci_bus;

#define PCI_ANY UINT32_MAX

/* All members must match; PCI_ANY matches everything; the table ends with an
 * entry of zeros. */
struct pci_id {
    uint32_t vendor, device;
    uint32_t class_code, class_mask; /* mask 0: any */
};

/* Offsets are bytes and must be aligned to the access; those past the end of
 * the reachable space read all ones and write nothing. Any context. */
uint8_t pci_read8(const struct pci_device *p, uint16_t offset);
uint16_t pci_read16(const struct pci_device *p, uint16_t offset);
uint32_t pci_read32(const struct pci_device *p, uint16_t offset);
void pci_write8(struct pci_device *p, uint16_t offset, uint8_t v);
void pci_write16(struct pci_device *p, uint16_t offset, uint16_t v);
void pci_write32(struct pci_device *p, uint16_t offset, uint32_t v);

/* Offset of the n-th capability with this id (PCI 3.0 6.7), 0: none. Loops and
 * pointers that lead astray end the list. */
uint16_t pci_find_capability(const struct pci_device *p, uint8_t id,
                             unsigned n);

#define PCI_ENABLE_IO     1u
#define PCI_ENABLE_MEMORY 2u
#define PCI_ENABLE_MASTER 4u
void pci_enable(struct pci_device *p, unsigned what);
void pci_disable(struct pci_device *p, unsigned what);

/* Map `size` bytes at `offset` of a memory BAR (size 0: all of it), uncached.
 * NULL with a log line that says why. Undo with pci_unmap_bar. */
void *pci_map_bar(struct pci_device *p, unsigned bar, uint64_t offset,
                  uint64_t size);
void pci_unmap_bar(void *va);

/* Look for functions that were not there before (hot-plugged); they join the
 * tree, which binds drivers. How many. */
unsigned pci_rescan(void);

enum pci_irq_kind { PCI_IRQ_MSIX, PCI_IRQ_MSI, PCI_IRQ_INTX };

/* An INTx line is shared: the handler says whether its device had asked. For
 * MSI and MSI-X the answer is not looked at. Interrupt context. */
typedef bool (*pci_handler_t)(void *arg);

/*
 * Up to `count` interrupts, by MSI-X, else MSI (one), else INTx (one); `kinds`
 * is a mask of 1 << enum pci_irq_kind that may be used. Returns how many there
 * are, or -ENODEV, -ENOSPC, -ENOMEM. Then each is given a handler, masked until
 * then. The command line's `pci.irq=msi` or `pci.irq=intx` takes the better
 * kinds away.
 */
int pci_irq_alloc(struct pci_device *p, unsigned count, unsigned kinds);
/* `cpu`: where MSI and MSI-X go to, CPU_ANY: spread. */
int pci_irq_set(struct pci_device *p, unsigned index, const char *name,
                uint32_t cpu, pci_handler_t handler, void *arg);
enum pci_irq_kind pci_irq_kind(const struct pci_device *p);
void pci_irq_mask(struct pci_device *p, unsigned index, bool masked);
/* On return no handler runs any more. */
void pci_irq_free(struct pci_device *p);

#endif
