/*
 * String instructions, one element after the other, and bit tests, whose
 * operand may lie far from its address. Pure.
 */
#include <errno.h>

#include "vmm/emulate_core.h"

#define FLAG_CF UINT64_C(1)
#define FLAG_ZF UINT64_C(0x40)
#define FLAG_DF UINT64_C(0x400)
#define OP_TWIN 0xfe /* the two opcodes of a pair: bytes, and larger */
#define OP_MOVS 0xa4
#define OP_CMPS 0xa6
#define OP_STOS 0xaa
#define OP_LODS 0xac
#define OP_SCAS 0xae
#define ANY_REP \
    (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)

static uint64_t address_mask(const struct emulation *m)
{
    unsigned bits = m->insn.address_width;

    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* 16-bit addressing keeps the upper part of a register, 32-bit clears it. */
static void advance(struct emulation *m, enum gpr r, int64_t by)
{
    uint64_t mask = address_mask(m), *reg = &m->regs.gpr[r];
    uint64_t next = (*reg + (uint64_t)by) & mask;

    *reg = mask == UINT16_MAX ? (*reg & ~mask) | next : next;
}

/* Flags of first - second; `advance` follows. */
static int compare(struct emulation *m)
{
    uint64_t a, b;
    int err = operand_read(m, &m->operands[0], &a);

    if (!err)
        err = operand_read(m, &m->operands[1], &b);
    if (!err)
        alu_two(ALU_CMP, a, b, m->operands[0].size, &m->regs.rflags);
    return err;
}

/* The destination is asked first: what a device gave cannot be given back. */
static int copy(struct emulation *m)
{
    uint64_t value;
    int err = operand_check_write(m, &m->operands[0]);

    if (!err)
        err = operand_read(m, &m->operands[1], &value);
    return err ? err : operand_write(m, &m->operands[0], value);
}

static int element(struct emulation *m)
{
    int64_t by = m->operands[0].size / 8;
    unsigned op = m->insn.opcode & OP_TWIN;
    int err = op == OP_CMPS || op == OP_SCAS ? compare(m) : copy(m);

    if (err)
        return err;
    if (m->regs.rflags & FLAG_DF)
        by = -by;
    if (op == OP_MOVS || op == OP_CMPS || op == OP_LODS)
        advance(m, GPR_RSI, by);
    if (op != OP_LODS)
        advance(m, GPR_RDI, by);
    return 0;
}

/* A comparison that was repeated ends when the flag says so. */
static bool ends(const struct emulation *m)
{
    bool zero = m->regs.rflags & FLAG_ZF;
    unsigned op = m->insn.opcode & OP_TWIN;

    if (op != OP_CMPS && op != OP_SCAS)
        return false;
    return (m->insn.attributes & ZYDIS_ATTRIB_HAS_REPNE) ? zero : !zero;
}

int emulate_string(struct emulation *m)
{
    int err;

    if (!(m->insn.attributes & ANY_REP))
        return element(m);
    for (unsigned i = 0; i < EMULATE_CHUNK; i++) {
        if (!(m->regs.gpr[GPR_RCX] & address_mask(m)))
            return 0;
        err = element(m);
        if (err)
            return err;
        advance(m, GPR_RCX, -1);
        if (ends(m))
            return 0;
    }
    return m->regs.gpr[GPR_RCX] & address_mask(m) ? EMULATE_AGAIN : 0;
}

/* --- bit tests --- */

/* A register counts bits from the operand's address, as a signed number of the
 * operand's size; an immediate stays inside. */
static int64_t bits_offset(const struct emulation *m, uint64_t bit)
{
    unsigned size = m->operands[0].size, unused = 64 - size;
    int64_t signed_bit = (int64_t)(bit << unused) >> unused;

    if (m->operands[1].type != ZYDIS_OPERAND_TYPE_REGISTER)
        return 0;
    return (signed_bit & ~(int64_t)(size - 1)) / 8;
}

static uint64_t bits_change(ZydisMnemonic what, uint64_t value, uint64_t mask)
{
    switch (what) {
    case ZYDIS_MNEMONIC_BTS:
        return value | mask;
    case ZYDIS_MNEMONIC_BTR:
        return value & ~mask;
    case ZYDIS_MNEMONIC_BTC:
        return value ^ mask;
    default:
        return value;
    }
}

int emulate_bits(struct emulation *m)
{
    const ZydisDecodedOperand *o = &m->operands[0];
    bool writes = m->insn.mnemonic != ZYDIS_MNEMONIC_BT;
    uint64_t bit, linear, mask, value = 0;
    unsigned n = o->size / 8;
    int err = operand_read(m, &m->operands[1], &bit);

    if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || n > sizeof(value))
        return -ENOTSUP;
    if (!err)
        err = operand_linear(m, o, bits_offset(m, bit), n, writes, &linear);
    if (!err && writes)
        err = m->ops->check(m, linear, n, true);
    if (!err)
        err = m->ops->read(m, linear, &value, n);
    if (err)
        return err;
    mask = UINT64_C(1) << (bit & (o->size - 1));
    bit = value & mask;
    value = bits_change(m->insn.mnemonic, value, mask);
    if (writes)
        err = m->ops->write(m, linear, &value, n);
    if (!err)
        m->regs.rflags = (m->regs.rflags & ~FLAG_CF) | (bit ? FLAG_CF : 0);
    return err;
}
