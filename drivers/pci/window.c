/* Ranges of addresses, the windows of bridges (PCI-to-PCI Bridge Architecture
 * 1.2, 3.2.5), and places for BARs. Pure; any context. */
#include "window.h"

#include <string.h>

#define IO_UNIT_MASK     0xf0u
#define IO_WIDE          0x01u
#define IO_BASE_HIGH     0x30 /* and the limit's, 16 bits each */
#define MEMORY_UNIT_MASK 0xfff0u
#define PREFETCH_WIDE    0x0001u

/* Two small BARs on one page could not be mapped apart. */
#define PAGE_ALIGN 4096u

static const struct pci_range nothing = {.first = 1, .last = 0};

struct pci_range pci_range_of(uint64_t base, uint64_t size)
{
    struct pci_range r = {.first = base, .last = UINT64_MAX};

    if (size && base <= UINT64_MAX - (size - 1))
        r.last = base + (size - 1);
    return r;
}

bool pci_range_empty(const struct pci_range *r)
{
    return r->first > r->last;
}

bool pci_range_holds(const struct pci_range *outer,
                     const struct pci_range *inner)
{
    return outer->first <= inner->first && inner->last <= outer->last;
}

static bool range_touches(const struct pci_range *a, const struct pci_range *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Touches, or lies right beside it. */
static bool range_joins(const struct pci_range *a, const struct pci_range *b)
{
    return range_touches(a, b) ||
           (a->last != UINT64_MAX && a->last + 1 == b->first) ||
           (b->last != UINT64_MAX && b->last + 1 == a->first);
}

void pci_ranges_add(struct pci_ranges *s, const struct pci_range *r)
{
    struct pci_range all = *r;
    unsigned from = 0, to;

    if (pci_range_empty(r))
        return;
    while (from < s->count && s->r[from].last < r->first &&
           !range_joins(&s->r[from], r))
        from++;
    for (to = from; to < s->count && range_joins(&s->r[to], &all); to++) {
        if (s->r[to].first < all.first)
            all.first = s->r[to].first;
        if (s->r[to].last > all.last)
            all.last = s->r[to].last;
    }
    if (to == from && s->count == PCI_RANGES_MAX) {
        s->lost = true;
        return;
    }
    memmove(&s->r[from + 1], &s->r[to], (s->count - to) * sizeof(s->r[0]));
    s->r[from] = all;
    s->count = s->count - (to - from) + 1;
}

/* The first that touches `r`; count: none. */
static unsigned first_touching(const struct pci_ranges *s,
                               const struct pci_range *r)
{
    unsigned i = 0;

    while (i < s->count && !range_touches(&s->r[i], r))
        i++;
    return i;
}

bool pci_ranges_touch(const struct pci_ranges *s, const struct pci_range *r)
{
    return s->lost || first_touching(s, r) < s->count;
}

/* false: there is no such number. */
static bool align_up(uint64_t *at, uint64_t size)
{
    uint64_t up = (*at + (size - 1)) & ~(size - 1);

    if (up < *at)
        return false;
    *at = up;
    return true;
}

bool pci_ranges_find(const struct pci_ranges *taken,
                     const struct pci_range *where, uint64_t size,
                     uint64_t *base)
{
    uint64_t at = where->first;

    if (taken->lost || pci_range_empty(where))
        return false;
    for (;;) {
        struct pci_range place;
        unsigned i;

        if (!align_up(&at, size))
            return false;
        place = pci_range_of(at, size);
        if (place.last - place.first != size - 1 ||
            !pci_range_holds(where, &place))
            return false;
        i = first_touching(taken, &place);
        if (i == taken->count) {
            *base = at;
            return true;
        }
        if (taken->r[i].last == UINT64_MAX)
            return false;
        at = taken->r[i].last + 1;
    }
}

static struct pci_range io_window(const struct pci_space *s)
{
    uint32_t base = pci_space_read(s, PCI_IO_BASE, 1);
    uint32_t limit = pci_space_read(s, PCI_IO_LIMIT, 1);
    struct pci_range r = {
        .first = (base & IO_UNIT_MASK) << 8,
        .last = (limit & IO_UNIT_MASK) << 8 | 0xfff,
    };

    /* A CPU reaches 64 KiB of ports. */
    if (base & IO_WIDE && pci_space_read(s, IO_BASE_HIGH, 4) != 0)
        return nothing;
    return r.first ? r : nothing;
}

static struct pci_range memory_window(const struct pci_space *s)
{
    uint64_t base = pci_space_read(s, PCI_MEMORY_BASE, 2) & MEMORY_UNIT_MASK;
    uint64_t limit = pci_space_read(s, PCI_MEMORY_LIMIT, 2) & MEMORY_UNIT_MASK;
    struct pci_range r = {.first = base << 16, .last = limit << 16 | 0xfffff};

    return r.first ? r : nothing;
}

static struct pci_range prefetch_window(const struct pci_space *s)
{
    uint32_t base = pci_space_read(s, PCI_PREFETCH_BASE, 2);
    uint32_t limit = pci_space_read(s, PCI_PREFETCH_LIMIT, 2);
    struct pci_range r = {
        .first = (uint64_t)(base & MEMORY_UNIT_MASK) << 16,
        .last = (uint64_t)(limit & MEMORY_UNIT_MASK) << 16 | 0xfffff,
    };

    if (base & PREFETCH_WIDE) {
        r.first |= (uint64_t)pci_space_read(s, PCI_PREFETCH_BASE_HIGH, 4) << 32;
        r.last |= (uint64_t)pci_space_read(s, PCI_PREFETCH_LIMIT_HIGH, 4) << 32;
    }
    return r.first ? r : nothing;
}

void pci_parse_windows(const struct pci_space *bridge, struct pci_windows *out)
{
    out->io = io_window(bridge);
    out->memory = memory_window(bridge);
    out->prefetch = prefetch_window(bridge);
}

static void narrow(struct pci_range *r, const struct pci_range *outer)
{
    if (r->first < outer->first)
        r->first = outer->first;
    if (r->last > outer->last)
        r->last = outer->last;
    if (pci_range_empty(r))
        *r = nothing;
}

void pci_windows_narrow(struct pci_windows *w, const struct pci_windows *outer)
{
    narrow(&w->io, &outer->io);
    narrow(&w->memory, &outer->memory);
    narrow(&w->prefetch, &outer->prefetch);
}

bool pci_windows_pass(const struct pci_windows *w, const struct pci_bar *b)
{
    struct pci_range r = pci_range_of(b->base, b->size);

    if (!b->base || r.last - r.first != b->size - 1)
        return false;
    if (b->kind == PCI_BAR_IO)
        return pci_range_holds(&w->io, &r);
    return pci_range_holds(&w->memory, &r) || pci_range_holds(&w->prefetch, &r);
}

bool pci_place_bar(const struct pci_ranges *taken, const struct pci_windows *w,
                   const struct pci_bar *b, uint64_t *base)
{
    struct pci_range low = w->memory;
    uint64_t size = b->size;

    if (b->kind == PCI_BAR_IO)
        return pci_ranges_find(taken, &w->io, size, base);
    if (size < PAGE_ALIGN)
        size = PAGE_ALIGN;
    if (low.last > UINT32_MAX)
        low.last = UINT32_MAX;
    if (pci_ranges_find(taken, &low, size, base))
        return true;
    /* PCI Express passes wide BARs through the prefetchable window whatever
     * they are (PCI Express Base 4.0 7.5.1.3.8); narrow ones must be reachable
     * by 32 bits. */
    low = w->prefetch;
    if (!b->wide && low.last > UINT32_MAX)
        low.last = UINT32_MAX;
    return (b->wide || b->prefetchable) &&
           pci_ranges_find(taken, &low, size, base);
}
