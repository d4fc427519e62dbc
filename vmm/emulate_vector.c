/*
 * Moves between memory and XMM registers, in pieces of eight bytes: devices
 * have no wider ones. Pure.
 */
#include <errno.h>

#include "vmm/emulate_core.h"

static bool vector_index(const ZydisDecodedOperand *o, unsigned *i)
{
    if (o->type != ZYDIS_OPERAND_TYPE_REGISTER ||
        o->reg.value < ZYDIS_REGISTER_XMM0 ||
        o->reg.value > ZYDIS_REGISTER_XMM15)
        return false;
    *i = (unsigned)(o->reg.value - ZYDIS_REGISTER_XMM0);
    return true;
}

static int load(struct emulation *m, unsigned i, const ZydisDecodedOperand *o)
{
    unsigned n = o->size / 8, low = n < 8 ? n : 8;
    uint64_t value[2] = {0, 0}, linear;
    int err = operand_linear(m, o, 0, n, false, &linear);

    if (!err && n > 8)
        err = m->ops->check(m, linear_after(m->state, linear, 8), n - 8, false);
    if (!err)
        err = m->ops->read(m, linear, &value[0], low);
    if (!err && n > 8)
        err = m->ops->read(m, linear_after(m->state, linear, 8), &value[1],
                           n - 8);
    if (!err)
        m->ops->vector_set(m, i, value);
    return err;
}

static int store(struct emulation *m, unsigned i, const ZydisDecodedOperand *o)
{
    unsigned n = o->size / 8, low = n < 8 ? n : 8;
    uint64_t value[2], linear;
    int err = operand_linear(m, o, 0, n, true, &linear);

    if (!err && n > 8)
        err = m->ops->check(m, linear_after(m->state, linear, 8), n - 8, true);
    if (err)
        return err;
    m->ops->vector_get(m, i, value);
    err = m->ops->write(m, linear, &value[0], low);
    if (!err && n > 8)
        err = m->ops->write(m, linear_after(m->state, linear, 8), &value[1],
                            n - 8);
    return err;
}

/* Loads of less than 16 bytes among these clear the rest. */
static bool is_move(ZydisMnemonic what)
{
    static const uint16_t moves[] = {
        ZYDIS_MNEMONIC_MOVAPS,  ZYDIS_MNEMONIC_MOVUPS,  ZYDIS_MNEMONIC_MOVAPD,
        ZYDIS_MNEMONIC_MOVUPD,  ZYDIS_MNEMONIC_MOVDQA,  ZYDIS_MNEMONIC_MOVDQU,
        ZYDIS_MNEMONIC_LDDQU,   ZYDIS_MNEMONIC_MOVNTDQ, ZYDIS_MNEMONIC_MOVNTPS,
        ZYDIS_MNEMONIC_MOVNTPD, ZYDIS_MNEMONIC_MOVQ,    ZYDIS_MNEMONIC_MOVD,
    };

    for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
        if (moves[i] == what)
            return true;
    return false;
}

int emulate_vector(struct emulation *m)
{
    const ZydisDecodedOperand *to = &m->operands[0], *from = &m->operands[1];
    unsigned i;

    if (!is_move(m->insn.mnemonic))
        return -ENOTSUP;
    if (to->type == ZYDIS_OPERAND_TYPE_MEMORY && vector_index(from, &i))
        return store(m, i, to);
    if (from->type == ZYDIS_OPERAND_TYPE_MEMORY && vector_index(to, &i))
        return load(m, i, from);
    return -ENOTSUP;
}
