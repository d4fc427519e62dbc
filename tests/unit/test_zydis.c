/* libraries: zydis */
/*
 * The decoder as we configure it tells all that emulation needs: which operand
 * is memory, of what size, at which address, and what it is paired with.
 */
#include "check.h"

#include <Zydis/Zydis.h>

static ZydisDecodedInstruction instruction;
static ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

static ZyanStatus decode(ZydisMachineMode mode, ZydisStackWidth width,
                         const uint8_t *bytes, size_t length)
{
    ZydisDecoder decoder;

    CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, mode, width)));
    return ZydisDecoderDecodeFull(&decoder, bytes, length, &instruction,
                                  operands);
}

#define DECODE(mode, width, ...)                                 \
    decode(ZYDIS_MACHINE_MODE_##mode, ZYDIS_STACK_WIDTH_##width, \
           (const uint8_t[]){__VA_ARGS__},                       \
           sizeof((const uint8_t[]){__VA_ARGS__}))

TEST(a_store_names_its_memory_operand_in_full)
{
    /* mov dword [rbx + rcx * 4 + 0xb0], eax */
    CHECK(ZYAN_SUCCESS(
        DECODE(LONG_64, 64, 0x89, 0x84, 0x8b, 0xb0, 0x00, 0x00, 0x00)));
    CHECK_EQ(instruction.length, 7);
    CHECK_EQ(instruction.mnemonic, ZYDIS_MNEMONIC_MOV);
    CHECK_EQ(operands[0].type, ZYDIS_OPERAND_TYPE_MEMORY);
    CHECK_EQ(operands[0].size, 32);
    CHECK(operands[0].actions & ZYDIS_OPERAND_ACTION_WRITE);
    CHECK_EQ(operands[0].mem.base, ZYDIS_REGISTER_RBX);
    CHECK_EQ(operands[0].mem.index, ZYDIS_REGISTER_RCX);
    CHECK_EQ(operands[0].mem.scale, 4);
    CHECK_EQ(operands[0].mem.disp.value, 0xb0);
    CHECK_EQ(operands[1].reg.value, ZYDIS_REGISTER_EAX);
}

TEST(hidden_operands_of_string_instructions_are_there)
{
    /* rep movsb */
    CHECK(ZYAN_SUCCESS(DECODE(LONG_64, 64, 0xf3, 0xa4)));
    CHECK(instruction.attributes & ZYDIS_ATTRIB_HAS_REP);
    CHECK_EQ(instruction.operand_count_visible, 0);
    CHECK_EQ(operands[0].mem.base, ZYDIS_REGISTER_RDI);
    CHECK_EQ(operands[1].mem.base, ZYDIS_REGISTER_RSI);
}

TEST(real_mode_and_protected_mode_are_other_languages)
{
    /* mov word [bx], 0x1234, and 32 bits wide with the prefix */
    CHECK(ZYAN_SUCCESS(DECODE(LEGACY_16, 16, 0xc7, 0x07, 0x34, 0x12)));
    CHECK_EQ(operands[0].mem.base, ZYDIS_REGISTER_BX);
    CHECK_EQ(operands[0].size, 16);
    CHECK(ZYAN_SUCCESS(
        DECODE(LEGACY_32, 32, 0xc7, 0x07, 0x34, 0x12, 0x00, 0x00)));
    CHECK_EQ(operands[0].mem.base, ZYDIS_REGISTER_EDI);
    CHECK_EQ(operands[1].imm.value.u, 0x1234);
}

TEST(an_address_relative_to_the_instruction_can_be_computed)
{
    uint64_t address = 0;

    /* cmp byte [rip + 0x10], 1 */
    CHECK(ZYAN_SUCCESS(
        DECODE(LONG_64, 64, 0x80, 0x3d, 0x10, 0x00, 0x00, 0x00, 0x01)));
    CHECK(ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction, &operands[0],
                                                0x1000, &address)));
    CHECK_EQ(address, 0x1017);
}

TEST(cut_and_wrong_bytes_are_errors)
{
    CHECK(!ZYAN_SUCCESS(DECODE(LONG_64, 64, 0x89, 0x84, 0x8b)));
    CHECK(!ZYAN_SUCCESS(DECODE(LONG_64, 64, 0x06)));
}

TEST(what_guests_are_not_shown_is_not_decoded)
{
    /* vmovups zmm0, [rax] (AVX-512); vmovups ymm0, [rax] is AVX */
    CHECK(
        !ZYAN_SUCCESS(DECODE(LONG_64, 64, 0x62, 0xf1, 0x7c, 0x48, 0x10, 0x00)));
    CHECK(ZYAN_SUCCESS(DECODE(LONG_64, 64, 0xc5, 0xfc, 0x10, 0x00)));
    CHECK_STR(ZydisMnemonicGetString(instruction.mnemonic), "vmovups");
}

CHECK_MAIN
