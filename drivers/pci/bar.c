/* BARs: sizes and mappings. Thread context. */
#include <rayos/log.h>
#include <rayos/mm.h>

#include "pci_internal.h"

#define DECODERS (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)

static uint16_t bar_offset(unsigned i)
{
    return (uint16_t)(PCI_BAR0 + 4 * i);
}

/* What it reads after all ones were written. */
static uint32_t bar_mask(struct pci_device *p, unsigned i, uint32_t value)
{
    uint32_t mask;

    pci_write32(p, bar_offset(i), UINT32_MAX);
    mask = pci_read32(p, bar_offset(i));
    pci_write32(p, bar_offset(i), value);
    return mask;
}

void pci_size_bars(struct pci_device *p)
{
    uint16_t command = pci_read16(p, PCI_COMMAND);
    unsigned n = pci_bar_count(p->header_type), taken;

    pci_write16(p, PCI_COMMAND, command & (uint16_t)~DECODERS);
    for (unsigned i = 0; i < n; i += taken) {
        bool has_next = i + 1 < n;
        uint32_t value = pci_read32(p, bar_offset(i));
        uint32_t high = has_next ? pci_read32(p, bar_offset(i + 1)) : 0;
        uint32_t mask = bar_mask(p, i, value);
        uint32_t high_mask = has_next ? bar_mask(p, i + 1, high) : 0;

        taken = pci_parse_bar(value, high, mask, high_mask, has_next,
                              &p->bar[i]);
    }
    pci_write16(p, PCI_COMMAND, command);
}

void pci_write_bar(struct pci_device *p, unsigned i)
{
    uint16_t command = pci_read16(p, PCI_COMMAND);
    uint64_t base = p->bar[i].base;

    pci_write16(p, PCI_COMMAND, command & (uint16_t)~DECODERS);
    pci_write32(p, bar_offset(i), (uint32_t)base);
    if (p->bar[i].wide)
        pci_write32(p, bar_offset(i + 1), (uint32_t)(base >> 32));
    pci_write16(p, PCI_COMMAND, command);
}

void *pci_map_bar(struct pci_device *p, unsigned bar, uint64_t offset,
                  uint64_t size)
{
    const struct pci_bar *b = &p->bar[bar < PCI_BARS ? bar : 0];
    void *va;

    if (bar >= PCI_BARS || b->kind != PCI_BAR_MEMORY || !b->usable) {
        log_warn("pci", "%s: BAR %u is no usable memory", p->dev.name, bar);
        return NULL;
    }
    if (!size && offset < b->size)
        size = b->size - offset;
    if (!size || offset > b->size || size > b->size - offset) {
        log_warn("pci", "%s: %#lx bytes at %#lx are not inside BAR %u",
                 p->dev.name, size, offset, bar);
        return NULL;
    }
    va = kspace_map_phys(b->base + offset, size, KSPACE_RW, CACHE_UC);
    if (!va)
        log_warn("pci", "%s: BAR %u cannot be mapped", p->dev.name, bar);
    return va;
}

void pci_unmap_bar(void *va)
{
    kspace_unmap_phys(va);
}
