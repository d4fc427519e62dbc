/* The list of capabilities (PCI 3.0 6.7). Pure; any context. */
#include "pci_parse.h"

#define FIRST_PLACE 0x40  /* behind the header */
#define POINTER     0xfcu /* the low two bits are reserved */
/* So many fit into the space; a list that is longer goes in circles. */
#define PLACES ((PCI_CONFIG_SIZE - FIRST_PLACE) / 4)

uint16_t pci_walk_capabilities(const struct pci_space *s, uint8_t id,
                               unsigned n)
{
    uint32_t at;

    if (!(pci_space_read(s, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
        return 0;
    at = pci_space_read(s, PCI_CAPABILITIES, 1) & POINTER;
    for (unsigned seen = 0; seen < PLACES && at >= FIRST_PLACE; seen++) {
        uint32_t head = pci_space_read(s, (uint16_t)at, 2);

        if ((head & 0xff) == 0xff)
            return 0; /* nobody answers any more */
        if ((head & 0xff) == id && n-- == 0)
            return (uint16_t)at;
        at = head >> 8 & POINTER;
    }
    return 0;
}
