/*
 * The operands of a decoded instruction: registers, immediates, and memory by
 * segment and effective address. Pure.
 */
#include <errno.h>

#include "vmm/emulate_core.h"

#define CR0_PE     UINT64_C(1)
#define CR4_LA57   (UINT64_C(1) << 12)
#define EFER_LMA   (UINT64_C(1) << 10)
#define RFLAGS_VM  (UINT64_C(1) << 17)
#define VECTOR_SS  12
#define VECTOR_GP  13
#define HIGH_BYTE  8
#define TYPE_CODE  8u /* of a descriptor's type */
#define TYPE_DOWN  4u
#define TYPE_RW    2u /* data: writable; code: readable */
#define ADDRESS_32 UINT64_C(0xffffffff)
#define LIMIT_16   UINT32_C(0xffff)

bool emulate_is_long(const struct vcpu_state *s)
{
    return (s->efer & EFER_LMA) &&
           (s->segment[SEGMENT_CS].attributes & SEGMENT_LONG);
}

/* --- registers --- */

struct place {
    enum gpr gpr;
    unsigned shift, bits;
};

static bool place_of(ZydisRegister r, struct place *p)
{
    *p = (struct place){0};
    if (r >= ZYDIS_REGISTER_AL && r <= ZYDIS_REGISTER_BL) {
        p->gpr = (enum gpr)(r - ZYDIS_REGISTER_AL);
        p->bits = 8;
    } else if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH) {
        *p = (struct place){(enum gpr)(r - ZYDIS_REGISTER_AH), HIGH_BYTE, 8};
    } else if (r >= ZYDIS_REGISTER_SPL && r <= ZYDIS_REGISTER_R15B) {
        p->gpr = (enum gpr)(GPR_RSP + (r - ZYDIS_REGISTER_SPL));
        p->bits = 8;
    } else if (r >= ZYDIS_REGISTER_AX && r <= ZYDIS_REGISTER_R15W) {
        p->gpr = (enum gpr)(r - ZYDIS_REGISTER_AX);
        p->bits = 16;
    } else if (r >= ZYDIS_REGISTER_EAX && r <= ZYDIS_REGISTER_R15D) {
        p->gpr = (enum gpr)(r - ZYDIS_REGISTER_EAX);
        p->bits = 32;
    } else if (r >= ZYDIS_REGISTER_RAX && r <= ZYDIS_REGISTER_R15) {
        p->gpr = (enum gpr)(r - ZYDIS_REGISTER_RAX);
        p->bits = 64;
    }
    return p->bits;
}

static uint64_t bits_mask(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static int register_read(const struct emulation *m, ZydisRegister r,
                         uint64_t *value)
{
    struct place p;

    if (!place_of(r, &p))
        return -ENOTSUP;
    *value = m->regs.gpr[p.gpr] >> p.shift & bits_mask(p.bits);
    return 0;
}

static int register_write(struct emulation *m, ZydisRegister r, uint64_t value)
{
    struct place p;
    uint64_t mask, *reg;

    if (!place_of(r, &p))
        return -ENOTSUP;
    reg = &m->regs.gpr[p.gpr];
    mask = p.bits == 32 ? UINT64_MAX : bits_mask(p.bits) << p.shift;
    value = (value & bits_mask(p.bits)) << p.shift;
    *reg = (*reg & ~mask) | value;
    return 0;
}

/* --- memory --- */

static int fault(struct emulation *m, unsigned segment)
{
    m->fault = (struct guest_fault){
        .vector = segment == SEGMENT_SS ? VECTOR_SS : VECTOR_GP,
    };
    return -EFAULT;
}

static uint64_t effective(const struct emulation *m,
                          const ZydisDecodedOperand *o, int64_t offset)
{
    uint64_t ea = (uint64_t)offset, part = 0;

    if (o->mem.base == ZYDIS_REGISTER_RIP || o->mem.base == ZYDIS_REGISTER_EIP)
        ea += m->regs.rip + m->insn.length;
    else if (o->mem.base != ZYDIS_REGISTER_NONE &&
             register_read(m, o->mem.base, &part) == 0)
        ea += part;
    if (o->mem.index != ZYDIS_REGISTER_NONE &&
        register_read(m, o->mem.index, &part) == 0)
        ea += part * o->mem.scale;
    if (o->mem.disp.has_displacement)
        ea += (uint64_t)o->mem.disp.value;
    return ea & bits_mask(m->insn.address_width);
}

static bool canonical(const struct vcpu_state *s, uint64_t va)
{
    unsigned unused = s->cr4 & CR4_LA57 ? 7 : 16;

    return (uint64_t)((int64_t)(va << unused) >> unused) == va;
}

/* Intel SDM 3A 5.3: the limit is the last byte; in data that expands down it is
 * the last one that is not there. */
static bool in_limit(const struct segment *g, uint64_t ea, unsigned n)
{
    bool down = !(g->attributes & TYPE_CODE) && (g->attributes & TYPE_DOWN);
    uint64_t last = ea + n - 1;

    if (down)
        return ea > g->limit &&
               last <= (g->attributes & SEGMENT_BIG ? UINT32_MAX : LIMIT_16);
    return last <= g->limit;
}

static bool segment_allows(const struct emulation *m, const struct segment *g,
                           bool write)
{
    unsigned type = g->attributes & 0xf;

    if (!(m->state->cr0 & CR0_PE) || (m->regs.rflags & RFLAGS_VM))
        return true;
    if (g->attributes & SEGMENT_UNUSABLE)
        return false;
    if (write)
        return !(type & TYPE_CODE) && (type & TYPE_RW);
    return !(type & TYPE_CODE) || (type & TYPE_RW);
}

int operand_linear(struct emulation *m, const ZydisDecodedOperand *o,
                   int64_t offset, unsigned n, bool write, uint64_t *linear)
{
    unsigned i = (unsigned)(o->mem.segment - ZYDIS_REGISTER_ES);
    uint64_t ea = effective(m, o, offset);
    const struct segment *g;

    if (i > SEGMENT_GS || o->mem.type != ZYDIS_MEMOP_TYPE_MEM)
        return -ENOTSUP;
    g = &m->state->segment[i];
    if (emulate_is_long(m->state)) {
        *linear = ea + (i == SEGMENT_FS || i == SEGMENT_GS ? g->base : 0);
        if (!canonical(m->state, *linear) ||
            !canonical(m->state, *linear + n - 1))
            return fault(m, i);
        return 0;
    }
    if (!segment_allows(m, g, write) || !in_limit(g, ea, n))
        return fault(m, i);
    *linear = (g->base + ea) & ADDRESS_32;
    return 0;
}

/* --- all kinds --- */

int operand_read(struct emulation *m, const ZydisDecodedOperand *o,
                 uint64_t *value)
{
    uint64_t linear;
    int err;

    *value = 0;
    switch (o->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        return register_read(m, o->reg.value, value);
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
        *value = o->imm.value.u;
        return 0;
    case ZYDIS_OPERAND_TYPE_MEMORY:
        if (o->size > 64 || o->size < 8)
            return -ENOTSUP;
        err = operand_linear(m, o, 0, o->size / 8, false, &linear);
        return err ? err : m->ops->read(m, linear, value, o->size / 8);
    default:
        return -ENOTSUP;
    }
}

int operand_write(struct emulation *m, const ZydisDecodedOperand *o,
                  uint64_t value)
{
    uint64_t linear;
    int err;

    switch (o->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        return register_write(m, o->reg.value, value);
    case ZYDIS_OPERAND_TYPE_MEMORY:
        if (o->size > 64 || o->size < 8)
            return -ENOTSUP;
        err = operand_linear(m, o, 0, o->size / 8, true, &linear);
        return err ? err : m->ops->write(m, linear, &value, o->size / 8);
    default:
        return -ENOTSUP;
    }
}

int operand_check_write(struct emulation *m, const ZydisDecodedOperand *o)
{
    uint64_t linear;
    struct place p;
    int err;

    if (o->type == ZYDIS_OPERAND_TYPE_REGISTER)
        return place_of(o->reg.value, &p) ? 0 : -ENOTSUP;
    if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->size > 64 || o->size < 8)
        return -ENOTSUP;
    err = operand_linear(m, o, 0, o->size / 8, true, &linear);
    return err ? err : m->ops->check(m, linear, o->size / 8, true);
}
