/*
 * Address space: what is taken, what a bridge passes on, and where a BAR may
 * go. Pure functions, built for the host tests too; callers see to locking.
 */
#ifndef DRIVERS_PCI_WINDOW_H
#define DRIVERS_PCI_WINDOW_H

#include "pci_parse.h"

#define PCI_RANGES_MAX 256

struct pci_range {
    uint64_t first, last; /* first > last: empty */
};

/* Sorted, apart from each other by at least one byte. */
struct pci_ranges {
    unsigned count;
    bool lost; /* one did not fit in: nothing is free any more */
    struct pci_range r[PCI_RANGES_MAX];
};

/* A size of 0, or one that passes the end of the space, ends there. */
struct pci_range pci_range_of(uint64_t base, uint64_t size);
bool pci_range_empty(const struct pci_range *r);
bool pci_range_holds(const struct pci_range *outer,
                     const struct pci_range *inner);
void pci_ranges_add(struct pci_ranges *s, const struct pci_range *r);
bool pci_ranges_touch(const struct pci_ranges *s, const struct pci_range *r);
/* The lowest place of `size` bytes (a power of two), aligned to its size, in
 * `where` that touches nothing in `taken`. */
bool pci_ranges_find(const struct pci_ranges *taken,
                     const struct pci_range *where, uint64_t size,
                     uint64_t *base);

/* What a bridge passes on to its secondary bus; of the root, what there is. */
struct pci_windows {
    struct pci_range io, memory, prefetch;
};

void pci_parse_windows(const struct pci_space *bridge, struct pci_windows *out);
/* What passes both. */
void pci_windows_narrow(struct pci_windows *w, const struct pci_windows *outer);
/* Does the BAR lie where its bridges pass it on? */
bool pci_windows_pass(const struct pci_windows *w, const struct pci_bar *b);
/* A place for a BAR. false: there is none. */
bool pci_place_bar(const struct pci_ranges *taken, const struct pci_windows *w,
                   const struct pci_bar *b, uint64_t *base);

#endif
