/*
 * I/O APICs: route a line (GSI) to a vector of a CPU. Found by the MADT;
 * without ACPI the standard address is probed. Setting up: boot; the rest: any
 * context but NMI.
 */
#include <errno.h>

#include <arch/apic.h>
#include <rayos/acpi.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/mm.h>

/* Intel 82093AA data sheet, 3.1 and 3.2. */
#define IOAPIC_SELECT       0x00
#define IOAPIC_WINDOW       0x10
#define IOAPIC_SIZE         0x20
#define IOAPIC_REG_VERSION  0x01
#define IOAPIC_REG_REDIRECT 0x10 /* two registers a line */
#define REDIRECT_ACTIVE_LOW 0x2000
#define REDIRECT_LEVEL      0x8000
#define REDIRECT_MASKED     0x10000

#define IOAPIC_STANDARD_BASE UINT64_C(0xfec00000)
#define IOAPIC_MAX_LINES     240 /* the version register's field allows more */

struct ioapic {
    volatile uint32_t *select, *window;
    uint32_t gsi_base, lines;
};

static struct ioapic ioapics[ACPI_MAX_IOAPICS];
static uint32_t count;
static struct spinlock lock = SPINLOCK_INIT; /* select and window */

/* Register accesses: lock held, or boot. */
static uint32_t ioapic_read(const struct ioapic *io, uint32_t reg)
{
    *io->select = reg;
    return *io->window;
}

static void ioapic_write(const struct ioapic *io, uint32_t reg, uint32_t value)
{
    *io->select = reg;
    *io->window = value;
}

static const struct ioapic *ioapic_of(uint32_t gsi, uint32_t *reg)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct ioapic *io = &ioapics[i];

        if (gsi >= io->gsi_base && gsi - io->gsi_base < io->lines) {
            *reg = IOAPIC_REG_REDIRECT + 2 * (gsi - io->gsi_base);
            return io;
        }
    }
    return NULL;
}

/* A bus that nothing answers on reads as all ones or zeros. */
static bool version_sane(uint32_t version)
{
    uint32_t lines = (version >> 16 & 0xff) + 1;

    return (version & 0xff) != 0 && (version & 0xff) != 0xff &&
           lines <= IOAPIC_MAX_LINES;
}

static void ioapic_add(const struct acpi_ioapic *found)
{
    struct ioapic *io = &ioapics[count];
    uint8_t *regs = kspace_map_phys(found->base, IOAPIC_SIZE, KSPACE_RW,
                                    CACHE_UC);
    uint32_t version;

    if (!regs)
        return;
    io->select = (volatile uint32_t *)(void *)(regs + IOAPIC_SELECT);
    io->window = (volatile uint32_t *)(void *)(regs + IOAPIC_WINDOW);
    version = ioapic_read(io, IOAPIC_REG_VERSION);
    if (!version_sane(version)) {
        log_warn("ioapic", "nothing sane at %#lx (version register %#x)",
                 found->base, version);
        kspace_unmap_phys(regs);
        return;
    }
    io->gsi_base = found->gsi_base;
    io->lines = (version >> 16 & 0xff) + 1;
    for (uint32_t i = 0; i < io->lines; i++)
        ioapic_write(io, IOAPIC_REG_REDIRECT + 2 * i, REDIRECT_MASKED);
    log_info("ioapic", "at %#lx, lines %u to %u", found->base, io->gsi_base,
             io->gsi_base + io->lines - 1);
    count++;
}

uint32_t ioapic_init(void)
{
    const struct acpi_info *acpi = acpi_info();
    const struct acpi_ioapic standard = {.base = IOAPIC_STANDARD_BASE};

    for (uint32_t i = 0; i < acpi->ioapic_count; i++)
        ioapic_add(&acpi->ioapic[i]);
    if (!acpi->ioapic_count && !acpi->present)
        ioapic_add(&standard);
    return count;
}

int ioapic_route(uint32_t gsi, uint8_t vector, uint32_t flags, uint32_t apic_id)
{
    uint32_t reg, low = vector;
    const struct ioapic *io = ioapic_of(gsi, &reg);
    irqflags_t irq;

    if (!io)
        return -ENODEV;
    low |= flags & IRQ_LEVEL ? REDIRECT_LEVEL : 0;
    low |= flags & IRQ_ACTIVE_LOW ? REDIRECT_ACTIVE_LOW : 0;
    irq = spin_lock(&lock);
    ioapic_write(io, reg, REDIRECT_MASKED); /* never half a route */
    ioapic_write(io, reg + 1, apic_id << 24);
    ioapic_write(io, reg, low);
    spin_unlock(&lock, irq);
    return 0;
}

void ioapic_set_mask(uint32_t gsi, bool masked)
{
    uint32_t reg, low;
    const struct ioapic *io = ioapic_of(gsi, &reg);
    irqflags_t irq;

    if (!io)
        return;
    irq = spin_lock(&lock);
    low = ioapic_read(io, reg) & ~REDIRECT_MASKED;
    ioapic_write(io, reg, low | (masked ? REDIRECT_MASKED : 0));
    spin_unlock(&lock, irq);
}
