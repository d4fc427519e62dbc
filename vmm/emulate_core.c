/* Which instruction it is, and the plain ones: see emulate_core.h. Pure. */
#include "vmm/emulate_core.h"

#include <errno.h>

#define CR0_PE      UINT64_C(1)
#define EFER_LMA    (UINT64_C(1) << 10)
#define RFLAGS_VM   (UINT64_C(1) << 17)
#define RFLAGS_RF   (UINT64_C(1) << 16)
#define FLAG_CF     UINT64_C(1)
#define OP_SETCC    0x90 /* 0F 90 to 0F 9F */
#define OP_CMOVCC   0x40
#define OP_ROW      0xf0
#define OP_MOVS     0xa4 /* to A7, and AA to AF: the string instructions */
#define OP_CMPS_END 0xa7
#define OP_STOS     0xaa
#define OP_SCAS_END 0xaf

static const ZydisDecodedOperand *at(const struct emulation *m, unsigned i)
{
    return &m->operands[i];
}

static int run_mov(struct emulation *m)
{
    uint64_t value;
    int err = operand_read(m, at(m, 1), &value);

    return err ? err : operand_write(m, at(m, 0), value);
}

static int run_movsx(struct emulation *m)
{
    unsigned unused = 64u - at(m, 1)->size;
    uint64_t value;
    int err = operand_read(m, at(m, 1), &value);

    if (err)
        return err;
    value = (uint64_t)((int64_t)(value << unused) >> unused);
    return operand_write(m, at(m, 0), value);
}

static int run_movbe(struct emulation *m)
{
    uint64_t value;
    int err = operand_read(m, at(m, 1), &value);

    if (err)
        return err;
    value = __builtin_bswap64(value) >> (64 - at(m, 1)->size);
    return operand_write(m, at(m, 0), value);
}

/* --- two operands, and flags --- */

/* Both operands read; the first one will be written. */
static int read_both(struct emulation *m, bool writes, uint64_t *a, uint64_t *b)
{
    int err = writes ? operand_check_write(m, at(m, 0)) : 0;

    if (!err)
        err = operand_read(m, at(m, 0), a);
    return err ? err : operand_read(m, at(m, 1), b);
}

static int run_alu(struct emulation *m, enum alu op, bool writes)
{
    uint64_t a, b, flags = m->regs.rflags;
    int err = read_both(m, writes, &a, &b);

    if (err)
        return err;
    a = alu_two(op, a, b, at(m, 0)->size, &flags);
    if (writes)
        err = operand_write(m, at(m, 0), a);
    if (!err)
        m->regs.rflags = flags;
    return err;
}

static int run_add(struct emulation *m)
{
    return run_alu(m, ALU_ADD, true);
}

static int run_or(struct emulation *m)
{
    return run_alu(m, ALU_OR, true);
}

static int run_adc(struct emulation *m)
{
    return run_alu(m, ALU_ADC, true);
}

static int run_sbb(struct emulation *m)
{
    return run_alu(m, ALU_SBB, true);
}

static int run_and(struct emulation *m)
{
    return run_alu(m, ALU_AND, true);
}

static int run_sub(struct emulation *m)
{
    return run_alu(m, ALU_SUB, true);
}

static int run_xor(struct emulation *m)
{
    return run_alu(m, ALU_XOR, true);
}

static int run_cmp(struct emulation *m)
{
    return run_alu(m, ALU_CMP, false);
}

static int run_test(struct emulation *m)
{
    return run_alu(m, ALU_AND, false);
}

/* Memory first: it may fault, a register cannot. */
static int write_both(struct emulation *m, uint64_t first, uint64_t second)
{
    int err;

    if (at(m, 0)->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        err = operand_write(m, at(m, 0), first);
        return err ? err : operand_write(m, at(m, 1), second);
    }
    err = operand_write(m, at(m, 1), second);
    return err ? err : operand_write(m, at(m, 0), first);
}

static int run_xchg(struct emulation *m)
{
    uint64_t a, b;
    int err = operand_check_write(m, at(m, 1));

    if (!err)
        err = read_both(m, true, &a, &b);
    return err ? err : write_both(m, b, a);
}

static int run_xadd(struct emulation *m)
{
    uint64_t a, b, sum, flags = m->regs.rflags;
    int err = read_both(m, true, &a, &b);

    if (err)
        return err;
    sum = alu_two(ALU_ADD, a, b, at(m, 0)->size, &flags);
    err = write_both(m, sum, a);
    if (!err)
        m->regs.rflags = flags;
    return err;
}

/* The destination is written in any case, as by a CPU. */
static int run_cmpxchg(struct emulation *m)
{
    uint64_t old, new, rax = m->regs.gpr[GPR_RAX], flags = m->regs.rflags;
    uint64_t mask = operand_mask(at(m, 0));
    int err = read_both(m, true, &old, &new);
    bool equal;

    if (err)
        return err;
    alu_two(ALU_CMP, rax, old, at(m, 0)->size, &flags);
    equal = (rax & mask) == old;
    err = operand_write(m, at(m, 0), equal ? new : old);
    if (err)
        return err;
    m->regs.rflags = flags;
    if (!equal)
        m->regs.gpr[GPR_RAX] = at(m, 0)->size == 32 ? old : (rax & ~mask) | old;
    return 0;
}

/* --- one operand --- */

static int run_unary(struct emulation *m,
                     uint64_t (*f)(uint64_t a, unsigned bits, uint64_t *flags))
{
    uint64_t a, flags = m->regs.rflags;
    int err = operand_check_write(m, at(m, 0));

    if (!err)
        err = operand_read(m, at(m, 0), &a);
    if (!err)
        err = operand_write(m, at(m, 0), f(a, at(m, 0)->size, &flags));
    if (!err)
        m->regs.rflags = flags;
    return err;
}

/* INC and DEC keep CF. */
static uint64_t step(enum alu op, uint64_t a, unsigned bits, uint64_t *flags)
{
    uint64_t carry = *flags & FLAG_CF;

    a = alu_two(op, a, 1, bits, flags);
    *flags = (*flags & ~FLAG_CF) | carry;
    return a;
}

static uint64_t unary_inc(uint64_t a, unsigned bits, uint64_t *flags)
{
    return step(ALU_ADD, a, bits, flags);
}

static uint64_t unary_dec(uint64_t a, unsigned bits, uint64_t *flags)
{
    return step(ALU_SUB, a, bits, flags);
}

static uint64_t unary_neg(uint64_t a, unsigned bits, uint64_t *flags)
{
    return alu_two(ALU_SUB, 0, a, bits, flags);
}

static uint64_t unary_not(uint64_t a, unsigned bits, uint64_t *flags)
{
    (void)bits;
    (void)flags;
    return ~a;
}

static int run_inc(struct emulation *m)
{
    return run_unary(m, unary_inc);
}

static int run_dec(struct emulation *m)
{
    return run_unary(m, unary_dec);
}

static int run_neg(struct emulation *m)
{
    return run_unary(m, unary_neg);
}

static int run_not(struct emulation *m)
{
    return run_unary(m, unary_not);
}

/* --- conditions --- */

static int run_setcc(struct emulation *m)
{
    return operand_write(m, at(m, 0),
                         alu_condition(m->regs.rflags, m->insn.opcode & 0xf));
}

/* The source is read, and the upper half cleared, in any case. */
static int run_cmovcc(struct emulation *m)
{
    bool take = alu_condition(m->regs.rflags, m->insn.opcode & 0xf);
    uint64_t a, b;
    int err = read_both(m, false, &a, &b);

    return err ? err : operand_write(m, at(m, 0), take ? b : a);
}

/* --- which one --- */

/* The frequent ones first. */
static const struct {
    uint16_t mnemonic;
    int (*run)(struct emulation *m);
} table[] = {
    {ZYDIS_MNEMONIC_MOV, run_mov},      {ZYDIS_MNEMONIC_MOVZX, run_mov},
    {ZYDIS_MNEMONIC_MOVNTI, run_mov},   {ZYDIS_MNEMONIC_MOVSX, run_movsx},
    {ZYDIS_MNEMONIC_MOVSXD, run_movsx}, {ZYDIS_MNEMONIC_AND, run_and},
    {ZYDIS_MNEMONIC_OR, run_or},        {ZYDIS_MNEMONIC_XOR, run_xor},
    {ZYDIS_MNEMONIC_TEST, run_test},    {ZYDIS_MNEMONIC_CMP, run_cmp},
    {ZYDIS_MNEMONIC_ADD, run_add},      {ZYDIS_MNEMONIC_SUB, run_sub},
    {ZYDIS_MNEMONIC_ADC, run_adc},      {ZYDIS_MNEMONIC_SBB, run_sbb},
    {ZYDIS_MNEMONIC_XCHG, run_xchg},    {ZYDIS_MNEMONIC_CMPXCHG, run_cmpxchg},
    {ZYDIS_MNEMONIC_XADD, run_xadd},    {ZYDIS_MNEMONIC_INC, run_inc},
    {ZYDIS_MNEMONIC_DEC, run_dec},      {ZYDIS_MNEMONIC_NOT, run_not},
    {ZYDIS_MNEMONIC_NEG, run_neg},      {ZYDIS_MNEMONIC_MOVBE, run_movbe},
    {ZYDIS_MNEMONIC_BT, emulate_bits},  {ZYDIS_MNEMONIC_BTS, emulate_bits},
    {ZYDIS_MNEMONIC_BTR, emulate_bits}, {ZYDIS_MNEMONIC_BTC, emulate_bits},
};

static bool is_string(const ZydisDecodedInstruction *i)
{
    return i->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
           ((i->opcode >= OP_MOVS && i->opcode <= OP_CMPS_END) ||
            (i->opcode >= OP_STOS && i->opcode <= OP_SCAS_END));
}

static int run(struct emulation *m)
{
    const ZydisDecodedInstruction *i = &m->insn;

    if (i->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
        return -ENOTSUP;
    if (is_string(i))
        return emulate_string(m);
    for (size_t k = 0; k < ARRAY_SIZE(table); k++)
        if (table[k].mnemonic == i->mnemonic)
            return table[k].run(m);
    if (i->opcode_map != ZYDIS_OPCODE_MAP_0F)
        return -ENOTSUP;
    if ((i->opcode & OP_ROW) == OP_SETCC)
        return run_setcc(m);
    if ((i->opcode & OP_ROW) == OP_CMOVCC)
        return run_cmovcc(m);
    return emulate_vector(m);
}

/* --- decoding --- */

static void decoder_init(ZydisDecoder *d, const struct emulation *m)
{
    const struct vcpu_state *s = m->state;
    bool big = s->segment[SEGMENT_CS].attributes & SEGMENT_BIG;

    if (emulate_is_long(s))
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    else if (!(s->cr0 & CR0_PE) || (m->regs.rflags & RFLAGS_VM))
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16);
    else if (big)
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
    else
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
}

static void go_on(struct emulation *m)
{
    m->regs.rip += m->insn.length;
    if (!emulate_is_long(m->state))
        m->regs.rip = (uint32_t)m->regs.rip;
    m->regs.rflags &= ~RFLAGS_RF;
}

int emulate_run(struct emulation *m, const uint8_t *bytes, size_t n)
{
    ZydisDecoder decoder;
    ZyanStatus status;
    int err;

    if (!n)
        return -ENODATA;
    decoder_init(&decoder, m);
    status = ZydisDecoderDecodeFull(&decoder, bytes, n, &m->insn, m->operands);
    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        return n < INSTRUCTION_MAX ? -ENODATA : -EILSEQ;
    if (!ZYAN_SUCCESS(status))
        return -EILSEQ;
    err = run(m);
    if (!err)
        go_on(m);
    return err;
}
