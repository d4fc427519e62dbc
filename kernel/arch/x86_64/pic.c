/*
 * The pair of 8259A interrupt controllers: moved away from the exceptions'
 * vectors and masked; used only on a machine without I/O APIC. pic_init: boot;
 * pic_set_mask: any context but NMI; pic_acknowledge: interrupt context.
 */
#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <rayos/spinlock.h>

/* Intel 8259A data sheet. */
#define PIC1_COMMAND  0x20
#define PIC1_DATA     0x21
#define PIC2_COMMAND  0xa0
#define PIC2_DATA     0xa1
#define ICW1_INIT     0x11 /* edge, cascade, ICW4 follows */
#define ICW4_8086     0x01
#define OCW2_EOI      0x60 /* specific: + line */
#define OCW3_READ_ISR 0x0b
#define CASCADE_LINE  2
#define LINES_EACH    8
#define SPURIOUS_LINE 7 /* of each: asked for by nobody */

/* Intel 82371 (PIIX3) and ICH data sheets: edge/level control registers, a bit
 * a line. Lines of the board itself are always edges. */
#define ELCR1      0x4d0
#define ELCR2      0x4d1
#define ELCR_FIXED 0x2107 /* 0, 1, 2, 8, 13 */

static uint16_t mask = 0xffff; /* lock */
static struct spinlock lock = SPINLOCK_INIT;

static void pic_write_mask(void)
{
    arch_out8(PIC1_DATA, (uint8_t)mask);
    arch_out8(PIC2_DATA, (uint8_t)(mask >> LINES_EACH));
}

void pic_init(void)
{
    pic_write_mask();
    arch_out8(PIC1_COMMAND, ICW1_INIT);
    arch_out8(PIC2_COMMAND, ICW1_INIT);
    arch_out8(PIC1_DATA, VECTOR_PIC_BASE);
    arch_out8(PIC2_DATA, VECTOR_PIC_BASE + LINES_EACH);
    arch_out8(PIC1_DATA, 1u << CASCADE_LINE);
    arch_out8(PIC2_DATA, CASCADE_LINE);
    arch_out8(PIC1_DATA, ICW4_8086);
    arch_out8(PIC2_DATA, ICW4_8086);
    pic_write_mask();
}

void pic_set_mask(unsigned line, bool masked)
{
    irqflags_t flags = spin_lock(&lock);
    uint16_t bits = (uint16_t)(1u << line);

    if (line >= LINES_EACH && !masked)
        bits |= 1u << CASCADE_LINE;
    mask = masked ? mask | bits : mask & (uint16_t)~bits;
    pic_write_mask();
    spin_unlock(&lock, flags);
}

void pic_set_level(unsigned line)
{
    uint16_t port = line < LINES_EACH ? ELCR1 : ELCR2;
    uint8_t bit = (uint8_t)(1u << line % LINES_EACH);
    irqflags_t flags;

    if (ELCR_FIXED & 1u << line)
        return;
    flags = spin_lock(&lock);
    arch_out8(port, arch_in8(port) | bit);
    spin_unlock(&lock, flags);
}

/* Line 7 without its in-service bit is an interrupt that went away before it
 * was acknowledged; the second 8259's still leaves the cascade in service. */
static bool pic_spurious(unsigned line)
{
    uint16_t port = line < LINES_EACH ? PIC1_COMMAND : PIC2_COMMAND;

    if (line % LINES_EACH != SPURIOUS_LINE)
        return false;
    arch_out8(port, OCW3_READ_ISR);
    return !(arch_in8(port) & 1u << SPURIOUS_LINE);
}

bool pic_acknowledge(unsigned line)
{
    irqflags_t flags = spin_lock(&lock);
    bool spurious = pic_spurious(line);

    if (line >= LINES_EACH) {
        if (!spurious)
            arch_out8(PIC2_COMMAND, (uint8_t)(OCW2_EOI | line % LINES_EACH));
        arch_out8(PIC1_COMMAND, OCW2_EOI | CASCADE_LINE);
    } else if (!spurious) {
        arch_out8(PIC1_COMMAND, (uint8_t)(OCW2_EOI | line));
    }
    spin_unlock(&lock, flags);
    return !spurious;
}
