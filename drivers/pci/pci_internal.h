/* Between the files of the PCI bus. Thread context, but where said. */
#ifndef DRIVERS_PCI_INTERNAL_H
#define DRIVERS_PCI_INTERNAL_H

#include <rayos/pci.h>

#include "pci_parse.h"

/* Its configuration space for the parsers. Any context. */
struct pci_space pci_space_of(const struct pci_device *p);

/* The mapped configuration space of a function; NULL: by ports. */
uint8_t *pci_ecam_of(uint16_t segment, uint8_t bus, uint8_t slot,
                     uint8_t function);
void pci_ecam_init(void);

/* May it raise its interrupt line? Any context. */
void pci_intx_enable(struct pci_device *p, bool on);

/* --- assign.c --- */
/* Learn what the machine's address space holds. At start, once. */
void pci_assign_init(void);
/* Does it touch RAM, or what the firmware keeps there? */
bool pci_in_memory(uint64_t base, uint64_t size);
/* Mark the BARs that can be used where they are; then, when all devices have
 * been asked, find places for the others. */
void pci_claim_bars(struct pci_device *p);
void pci_assign_bars(struct pci_device *p);

/* --- bar.c --- */

/* Find out what the BARs are, with the device's decoders off meanwhile. */
void pci_size_bars(struct pci_device *p);
/* Write its base to the device, decoders off meanwhile. */
void pci_write_bar(struct pci_device *p, unsigned i);

/* Everything off that a driver may have left on; interrupts given back. */
void pci_quiesce(struct device *d);

#endif
