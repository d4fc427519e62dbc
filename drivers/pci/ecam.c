/*
 * Memory-mapped configuration space (PCI Express Base 4.0 7.2.2), where ACPI
 * tells of one that can be believed: it lies in no memory and, as far as the
 * ports reach, says the same as they do. A bus is mapped when something is
 * looked for there. Thread context, at start.
 */
#include <rayos/acpi.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "pci_internal.h"

#define BUS_SHIFT      20
#define BUS_SIZE       (UINT64_C(1) << BUS_SHIFT)
#define SLOT_SHIFT     15
#define FUNCTION_SHIFT 12
#define BUSES          256
#define SLOTS          32

struct ecam_window {
    const struct acpi_ecam *ecam; /* NULL: not to be used */
    uint8_t *bus[BUSES];          /* mapped; NULL: not yet */
};

static struct ecam_window *windows[ACPI_MAX_ECAMS];

static uint8_t *map_bus(struct ecam_window *w, uint8_t bus)
{
    if (!w->bus[bus])
        w->bus[bus] = kspace_map_phys(w->ecam->base + bus * BUS_SIZE, BUS_SIZE,
                                      KSPACE_RW, CACHE_UC);
    return w->bus[bus];
}

uint8_t *pci_ecam_of(uint16_t segment, uint8_t bus, uint8_t slot, uint8_t f)
{
    for (unsigned i = 0; i < ACPI_MAX_ECAMS; i++) {
        struct ecam_window *w = windows[i];
        uint8_t *va;

        if (!w || w->ecam->segment != segment || bus < w->ecam->first_bus ||
            bus > w->ecam->last_bus)
            continue;
        va = map_bus(w, bus);
        return va ? va + ((unsigned)slot << SLOT_SHIFT | (unsigned)f
                                                             << FUNCTION_SHIFT)
                  : NULL;
    }
    return NULL;
}

/* Both ways must show the same functions on the first bus. */
static bool agrees_with_ports(const struct acpi_ecam *e)
{
    unsigned seen = 0;

    for (uint8_t slot = 0; slot < SLOTS; slot++) {
        struct pci_device p = {.bus = e->first_bus, .slot = slot};
        uint32_t by_port = pci_read32(&p, PCI_VENDOR);

        p.ecam = pci_ecam_of(0, e->first_bus, slot, 0);
        if (!p.ecam || pci_read32(&p, PCI_VENDOR) != by_port)
            return false;
        seen += by_port != UINT32_MAX;
    }
    return seen;
}

static void window_drop(unsigned i)
{
    for (unsigned bus = 0; bus < BUSES; bus++)
        if (windows[i]->bus[bus])
            kspace_unmap_phys(windows[i]->bus[bus]);
    kfree(windows[i]);
    windows[i] = NULL;
}

static void window_add(unsigned i, const struct acpi_ecam *e)
{
    uint64_t first = e->base + e->first_bus * BUS_SIZE;
    uint64_t size = (e->last_bus - e->first_bus + 1u) * BUS_SIZE;

    if (pci_in_memory(first, size)) {
        log_warn("pci", "the MCFG table points into memory (%#lx): not used",
                 e->base);
        return;
    }
    windows[i] = kzalloc(sizeof(*windows[i]));
    if (!windows[i])
        return;
    windows[i]->ecam = e;
    if (e->segment == 0 && !agrees_with_ports(e)) {
        log_warn("pci",
                 "configuration space at %#lx and by ports differ: "
                 "ports are used",
                 e->base);
        window_drop(i);
        return;
    }
    log_info("pci", "segment %u, buses %u to %u at %#lx", e->segment,
             e->first_bus, e->last_bus, e->base);
}

void pci_ecam_init(void)
{
    const struct acpi_info *acpi = acpi_info();

    for (unsigned i = 0; i < acpi->ecam_count; i++)
        window_add(i, &acpi->ecam[i]);
}
