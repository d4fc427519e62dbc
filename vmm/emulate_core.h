/*
 * One instruction of a guest, decoded and executed on copies of its registers,
 * with all memory reached through a few functions. Pure: tests run it beside
 * the host's own CPU.
 *
 * Nothing is changed before the last access that can fail has succeeded, so
 * that a fault leaves the guest as its CPU would; a repeated string instruction
 * keeps the elements that are done.
 */
#ifndef VMM_EMULATE_CORE_H
#define VMM_EMULATE_CORE_H

#include <Zydis/Zydis.h>

#include "vmm/walk.h"

#define INSTRUCTION_MAX 15
/* Elements of one REP that are done before others get the vCPU's attention. */
#define EMULATE_CHUNK 256

struct emulation;

/* Linear addresses, 1 to 8 bytes, page crossings included. 0; -EFAULT: fault is
 * filled in; -EIO: the guest's page tables cannot be read. */
struct emulate_ops {
    /* Would an access of this kind succeed? Has no effect on devices. */
    int (*check)(struct emulation *m, uint64_t linear, unsigned n, bool write);
    int (*read)(struct emulation *m, uint64_t linear, void *out, unsigned n);
    int (*write)(struct emulation *m, uint64_t linear, const void *data,
                 unsigned n);
    /* XMM registers. */
    void (*vector_get)(struct emulation *m, unsigned i, uint64_t value[2]);
    void (*vector_set)(struct emulation *m, unsigned i,
                       const uint64_t value[2]);
};

struct emulation {
    struct vcpu_registers regs;     /* in and out */
    const struct vcpu_state *state; /* segments, modes */
    const struct emulate_ops *ops;
    struct guest_fault fault; /* of -EFAULT */
    /* Of emulate_run. */
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

#define EMULATE_AGAIN 1

/*
 * 0: done, RIP is behind it. EMULATE_AGAIN: a REP is not at its end, RIP is
 * still there. -EFAULT: the guest gets `fault`. -EIO: see ops. -ENODATA: `n`
 * bytes are not all of it. -ENOTSUP: not known. -EILSEQ: not an instruction.
 */
int emulate_run(struct emulation *m, const uint8_t *bytes, size_t n);

/* --- between emulate_*.c --- */

bool emulate_is_long(const struct vcpu_state *s);
/* An address behind a linear one: below long mode they wrap at 4 GiB. */
static inline uint64_t linear_after(const struct vcpu_state *s, uint64_t linear,
                                    unsigned n)
{
    return emulate_is_long(s) ? linear + n : (uint32_t)(linear + n);
}

/* Registers, memory and immediates; values are zero-extended. A write of 32
 * bits clears the upper half. -ENOTSUP: another kind of operand. */
int operand_read(struct emulation *m, const ZydisDecodedOperand *o,
                 uint64_t *value);
int operand_write(struct emulation *m, const ZydisDecodedOperand *o,
                  uint64_t value);
/* Before something is read that is written afterwards. */
int operand_check_write(struct emulation *m, const ZydisDecodedOperand *o);
/* `offset`: what a bit string instruction adds. */
int operand_linear(struct emulation *m, const ZydisDecodedOperand *o,
                   int64_t offset, unsigned n, bool write, uint64_t *linear);
static inline uint64_t operand_mask(const ZydisDecodedOperand *o)
{
    return o->size >= 64 ? UINT64_MAX : (UINT64_C(1) << o->size) - 1;
}

enum alu {
    ALU_ADD, /* in the order of the opcodes, Intel SDM 2D table A-2 */
    ALU_OR,
    ALU_ADC,
    ALU_SBB,
    ALU_AND,
    ALU_SUB,
    ALU_XOR,
    ALU_CMP /* as SUB */
};

/* `bits` 8 to 64; rflags in and out. */
uint64_t alu_two(enum alu op, uint64_t a, uint64_t b, unsigned bits,
                 uint64_t *rflags);
/* Condition 0 to 15, as in Jcc. */
bool alu_condition(uint64_t rflags, unsigned condition);

int emulate_string(struct emulation *m);
int emulate_bits(struct emulation *m);
int emulate_vector(struct emulation *m);

#endif
