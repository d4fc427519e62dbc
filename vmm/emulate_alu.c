/* Arithmetic with its flags, Intel SDM 1 3.4.3.1. Pure. */
#include "vmm/emulate_core.h"

#define FLAG_CF    UINT64_C(0x001)
#define FLAG_PF    UINT64_C(0x004)
#define FLAG_AF    UINT64_C(0x010)
#define FLAG_ZF    UINT64_C(0x040)
#define FLAG_SF    UINT64_C(0x080)
#define FLAG_OF    UINT64_C(0x800)
#define FLAGS_ALL  (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)
#define NIBBLE_BIT 0x10

static uint64_t sign_bit(unsigned bits)
{
    return UINT64_C(1) << (bits - 1);
}

static uint64_t flags_of_result(uint64_t r, unsigned bits)
{
    return (r ? 0 : FLAG_ZF) | (r & sign_bit(bits) ? FLAG_SF : 0) |
           (__builtin_parity((uint8_t)r) ? 0 : FLAG_PF);
}

/* Carries out of each bit position of a + b + carry = r. */
static uint64_t flags_of_carries(uint64_t carries, uint64_t a, uint64_t b,
                                 uint64_t r, unsigned bits)
{
    return (carries & sign_bit(bits) ? FLAG_CF : 0) |
           ((a ^ b ^ r) & NIBBLE_BIT ? FLAG_AF : 0);
}

uint64_t alu_two(enum alu op, uint64_t a, uint64_t b, unsigned bits,
                 uint64_t *rflags)
{
    uint64_t mask = sign_bit(bits) | (sign_bit(bits) - 1);
    uint64_t carry = *rflags & FLAG_CF, r, flags = 0;

    a &= mask;
    b &= mask;
    switch (op) {
    case ALU_ADD:
    case ALU_ADC:
        r = (a + b + (op == ALU_ADC ? carry : 0)) & mask;
        flags = flags_of_carries((a & b) | ((a | b) & ~r), a, b, r, bits) |
                ((a ^ r) & (b ^ r) & sign_bit(bits) ? FLAG_OF : 0);
        break;
    case ALU_SUB:
    case ALU_CMP:
    case ALU_SBB:
        r = (a - b - (op == ALU_SBB ? carry : 0)) & mask;
        flags = flags_of_carries((~a & b) | ((~a | b) & r), a, b, r, bits) |
                ((a ^ b) & (a ^ r) & sign_bit(bits) ? FLAG_OF : 0);
        break;
    case ALU_OR:
        r = a | b;
        break;
    case ALU_AND:
        r = a & b;
        break;
    default:
        r = a ^ b;
        break;
    }
    *rflags = (*rflags & ~FLAGS_ALL) | flags | flags_of_result(r, bits);
    return r;
}

bool alu_condition(uint64_t f, unsigned condition)
{
    bool sign_differs = !(f & FLAG_SF) != !(f & FLAG_OF);
    const bool truth[] = {
        f & FLAG_OF, f & FLAG_CF, f & FLAG_ZF,  f & (FLAG_CF | FLAG_ZF),
        f & FLAG_SF, f & FLAG_PF, sign_differs, sign_differs || (f & FLAG_ZF),
    };

    return truth[condition >> 1 & 7] != (condition & 1);
}
