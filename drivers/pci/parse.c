/* Headers, BARs and the two message capabilities. Pure; any context. */
#include <errno.h>
#include <string.h>

#include "pci_parse.h"

/* PCI 3.0 6.2.5.1. */
#define BAR_IO          0x1u
#define BAR_IO_MASK     0xfffffffcu
#define BAR_TYPE        0x6u
#define BAR_TYPE_64     0x4u
#define BAR_PREFETCH    0x8u
#define BAR_MEMORY_MASK 0xfffffff0u
#define BAR_IO_SPACE    0x10000u

/* PCI 3.0 6.8.1.3, 6.8.2.3 to 6.8.2.5. */
#define MSI_CONTROL_64       0x0080u
#define MSI_CONTROL_MASKABLE 0x0100u
#define MSI_SIZE_32          0x0a
#define MSI_SIZE_64          0x0e
#define MSI_SIZE_MASK        0x18 /* with mask and pending bits, 64 bit */
#define MSIX_SIZE            0x0c
#define MSIX_CONTROL_COUNT   0x07ffu
#define MSIX_TABLE           0x04
#define MSIX_BIR             0x7u
#define MSIX_ENTRY           16

uint32_t pci_space_read(const struct pci_space *s, uint16_t offset,
                        unsigned width)
{
    uint32_t all = width == 4 ? UINT32_MAX : (1u << 8 * width) - 1;

    if (offset % width || offset + width > s->size)
        return all;
    return s->read(s, offset & (uint16_t)~3u) >> 8 * (offset & 3) & all;
}

int pci_parse_header(const struct pci_space *s, struct pci_device *out)
{
    uint32_t id = pci_space_read(s, PCI_VENDOR, 4);
    uint32_t class = pci_space_read(s, PCI_REVISION, 4);
    uint32_t sub;

    /* All ones: nothing there; zeros: some bridges' way to say so. */
    if ((id & 0xffff) == 0xffff || id == 0)
        return -ENODEV;
    out->vendor = (uint16_t)id;
    out->device = (uint16_t)(id >> 16);
    out->class_code = class >> 8;
    out->revision = (uint8_t) class;
    out->header_type = (uint8_t)pci_space_read(s, PCI_HEADER_TYPE, 1) &
                       (uint8_t)~PCI_HEADER_MULTI;
    out->irq_line = (uint8_t)pci_space_read(s, PCI_IRQ_LINE, 1);
    out->irq_pin = (uint8_t)pci_space_read(s, PCI_IRQ_PIN, 1);
    if (out->irq_pin > 4)
        out->irq_pin = 0;
    if (out->header_type == PCI_HEADER_DEVICE) {
        sub = pci_space_read(s, PCI_SUBSYSTEM, 4);
        out->subsystem_vendor = (uint16_t)sub;
        out->subsystem = (uint16_t)(sub >> 16);
    }
    return 0;
}

unsigned pci_bar_count(uint8_t header_type)
{
    if (header_type == PCI_HEADER_DEVICE)
        return PCI_BARS;
    return header_type == PCI_HEADER_BRIDGE ? 2 : 0;
}

/* The lowest bit that can be set is the size; whatever lies above it must be
 * settable too, or else it is no BAR. */
static uint64_t size_of_mask(uint64_t mask, uint64_t top)
{
    uint64_t size = mask & (~mask + 1);

    return size && (mask | (size - 1)) == top ? size : 0;
}

static void parse_io(uint32_t value, uint32_t mask, struct pci_bar *out)
{
    /* The upper half need not be there (6.2.5.1). */
    uint64_t settable = (mask & BAR_IO_MASK) | 0xffff0000u;

    out->kind = PCI_BAR_IO;
    out->base = value & BAR_IO_MASK;
    out->size = size_of_mask(settable, UINT32_MAX);
    if (!(mask & BAR_IO_MASK) || out->size > BAR_IO_SPACE ||
        out->base + out->size > BAR_IO_SPACE)
        out->base = 0;
}

static void parse_memory(uint64_t value, uint64_t mask, struct pci_bar *out)
{
    uint64_t low = BAR_MEMORY_MASK, top = UINT32_MAX;

    if (out->wide) {
        low |= UINT64_C(0xffffffff) << 32;
        top = UINT64_MAX;
    }
    out->kind = PCI_BAR_MEMORY;
    out->base = value & low;
    out->size = size_of_mask(mask & low, top);
}

unsigned pci_parse_bar(uint32_t value, uint32_t high, uint32_t mask,
                       uint32_t high_mask, bool has_next, struct pci_bar *out)
{
    unsigned taken = 1;

    memset(out, 0, sizeof(*out));
    if (mask == 0 || mask == UINT32_MAX)
        return 1; /* not implemented; nothing behind it */
    if (mask & BAR_IO) {
        parse_io(value, mask, out);
    } else {
        out->prefetchable = mask & BAR_PREFETCH;
        out->wide = (mask & BAR_TYPE) == BAR_TYPE_64 && has_next;
        if (out->wide) {
            taken = 2;
            parse_memory((uint64_t)high << 32 | value,
                         (uint64_t)high_mask << 32 | mask, out);
        } else {
            parse_memory(value, mask, out);
        }
    }
    if (!out->size)
        memset(out, 0, sizeof(*out));
    return taken;
}

int pci_parse_msi(const struct pci_space *s, struct pci_msi *out)
{
    uint16_t at = pci_walk_capabilities(s, PCI_CAP_MSI, 0);
    uint32_t control;
    unsigned size;

    if (!at)
        return -ENODEV;
    control = pci_space_read(s, (uint16_t)(at + 2), 2);
    out->capability = at;
    out->wide = control & MSI_CONTROL_64;
    out->maskable = control & MSI_CONTROL_MASKABLE;
    size = out->wide ? MSI_SIZE_64 : MSI_SIZE_32;
    if (out->maskable)
        size = MSI_SIZE_MASK;
    return at + size <= PCI_CONFIG_SIZE ? 0 : -EINVAL;
}

int pci_parse_msix(const struct pci_space *s, const struct pci_bar *bars,
                   struct pci_msix *out)
{
    uint16_t at = pci_walk_capabilities(s, PCI_CAP_MSIX, 0);
    const struct pci_bar *bar;
    uint32_t table;

    if (!at)
        return -ENODEV;
    if (at + MSIX_SIZE > PCI_CONFIG_SIZE)
        return -EINVAL;
    table = pci_space_read(s, (uint16_t)(at + MSIX_TABLE), 4);
    out->capability = at;
    out->vectors = (pci_space_read(s, (uint16_t)(at + 2), 2) &
                    MSIX_CONTROL_COUNT) +
                   1;
    out->bar = table & MSIX_BIR;
    out->offset = table & ~MSIX_BIR;
    if (out->bar >= PCI_BARS)
        return -EINVAL;
    bar = &bars[out->bar];
    if (bar->kind != PCI_BAR_MEMORY || out->offset > bar->size ||
        out->vectors * MSIX_ENTRY > bar->size - out->offset)
        return -EINVAL;
    return 0;
}
