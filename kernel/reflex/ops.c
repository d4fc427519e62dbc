/* The operations of the machine: what each reads, writes and costs. Pure. */
#include "image.h"

#define A  OP_WRITES_A
#define RA OP_READS_A
#define RB OP_READS_B
#define RC OP_READS_C

#define BINARY(label)                       \
    {                                       \
        label, A | RB | RC, OPERAND_NONE, 1 \
    }

/* A comparison of texts looks at 32 bytes, a window at a ring of times. */
#define STEPS_TEXT   8
#define STEPS_COUNT  8
#define STEPS_ATOMIC 4

static const struct reflex_shape shapes[] = {
    [REFLEX_END] = {"end", 0, OPERAND_NONE, 1},
    [REFLEX_IMM] = {"imm", A, OPERAND_NUMBER, 1},
    [REFLEX_CONST] = {"const", A, OPERAND_CONSTANT, 1},
    [REFLEX_FIELD] = {"field", A, OPERAND_FIELD, 1},
    [REFLEX_MOV] = {"mov", A | RB, OPERAND_NONE, 1},
    [REFLEX_NEG] = {"neg", A | RB, OPERAND_NONE, 1},
    [REFLEX_INV] = {"inv", A | RB, OPERAND_NONE, 1},
    [REFLEX_NOT] = {"not", A | RB, OPERAND_NONE, 1},
    [REFLEX_ADD] = BINARY("add"),
    [REFLEX_SUB] = BINARY("sub"),
    [REFLEX_MUL] = BINARY("mul"),
    [REFLEX_DIV] = BINARY("div"),
    [REFLEX_MOD] = BINARY("mod"),
    [REFLEX_AND] = BINARY("and"),
    [REFLEX_OR] = BINARY("or"),
    [REFLEX_XOR] = BINARY("xor"),
    [REFLEX_SHL] = BINARY("shl"),
    [REFLEX_SHR] = BINARY("shr"),
    [REFLEX_EQ] = BINARY("eq"),
    [REFLEX_NE] = BINARY("ne"),
    [REFLEX_LT] = BINARY("lt"),
    [REFLEX_LE] = BINARY("le"),
    [REFLEX_TEXT_EQ] = {"text_eq", A, OPERAND_TEXT_PAIR, STEPS_TEXT},
    [REFLEX_JMP] = {"jmp", 0, OPERAND_JUMP, 1},
    [REFLEX_JZ] = {"jz", RA, OPERAND_JUMP, 1},
    [REFLEX_JNZ] = {"jnz", RA, OPERAND_JUMP, 1},
    [REFLEX_CELL_GET] = {"cell_get", A, OPERAND_CELL, 1},
    [REFLEX_CELL_SET] = {"cell_set", RB, OPERAND_CELL, 1},
    [REFLEX_CELL_ADD] = {"cell_add", A | RB, OPERAND_CELL, STEPS_ATOMIC},
    [REFLEX_SHARED_GET] = {"shared_get", A, OPERAND_SHARED, 1},
    [REFLEX_SHARED_SET] = {"shared_set", RB, OPERAND_SHARED, 1},
    [REFLEX_SHARED_ADD] = {"shared_add", A | RB, OPERAND_SHARED, STEPS_ATOMIC},
    [REFLEX_COUNT] = {"count", A, OPERAND_WINDOW, STEPS_COUNT},
    [REFLEX_COOL] = {"cool", A, OPERAND_CELL_PAIR, STEPS_ATOMIC},
    [REFLEX_STEP] = {"step", A, OPERAND_CELL, 1},
    [REFLEX_GO] = {"go", A, OPERAND_CELL_PAIR, STEPS_ATOMIC},
    [REFLEX_HIT] = {"hit", 0, OPERAND_NONE, 1},
    [REFLEX_MISS] = {"miss", 0, OPERAND_NONE, 1},
    [REFLEX_ACT] = {"act", 0, OPERAND_CALL, REFLEX_ACTION_STEPS},
    [REFLEX_CONSUME] = {"consume", 0, OPERAND_NONE, 1},
};

_Static_assert(ARRAY_SIZE(shapes) == REFLEX_OPS, "every operation has a shape");

const struct reflex_shape *reflex_shape_of(uint8_t op)
{
    static const struct reflex_shape none;

    return op < REFLEX_OPS ? &shapes[op] : &none;
}

unsigned reflex_op_steps(uint8_t op)
{
    return reflex_shape_of(op)->steps;
}

const char *reflex_op_name(uint8_t op)
{
    return reflex_shape_of(op)->name;
}
