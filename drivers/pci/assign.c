/*
 * Which BARs can be used where the firmware put them, and places for those
 * that cannot. What the board itself decodes is known from the memory map, the
 * ACPI tables and convention only, so new places are looked for below the I/O
 * APICs, where every PC has its devices. Thread context, tree lock or start.
 */
#include <arch/features.h>
#include <rayos/acpi.h>
#include <rayos/boot.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "pci_internal.h"
#include "window.h"

#define FOUR_GIB     (UINT64_C(1) << 32)
#define BOARD_FIRST  UINT64_C(0xfec00000) /* I/O APICs, HPET, flash ... */
#define CHIP_SIZE    UINT64_C(0x1000)
#define BUS_SHIFT    20
#define HIGH_BITS    39 /* AMD's HyperTransport lies just below 1 TiB */
#define LOWEST_PLACE UINT64_C(0x80000000)
#define IO_FIRST     0xc000u /* below are the board's own */
#define IO_LAST      0xfeffu
#define ISA_LAST     0xffu

static struct pci_ranges memory;        /* RAM, and what the firmware uses */
static struct pci_ranges claimed;       /* by BARs in memory space */
static struct pci_ranges claimed_ports; /* by BARs in I/O space */
static struct pci_ranges taken;         /* all that no new BAR may touch */
static struct pci_windows places;       /* on the root buses, for new BARs */

bool pci_in_memory(uint64_t base, uint64_t size)
{
    struct pci_range r = pci_range_of(base, size);

    return pci_ranges_touch(&memory, &r);
}

static void take(uint64_t base, uint64_t size)
{
    struct pci_range r = pci_range_of(base, size);

    pci_ranges_add(&taken, &r);
}

/* The firmware marks its own registers as reserved or MMIO. */
static bool region_is_memory(const struct boot_memory_region *r)
{
    return r->type != BOOT_MEM_RESERVED && r->type != BOOT_MEM_MMIO;
}

/* Ends of memory below and above 4 GiB. */
static void read_memory_map(uint64_t *low_end, uint64_t *high_end)
{
    const struct boot_info *info = boot_info_get();
    const struct boot_memory_region *map = phys_to_virt(info->memory_map);

    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        struct pci_range r = pci_range_of(map[i].base,
                                          map[i].pages * PAGE_SIZE);

        if (!map[i].pages)
            continue;
        pci_ranges_add(&taken, &r);
        if (!region_is_memory(&map[i]))
            continue;
        pci_ranges_add(&memory, &r);
        if (r.last < BOARD_FIRST && r.last >= *low_end)
            *low_end = r.last + 1;
        if (r.last >= *high_end)
            *high_end = r.last + 1;
    }
}

void pci_assign_init(void)
{
    const struct acpi_info *acpi = acpi_info();
    uint64_t low_end = LOWEST_PLACE, high_end = FOUR_GIB;
    uint32_t bits = arch_cpu_info()->phys_bits;

    read_memory_map(&low_end, &high_end);
    for (unsigned i = 0; i < acpi->ioapic_count; i++)
        take(acpi->ioapic[i].base, CHIP_SIZE);
    for (unsigned i = 0; i < acpi->ecam_count; i++)
        take(acpi->ecam[i].base +
                 ((uint64_t)acpi->ecam[i].first_bus << BUS_SHIFT),
             (acpi->ecam[i].last_bus - acpi->ecam[i].first_bus + UINT64_C(1))
                 << BUS_SHIFT);
    if (acpi->hpet_base)
        take(acpi->hpet_base, CHIP_SIZE);
    places = (struct pci_windows){
        .io = {IO_FIRST, IO_LAST},
        .memory = {low_end, BOARD_FIRST - 1},
        .prefetch = {high_end,
                     (UINT64_C(1) << (bits < HIGH_BITS ? bits : HIGH_BITS)) -
                         1},
    };
}

/* --- windows on the way to a device --- */

static const struct pci_windows everything = {
    .io = {ISA_LAST + 1, UINT16_MAX},
    .memory = {1, UINT64_MAX},
    .prefetch = {1, 0},
};

static void windows_of(const struct pci_device *p,
                       const struct pci_windows *root, struct pci_windows *out)
{
    *out = *root;
    for (struct device *d = p->dev.parent; d; d = d->parent) {
        struct pci_space s = pci_space_of(pci_device_of(d));
        struct pci_windows w;

        pci_parse_windows(&s, &w);
        /* The root has no prefetchable window of its own. */
        if (d == p->dev.parent)
            *out = w;
        else
            pci_windows_narrow(out, &w);
    }
}

/* --- claims --- */

static struct pci_ranges *claims_of(const struct pci_bar *b)
{
    return b->kind == PCI_BAR_IO ? &claimed_ports : &claimed;
}

static void bar_claim(struct pci_bar *b)
{
    struct pci_range r = pci_range_of(b->base, b->size);

    pci_ranges_add(claims_of(b), &r);
    if (b->kind == PCI_BAR_MEMORY)
        pci_ranges_add(&taken, &r);
    b->usable = true;
}

void pci_claim_bars(struct pci_device *p)
{
    struct pci_windows w;

    windows_of(p, &everything, &w);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar *b = &p->bar[i];
        struct pci_range r = pci_range_of(b->base, b->size);

        b->usable = false;
        if (b->kind == PCI_BAR_NONE || !pci_windows_pass(&w, b) ||
            pci_ranges_touch(claims_of(b), &r) ||
            (b->kind == PCI_BAR_MEMORY && pci_ranges_touch(&memory, &r)))
            continue;
        bar_claim(b);
    }
}

static void bar_move(struct pci_device *p, unsigned i, uint64_t base)
{
    struct pci_bar *b = &p->bar[i];

    log_info("pci", "%s: BAR %u from %#lx to %#lx", p->dev.name, i, b->base,
             base);
    b->base = base;
    pci_write_bar(p, i);
    bar_claim(b);
}

void pci_assign_bars(struct pci_device *p)
{
    struct pci_windows w;
    uint64_t base;

    windows_of(p, &places, &w);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *b = &p->bar[i];

        if (b->kind == PCI_BAR_NONE || b->usable)
            continue;
        if (pci_place_bar(b->kind == PCI_BAR_IO ? &claimed_ports : &taken, &w,
                          b, &base))
            bar_move(p, i, base);
        else
            log_warn("pci", "%s: no place for BAR %u, %#lx bytes", p->dev.name,
                     i, b->size);
    }
}
