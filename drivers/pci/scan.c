/*
 * Enumeration: every function of every bus that can be reached from a root bus
 * over bridges, each bus once. Functions are gathered first; then their BARs
 * are judged and moved, all of them known; then they go into the tree, which
 * may bind drivers. Thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/acpi.h>
#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/sync.h>
#include <rayos/unit.h>

#include "pci_internal.h"

#define SLOTS            32
#define FUNCTIONS        8
#define BUSES            256
#define CLASS_BRIDGE_PCI 0x0604u

/* lock: scanning, all of it. */
struct scan {
    uint16_t segment;
    uint32_t seen[BUSES / 32]; /* buses */
    unsigned last_bus;         /* the highest number that a bridge has */
    struct list fresh;         /* by dev.all: not in the tree yet */
};

static struct mutex scanning = MUTEX_INIT(scanning);

static void scan_bus(struct scan *s, uint8_t bus, struct pci_device *bridge);

static bool bus_take(struct scan *s, uint8_t bus)
{
    uint32_t bit = 1u << bus % 32;

    if (s->seen[bus / 32] & bit)
        return false;
    s->seen[bus / 32] |= bit;
    return true;
}

static void bus_count(struct scan *s, unsigned bus)
{
    if (bus > s->last_bus)
        s->last_bus = bus;
}

/* --- one function --- */

static void name_write(struct pci_device *p)
{
    char segment[8] = "";

    if (p->segment)
        fmt_snprintf(segment, sizeof(segment), "%04x:", p->segment);
    fmt_snprintf(p->dev.name, sizeof(p->dev.name), "pci:%s%02x:%02x.%u",
                 segment, p->bus, p->slot, p->function);
}

/* Where somebody answers: a device for the tree. NULL. */
static struct pci_device *function_find(const struct scan *s, uint8_t bus,
                                        uint8_t slot, uint8_t f)
{
    struct pci_device probe = {
        .segment = s->segment,
        .bus = bus,
        .slot = slot,
        .function = f,
        .ecam = pci_ecam_of(s->segment, bus, slot, f),
    };
    struct pci_space space = pci_space_of(&probe);
    struct pci_device *p;

    if (pci_parse_header(&space, &probe))
        return NULL;
    p = kalloc(sizeof(*p));
    if (!p)
        return NULL;
    *p = probe;
    p->dev.bus = &pci_bus;
    name_write(p);
    return p;
}

static bool is_bridge(const struct pci_device *p)
{
    return p->header_type == PCI_HEADER_BRIDGE &&
           p->class_code >> 8 == CLASS_BRIDGE_PCI;
}

static void function_found(struct scan *s, struct pci_device *p,
                           struct pci_device *bridge)
{
    p->dev.parent = bridge ? &bridge->dev : NULL;
    list_push_back(&s->fresh, &p->dev.all);
    pci_size_bars(p);
    /* Nobody would answer; what shares its line must not suffer for it. */
    if (p->header_type == PCI_HEADER_DEVICE)
        pci_intx_enable(p, false);
    if (!is_bridge(p))
        return;
    p->secondary_bus = pci_read8(p, PCI_SECONDARY_BUS);
    if (p->secondary_bus <= p->bus)
        p->secondary_bus = 0; /* none yet, or one that leads back */
    if (!p->secondary_bus)
        return;
    bus_count(s, pci_read8(p, PCI_SUBORDINATE_BUS));
    scan_bus(s, p->secondary_bus, p);
}

/* What a function that is in the tree already leads to. */
static void function_again(struct scan *s, struct pci_device *p)
{
    if (!p->secondary_bus)
        return;
    bus_count(s, pci_read8(p, PCI_SUBORDINATE_BUS));
    scan_bus(s, p->secondary_bus, p);
}

static int take_pointer(struct device *d, void *arg)
{
    *(struct pci_device **)arg = pci_device_of(d);
    return 0;
}

static void scan_function(struct scan *s, uint8_t bus, uint8_t slot, uint8_t f,
                          struct pci_device *bridge)
{
    struct pci_device *old, *p = function_find(s, bus, slot, f);

    if (!p)
        return;
    if (device_with(p->dev.name, take_pointer, &old)) {
        function_found(s, p, bridge);
    } else {
        kfree(p);
        function_again(s, old);
    }
}

static void scan_slot(struct scan *s, uint8_t bus, uint8_t slot,
                      struct pci_device *bridge)
{
    struct pci_device first = {
        .segment = s->segment,
        .bus = bus,
        .slot = slot,
        .ecam = pci_ecam_of(s->segment, bus, slot, 0),
    };
    uint8_t header = pci_read8(&first, PCI_HEADER_TYPE);

    if (pci_read16(&first, PCI_VENDOR) == UINT16_MAX)
        return;
    for (uint8_t f = 0; f < (header & PCI_HEADER_MULTI ? FUNCTIONS : 1); f++)
        scan_function(s, bus, slot, f, bridge);
}

/* Nesting ends since each bus is scanned once. */
static void scan_bus(struct scan *s, uint8_t bus, struct pci_device *bridge)
{
    if (!bus_take(s, bus))
        return;
    bus_count(s, bus);
    for (uint8_t slot = 0; slot < SLOTS; slot++)
        scan_slot(s, bus, slot, bridge);
}

/* --- bridges that the firmware gave no bus --- */

static void bridges_number(struct scan *s, struct list *from);

/* The highest number that may lie behind the bridge's own bus. */
static unsigned bus_limit(const struct pci_device *bridge)
{
    const struct device *d = bridge->dev.parent;

    return d ? pci_read8(container_of(d, const struct pci_device, dev),
                         PCI_SUBORDINATE_BUS)
             : BUSES - 1;
}

/* All that is left goes to it while its own bridges are numbered, then it keeps
 * what was used. */
static void bridge_number(struct scan *s, struct pci_device *p)
{
    unsigned limit = bus_limit(p);
    struct list *last = s->fresh.prev;

    if (s->last_bus >= limit) {
        log_warn("pci", "%s: no bus number is left for it", p->dev.name);
        return;
    }
    p->secondary_bus = (uint8_t)(s->last_bus + 1);
    pci_write8(p, PCI_PRIMARY_BUS, p->bus);
    pci_write8(p, PCI_SECONDARY_BUS, p->secondary_bus);
    pci_write8(p, PCI_SUBORDINATE_BUS, (uint8_t)limit);
    scan_bus(s, p->secondary_bus, p);
    bridges_number(s, last->next);
    pci_write8(p, PCI_SUBORDINATE_BUS, (uint8_t)s->last_bus);
    log_info("pci", "%s: bus %u given", p->dev.name, p->secondary_bus);
}

/* Those in the list from `from` on. */
static void bridges_number(struct scan *s, struct list *from)
{
    for (struct list *n = from; n != &s->fresh; n = n->next) {
        struct pci_device *p = container_of(n, struct pci_device, dev.all);

        if (is_bridge(p) && !p->secondary_bus)
            bridge_number(s, p);
    }
}

/* --- all of it --- */

static unsigned fresh_add(struct scan *s)
{
    struct list *n;
    unsigned added = 0;

    list_for_each (at, &s->fresh)
        pci_claim_bars(container_of(at, struct pci_device, dev.all));
    list_for_each (at, &s->fresh)
        pci_assign_bars(container_of(at, struct pci_device, dev.all));
    while ((n = list_pop_front(&s->fresh))) {
        struct pci_device *p = container_of(n, struct pci_device, dev.all);
        int err = device_add(&p->dev);

        added += !err;
        if (err) { /* its name was free a moment ago, under our lock */
            log_error("pci", "%s: error %d", p->dev.name, err);
            kfree(p);
        }
    }
    return added;
}

static unsigned scan_segment(uint16_t segment, uint8_t root)
{
    struct scan s = {.segment = segment};

    list_init(&s.fresh);
    scan_bus(&s, root, NULL);
    bridges_number(&s, s.fresh.next);
    return fresh_add(&s);
}

unsigned pci_rescan(void)
{
    const struct acpi_info *acpi = acpi_info();
    unsigned added;

    mutex_lock(&scanning);
    added = scan_segment(0, 0);
    for (unsigned i = 0; i < acpi->ecam_count; i++)
        if (acpi->ecam[i].segment)
            added += scan_segment(acpi->ecam[i].segment,
                                  acpi->ecam[i].first_bus);
    mutex_unlock(&scanning);
    return added;
}

static int pci_start(void)
{
    unsigned found;

    pci_assign_init();
    pci_ecam_init();
    found = pci_rescan();
    log_info("pci", "%u functions", found);
    return found ? 0 : -ENODEV;
}

UNIT(pci, .start = pci_start);
