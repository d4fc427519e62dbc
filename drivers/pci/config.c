/*
 * Access to configuration space: memory mapped where the MCFG table tells where
 * (PCI Express Base 4.0 7.2.2), else through the pair of ports (PCI 3.0
 * 3.2.2.3.2). Accesses: any context but NMI.
 */
#include <arch/cpu.h>
#include <rayos/spinlock.h>

#include "pci_internal.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u

static struct spinlock lock = SPINLOCK_INIT; /* the pair of ports */

static uint32_t port_address(const struct pci_device *p, uint16_t offset)
{
    return CONFIG_ENABLE | (uint32_t)p->bus << 16 | (uint32_t)p->slot << 11 |
           (uint32_t)p->function << 8 | (offset & 0xfcu);
}

static bool reachable(const struct pci_device *p, uint16_t offset,
                      unsigned width)
{
    unsigned size = p->ecam ? PCI_ECAM_SIZE : PCI_CONFIG_SIZE;

    return offset % width == 0 && offset + width <= size &&
           (p->ecam || p->segment == 0);
}

static uint32_t port_read(const struct pci_device *p, uint16_t offset,
                          unsigned width)
{
    irqflags_t flags = spin_lock(&lock);
    uint16_t data = (uint16_t)(CONFIG_DATA + (offset & 3));
    uint32_t v;

    arch_out32(CONFIG_ADDRESS, port_address(p, offset));
    v = width == 1   ? arch_in8(data)
        : width == 2 ? arch_in16(data)
                     : arch_in32(data);
    spin_unlock(&lock, flags);
    return v;
}

static void port_write(const struct pci_device *p, uint16_t offset,
                       unsigned width, uint32_t v)
{
    irqflags_t flags = spin_lock(&lock);
    uint16_t data = (uint16_t)(CONFIG_DATA + (offset & 3));

    arch_out32(CONFIG_ADDRESS, port_address(p, offset));
    if (width == 1)
        arch_out8(data, (uint8_t)v);
    else if (width == 2)
        arch_out16(data, (uint16_t)v);
    else
        arch_out32(data, v);
    spin_unlock(&lock, flags);
}

uint8_t pci_read8(const struct pci_device *p, uint16_t offset)
{
    if (!reachable(p, offset, 1))
        return UINT8_MAX;
    if (p->ecam)
        return *(volatile uint8_t *)(p->ecam + offset);
    return (uint8_t)port_read(p, offset, 1);
}

uint16_t pci_read16(const struct pci_device *p, uint16_t offset)
{
    if (!reachable(p, offset, 2))
        return UINT16_MAX;
    if (p->ecam)
        return *(volatile uint16_t *)(void *)(p->ecam + offset);
    return (uint16_t)port_read(p, offset, 2);
}

uint32_t pci_read32(const struct pci_device *p, uint16_t offset)
{
    if (!reachable(p, offset, 4))
        return UINT32_MAX;
    if (p->ecam)
        return *(volatile uint32_t *)(void *)(p->ecam + offset);
    return port_read(p, offset, 4);
}

void pci_write8(struct pci_device *p, uint16_t offset, uint8_t v)
{
    if (!reachable(p, offset, 1))
        return;
    if (p->ecam)
        *(volatile uint8_t *)(p->ecam + offset) = v;
    else
        port_write(p, offset, 1, v);
}

void pci_write16(struct pci_device *p, uint16_t offset, uint16_t v)
{
    if (!reachable(p, offset, 2))
        return;
    if (p->ecam)
        *(volatile uint16_t *)(void *)(p->ecam + offset) = v;
    else
        port_write(p, offset, 2, v);
}

void pci_write32(struct pci_device *p, uint16_t offset, uint32_t v)
{
    if (!reachable(p, offset, 4))
        return;
    if (p->ecam)
        *(volatile uint32_t *)(void *)(p->ecam + offset) = v;
    else
        port_write(p, offset, 4, v);
}

static uint32_t space_read(const struct pci_space *s, uint16_t offset)
{
    return pci_read32(s->arg, offset);
}

struct pci_space pci_space_of(const struct pci_device *p)
{
    return (struct pci_space){
        .read = space_read,
        .size = p->ecam ? PCI_ECAM_SIZE : PCI_CONFIG_SIZE,
        .arg = p,
    };
}

uint16_t pci_find_capability(const struct pci_device *p, uint8_t id, unsigned n)
{
    struct pci_space s = pci_space_of(p);

    return pci_walk_capabilities(&s, id, n);
}

static void command_change(struct pci_device *p, uint16_t clear, uint16_t set)
{
    uint16_t old = pci_read16(p, PCI_COMMAND);
    uint16_t v = (uint16_t)((old & ~clear) | set);

    if (v != old)
        pci_write16(p, PCI_COMMAND, v);
}

void pci_intx_enable(struct pci_device *p, bool on)
{
    command_change(p, on ? PCI_COMMAND_INTX_OFF : 0,
                   on ? 0 : PCI_COMMAND_INTX_OFF);
}

void pci_enable(struct pci_device *p, unsigned what)
{
    command_change(p, 0, (uint16_t)what);
}

void pci_disable(struct pci_device *p, unsigned what)
{
    command_change(p, (uint16_t)what, 0);
}
