/*
 * The guest's 8259As. All priorities are counted from `first`, which rotation
 * moves. The slave's request is not a line with a memory but part of the
 * master's request at every look, so cascading needs no pulses. Pure; the
 * caller (irqchip.c) holds its lock.
 */
#include "vmm/devices/pic.h"

#define CASCADE_LINE 2
#define SPURIOUS     7

#define PORT_MASTER      0x20
#define PORT_SLAVE       0xa0
#define PORT_ELCR_MASTER 0x4d0
#define PORT_ELCR_SLAVE  0x4d1

/* Lines that can be level triggered: not timer, keyboard and cascade; not RTC
 * and coprocessor. */
#define ELCR_MASTER_MASK 0xf8
#define ELCR_SLAVE_MASK  0xde

#define ICW1_INIT      0x10
#define ICW1_SINGLE    0x02
#define ICW1_NEED_ICW4 0x01
#define ICW4_NESTED    0x10
#define ICW4_AUTO_EOI  0x02

#define OCW3           0x08
#define OCW3_SMM_WRITE 0x40
#define OCW3_SMM       0x20
#define OCW3_POLL      0x04
#define OCW3_READ      0x02
#define OCW3_READ_ISR  0x01

/* OCW2 bits 7..5 */
enum ocw2 {
    OCW2_ROTATE_AUTO_OFF = 0,
    OCW2_EOI = 1,
    OCW2_NOTHING = 2,
    OCW2_EOI_LINE = 3,
    OCW2_ROTATE_AUTO_ON = 4,
    OCW2_EOI_ROTATE = 5,
    OCW2_SET_PRIORITY = 6,
    OCW2_EOI_LINE_ROTATE = 7
};

/* --- priorities --- */

/* How far from `first` the most urgent line of the set is; 8: the set is empty.
 */
static unsigned distance(const struct pic_chip *c, unsigned set)
{
    unsigned n = 0;

    while (n < 8 && !(set & 1u << ((c->first + n) & 7)))
        n++;
    return n;
}

static unsigned line_at(const struct pic_chip *c, unsigned n)
{
    return (c->first + n) & 7;
}

/* The line that asks and may: -1 when none. `cascade`: the slave asks. */
static int chip_request(const struct pic_chip *c, bool cascade)
{
    unsigned asking = c->irr & ~c->imr, serving = c->isr;

    if (cascade && !(c->imr & 1u << CASCADE_LINE))
        asking |= 1u << CASCADE_LINE;
    if (c->special_mask)
        serving &= ~c->imr;
    /* A more urgent line of the slave may come through its own cascade. */
    if (c->special_nested)
        serving &= ~(1u << CASCADE_LINE);
    unsigned n = distance(c, asking);

    return n < distance(c, serving) ? (int)line_at(c, n) : -1;
}

static int master_request(const struct pic *p)
{
    return chip_request(&p->chip[0], chip_request(&p->chip[1], false) >= 0);
}

bool pic_output(const struct pic *p)
{
    return master_request(p) >= 0;
}

static void chip_take(struct pic_chip *c, unsigned line)
{
    unsigned bit = 1u << line;

    if (c->auto_eoi) {
        if (c->rotate_on_auto_eoi)
            c->first = (line + 1) & 7;
    } else {
        c->isr |= bit;
    }
    /* A level line goes on asking until its device is served. */
    if (!(c->elcr & bit))
        c->irr &= ~bit;
}

uint8_t pic_acknowledge(struct pic *p)
{
    int line = master_request(p);

    if (line < 0)
        return p->chip[0].base + SPURIOUS;
    chip_take(&p->chip[0], (unsigned)line);
    if (line != CASCADE_LINE)
        return p->chip[0].base + (uint8_t)line;
    line = chip_request(&p->chip[1], false);
    if (line < 0)
        return p->chip[1].base + SPURIOUS;
    chip_take(&p->chip[1], (unsigned)line);
    return p->chip[1].base + (uint8_t)line;
}

/* --- lines --- */

static void chip_set_line(struct pic_chip *c, unsigned line, bool level)
{
    uint8_t bit = 1u << line;

    if (c->elcr & bit)
        c->irr = level ? c->irr | bit : c->irr & ~bit;
    else if (level && !(c->lines & bit))
        c->irr |= bit;
    c->lines = level ? c->lines | bit : c->lines & ~bit;
}

void pic_set_line(struct pic *p, unsigned line, bool level)
{
    if (line < PIC_LINES && line != CASCADE_LINE)
        chip_set_line(&p->chip[line >> 3], line & 7, level);
}

void pic_reset(struct pic *p)
{
    for (unsigned i = 0; i < 2; i++) {
        uint8_t lines = p->chip[i].lines;

        p->chip[i] = (struct pic_chip){.lines = lines};
    }
}

/* --- registers --- */

static void chip_init(struct pic_chip *c, uint8_t icw1)
{
    c->irr &= c->elcr; /* edges are forgotten */
    c->isr = c->imr = c->first = 0;
    c->auto_eoi = c->rotate_on_auto_eoi = false;
    c->special_mask = c->special_nested = c->read_isr = c->poll = false;
    c->single = icw1 & ICW1_SINGLE;
    c->need_icw4 = icw1 & ICW1_NEED_ICW4;
    c->init_step = 2;
}

static void chip_end(struct pic_chip *c, unsigned line, bool rotate)
{
    c->isr &= ~(1u << line);
    if (rotate)
        c->first = (line + 1) & 7;
}

static void chip_ocw2(struct pic_chip *c, uint8_t value)
{
    unsigned line = value & 7, n;

    switch ((enum ocw2)(value >> 5)) {
    case OCW2_EOI:
    case OCW2_EOI_ROTATE:
        n = distance(c, c->isr);
        if (n < 8)
            chip_end(c, line_at(c, n), value >> 5 == OCW2_EOI_ROTATE);
        break;
    case OCW2_EOI_LINE:
    case OCW2_EOI_LINE_ROTATE:
        chip_end(c, line, value >> 5 == OCW2_EOI_LINE_ROTATE);
        break;
    case OCW2_SET_PRIORITY:
        c->first = (line + 1) & 7;
        break;
    case OCW2_ROTATE_AUTO_ON:
    case OCW2_ROTATE_AUTO_OFF:
        c->rotate_on_auto_eoi = value >> 5 == OCW2_ROTATE_AUTO_ON;
        break;
    case OCW2_NOTHING:
        break;
    }
}

static void chip_ocw3(struct pic_chip *c, uint8_t value)
{
    c->poll = value & OCW3_POLL;
    if (value & OCW3_READ)
        c->read_isr = value & OCW3_READ_ISR;
    if (value & OCW3_SMM_WRITE)
        c->special_mask = value & OCW3_SMM;
}

static void chip_write_command(struct pic_chip *c, uint8_t value)
{
    if (value & ICW1_INIT)
        chip_init(c, value);
    else if (value & OCW3)
        chip_ocw3(c, value);
    else
        chip_ocw2(c, value);
}

/* ICW2 to ICW4 in their order, else OCW1. */
static void chip_write_data(struct pic_chip *c, uint8_t value)
{
    unsigned after2 = c->single ? (c->need_icw4 ? 4 : 0) : 3;

    switch (c->init_step) {
    case 2:
        c->base = value & 0xf8;
        c->init_step = after2;
        break;
    case 3: /* the wiring of the cascade is fixed */
        c->init_step = c->need_icw4 ? 4 : 0;
        break;
    case 4:
        c->auto_eoi = value & ICW4_AUTO_EOI;
        c->special_nested = value & ICW4_NESTED;
        c->init_step = 0;
        break;
    default:
        c->imr = value;
    }
}

static void chip_write_elcr(struct pic_chip *c, uint8_t value, uint8_t mask)
{
    c->elcr = value & mask;
    /* Lines that are level triggered now ask while they stand. */
    c->irr = (c->irr & ~c->elcr) | (c->lines & c->elcr);
}

void pic_write(struct pic *p, uint16_t port, uint8_t value)
{
    switch (port) {
    case PORT_ELCR_MASTER:
        chip_write_elcr(&p->chip[0], value, ELCR_MASTER_MASK);
        break;
    case PORT_ELCR_SLAVE:
        chip_write_elcr(&p->chip[1], value, ELCR_SLAVE_MASK);
        break;
    case PORT_MASTER:
    case PORT_SLAVE:
        chip_write_command(&p->chip[port == PORT_SLAVE], value);
        break;
    default:
        chip_write_data(&p->chip[port == PORT_SLAVE + 1], value);
    }
}

/* The poll command makes the next read an acknowledge: bit 7 and the line. */
static uint8_t chip_poll(struct pic_chip *c, bool cascade)
{
    int line = chip_request(c, cascade);

    c->poll = false;
    if (line < 0)
        return 0;
    chip_take(c, (unsigned)line);
    return 0x80 | (uint8_t)line;
}

uint8_t pic_read(struct pic *p, uint16_t port)
{
    bool slave = port == PORT_SLAVE || port == PORT_SLAVE + 1;
    struct pic_chip *c = &p->chip[slave];
    bool cascade = !slave && chip_request(&p->chip[1], false) >= 0;

    if (port == PORT_ELCR_MASTER || port == PORT_ELCR_SLAVE)
        return p->chip[port == PORT_ELCR_SLAVE].elcr;
    if (c->poll)
        return chip_poll(c, cascade);
    if (port & 1)
        return c->imr;
    if (c->read_isr)
        return c->isr;
    return c->irr | (cascade ? 1u << CASCADE_LINE : 0);
}
