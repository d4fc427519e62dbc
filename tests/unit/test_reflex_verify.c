/* sources: kernel/reflex/verify.c kernel/reflex/ops.c kernel/core/fmt.c */
/* The verifier accepts what is harmless, knows its bound, and says why it
 * refuses the rest. */
#include "check.h"

#include <stdlib.h>

#include "kernel/reflex/image.h"

/* --- the world of these tests --- */

static const struct event_field fields[] = {
    EVENT_FIELD(code, EVENT_U32, ""),
    EVENT_FIELD(value, EVENT_I64, ""),
    EVENT_FIELD(text, EVENT_TEXT, ""),
    {.name = "outside", .kind = EVENT_U64, .offset = 60, .size = 8},
    {0}};
static const struct event_field few[] = {EVENT_FIELD(code, EVENT_U32, ""), {0}};
static const struct event_type key = {"key", "", fields, NULL};
static const struct event_type bare = {"bare", "", few, NULL};
static const struct reflex_action actions[] = {
    {.name = "none", .args = ""},   {.name = "number", .args = "n"},
    {.name = "text", .args = "t"},  {.name = "both", .args = "tn?nn"},
    {.name = "which", .args = "i"},
};

static const struct event_type *find_type(const char *name)
{
    return !strcmp(name, "key") ? &key : !strcmp(name, "bare") ? &bare : NULL;
}

static const struct reflex_action *find_action(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (!strcmp(actions[i].name, name))
            return &actions[i];
    return NULL;
}

static const struct reflex_world world = {find_type, find_action};

/* --- images, put together part by part --- */

static struct reflex_header header;
static struct reflex_entry entries[REFLEX_ENTRIES_MAX + 1];
static struct reflex_insn insns[REFLEX_INSNS_MAX + 1];
static int64_t constants[4];
static struct reflex_string strings[4];
static struct reflex_call calls[4];
static struct reflex_window windows[4];
static struct reflex_counter counters[4];
static uint64_t bytes[8192];
static char why[REFLEX_WHY_MAX];
static unsigned bound;
static int size_error;

static void begin(void)
{
    header = (struct reflex_header){
        .magic = REFLEX_MAGIC, .name = "rule", .entries = 1};
    memset(entries, 0, sizeof(entries));
    memset(insns, 0, sizeof(insns));
    memset(calls, 0, sizeof(calls));
    memset(windows, 0, sizeof(windows));
    memset(counters, 0, sizeof(counters));
    strcpy(entries[0].type, "key");
    bound = 0;
    size_error = 0;
}

static void add(uint8_t op, uint8_t a, uint8_t b, uint8_t c, int32_t imm)
{
    insns[header.insns++] = (struct reflex_insn){op, a, b, c, imm};
}

static char *part(char *at, const void *from, size_t size)
{
    memcpy(at, from, size);
    return at + size;
}

/* 0, or the refusal's code with `why`. */
static int verify(void)
{
    char *at = (char *)bytes + sizeof(header);
    struct reflex_image image;
    size_t size;
    int err;

    at = part(at, entries, header.entries * sizeof(entries[0]));
    at = part(at, insns, header.insns * sizeof(insns[0]));
    at = part(at, constants, header.constants * sizeof(constants[0]));
    at = part(at, strings, header.strings * sizeof(strings[0]));
    at = part(at, calls, header.calls * sizeof(calls[0]));
    at = part(at, windows, header.windows * sizeof(windows[0]));
    at = part(at, counters, header.counters * sizeof(counters[0]));
    size = (size_t)(at - (char *)bytes) + header.source;
    header.size = (uint32_t)size + (uint32_t)size_error;
    memcpy(bytes, &header, sizeof(header));
    strcpy(why, "");
    err = reflex_image_open(bytes, size, &image, why);
    return err ? err : reflex_image_verify(&image, &world, &bound, why);
}

#define REFUSED(text)                                            \
    do {                                                         \
        CHECK(verify() < 0);                                     \
        if (!strstr(why, (text)))                                \
            CHECK_FAIL("it says \"%s\", not \"%s\"", why, text); \
    } while (0)
#define ACCEPTED()                                   \
    do {                                             \
        if (verify())                                \
            CHECK_FAIL("refused, because: %s", why); \
    } while (0)

/* --- what is good --- */

TEST(the_least_rule_is_one_step)
{
    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
    CHECK_EQ(bound, 1);
}

TEST(the_bound_is_that_of_the_dearest_way)
{
    begin();
    header.windows = 1;
    windows[0] = (struct reflex_window){.within = 5, .count = 3};
    add(REFLEX_IMM, 0, 0, 0, 1);   /* 1 */
    add(REFLEX_JZ, 0, 0, 0, 3);    /* 1 */
    add(REFLEX_COUNT, 1, 0, 0, 0); /* 8 */
    add(REFLEX_END, 0, 0, 0, 0);   /* 1 */
    add(REFLEX_NEG, 2, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
    CHECK_EQ(bound, 11);
}

TEST(ways_that_join_take_the_dearer_side)
{
    begin();
    add(REFLEX_IMM, 0, 0, 0, 1);
    add(REFLEX_JZ, 0, 0, 0, 4);
    add(REFLEX_IMM, 1, 0, 0, 1);
    add(REFLEX_IMM, 1, 0, 0, 1);
    add(REFLEX_IMM, 1, 0, 0, 1);
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
    CHECK_EQ(bound, 6);
}

TEST(a_dear_way_that_jumps_over_a_cheap_one_counts)
{
    begin();
    header.windows = 1;
    windows[0] = (struct reflex_window){.within = 5, .count = 3};
    add(REFLEX_IMM, 0, 0, 0, 1);
    add(REFLEX_JZ, 0, 0, 0, 3);
    add(REFLEX_COUNT, 1, 0, 0, 0);
    add(REFLEX_JMP, 0, 0, 0, 2);
    add(REFLEX_NEG, 2, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
    CHECK_EQ(bound, 12);
}

TEST(a_register_set_on_both_ways_may_be_read)
{
    begin();
    add(REFLEX_IMM, 0, 0, 0, 1);
    add(REFLEX_JZ, 0, 0, 0, 3);
    add(REFLEX_IMM, 1, 0, 0, 1);
    add(REFLEX_JMP, 0, 0, 0, 2);
    add(REFLEX_IMM, 1, 0, 0, 2);
    add(REFLEX_MOV, 2, 1, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
}

TEST(an_action_takes_its_arguments)
{
    begin();
    header.constants = header.strings = header.calls = 1;
    strcpy(calls[0].action, "both");
    calls[0].argc = 3;
    calls[0].arg[0].kind = REFLEX_ARG_STRING;
    calls[0].arg[1].kind = REFLEX_ARG_CONSTANT;
    calls[0].arg[2].kind = REFLEX_ARG_REGISTER;
    add(REFLEX_IMM, 0, 0, 0, 1);
    add(REFLEX_ACT, 0, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
    CHECK_EQ(bound, 2 + REFLEX_ACTION_STEPS);
    calls[0].argc = 2;
    ACCEPTED();
    calls[0].argc = 1;
    REFUSED("both does not take 1 arguments");
    calls[0].argc = 5;
    REFUSED("both does not take 5 arguments");
}

TEST(the_greatest_program_is_accepted)
{
    begin();
    for (int i = 0; i < REFLEX_INSNS_MAX - 1; i++)
        add(REFLEX_IMM, 15, 0, 0, i);
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
    CHECK_EQ(bound, REFLEX_INSNS_MAX);
}

/* --- what is not: the frame --- */

TEST(the_frame_of_an_image_is_checked)
{
    struct reflex_image image;

    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    CHECK(reflex_image_open(bytes, sizeof(header) - 1, &image, why) < 0);
    CHECK_STR(why, "the image is shorter than its header");
    size_error = 8;
    REFUSED("its header says");
    size_error = 0;
    header.magic = 1;
    REFUSED("not the image of a rule");
    begin();
    REFUSED("has no instruction");
    add(REFLEX_END, 0, 0, 0, 0);
    header.entries = 0;
    REFUSED("has no entry");
    header.entries = 1;
    header.cells = REFLEX_CELLS_MAX + 1;
    REFUSED("17 cells, at most 16");
    header.cells = 0;
    header.source = 4;
    REFUSED("the parts take");
}

TEST(parts_are_not_longer_than_they_may_be)
{
    begin();
    for (int i = 0; i < REFLEX_INSNS_MAX; i++)
        add(REFLEX_IMM, 0, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("513 instructions, at most 512");
    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    header.entries = REFLEX_ENTRIES_MAX + 1;
    for (int i = 0; i < header.entries; i++)
        strcpy(entries[i].type, "key");
    REFUSED("65 entries, at most 64");
}

TEST(parts_that_are_not_there_are_missed)
{
    struct reflex_image image;

    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    CHECK_EQ(verify(), 0);
    ((struct reflex_header *)bytes)->constants = 9;
    CHECK(reflex_image_open(bytes, header.size, &image, why) < 0);
    CHECK(strstr(why, "the parts take"));
}

TEST(names_are_names)
{
    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    memset(header.name, 'x', sizeof(header.name));
    REFUSED("the rule's name");
    memset(header.name, 0, sizeof(header.name));
    REFUSED("the rule's name");
    strcpy(header.name, "a\nb");
    REFUSED("the rule's name");
    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    strcpy(entries[0].type, "nothing");
    REFUSED("there is no event type 'nothing'");
    memset(entries[0].type, 'x', sizeof(entries[0].type));
    REFUSED("there is no event type '?'");
    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    header.counters = 1;
    REFUSED("counter 0 has no good name");
}

TEST(an_entry_lies_inside)
{
    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    entries[0].start = 1;
    REFUSED("the entry for 'key' lies outside");
    entries[0].start = 0;
    entries[0].by_code = 2;
    REFUSED("neither for one code nor for all");
}

TEST(a_window_counts_something)
{
    begin();
    add(REFLEX_END, 0, 0, 0, 0);
    header.windows = 1;
    windows[0].count = 1;
    REFUSED("window 0 counts nothing");
    windows[0].within = 1;
    windows[0].count = 0;
    REFUSED("window 0 counts nothing");
}

/* --- what is not: the program --- */

TEST(jumps_go_forward_and_stay_inside)
{
    begin();
    add(REFLEX_JMP, 0, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("jumps go forward only");
    insns[0].imm = -1;
    REFUSED("jumps go forward only");
    insns[0].imm = 2;
    REFUSED("jumps out of the program");
    insns[0].imm = INT32_MAX;
    REFUSED("jumps out of the program");
    insns[0].imm = 1;
    ACCEPTED();
}

TEST(a_program_has_an_end)
{
    begin();
    add(REFLEX_IMM, 0, 0, 0, 0);
    REFUSED("runs past its end");
    begin();
    add(REFLEX_IMM, 0, 0, 0, 0);
    add(REFLEX_JZ, 0, 0, 0, 1);
    REFUSED("jumps out of the program");
}

TEST(registers_exist_and_are_set_before_they_are_read)
{
    begin();
    add(REFLEX_IMM, 16, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("there is no register 16");
    begin();
    add(REFLEX_MOV, 0, 1, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("register 1 may not be set");
    begin();
    add(REFLEX_IMM, 0, 0, 0, 0);
    add(REFLEX_JZ, 0, 0, 0, 2);
    add(REFLEX_IMM, 1, 0, 0, 0);
    add(REFLEX_ADD, 2, 0, 1, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("instruction 3: register 1 may not be set");
    begin();
    add(REFLEX_JNZ, 3, 0, 0, 1);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("register 3 may not be set");
}

static void refuse_operand(uint8_t op, int32_t imm, const char *text)
{
    begin();
    add(REFLEX_IMM, 0, 0, 0, 0);
    add(op, 0, 0, 0, imm);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED(text);
}

TEST(operations_and_operands_exist)
{
    refuse_operand(REFLEX_OPS, 0, "there is no operation");
    refuse_operand(255, 0, "there is no operation 255");
    refuse_operand(REFLEX_CONST, 0, "there is no constant 0");
    refuse_operand(REFLEX_CONST, -1, "there is no constant 4294967295");
    refuse_operand(REFLEX_CELL_GET, 0, "there is no cell 0");
    refuse_operand(REFLEX_CELL_ADD, 0, "there is no cell 0");
    refuse_operand(REFLEX_STEP, 0, "there is no cell 0");
    refuse_operand(REFLEX_COOL, 0, "there is no cell 0");
    refuse_operand(REFLEX_GO, 0, "there is no cell 0");
    refuse_operand(REFLEX_SHARED_GET, 0, "there is no counter 0");
    refuse_operand(REFLEX_COUNT, 0, "there is no window 0");
    refuse_operand(REFLEX_ACT, 0, "there is no call 0");
    refuse_operand(REFLEX_FIELD, 4, "have no field 4");
    refuse_operand(REFLEX_FIELD, -1, "have no field");
    refuse_operand(REFLEX_FIELD, 2, "field 'text' is a text");
    refuse_operand(REFLEX_FIELD, 3, "field 'outside' lies outside");
    refuse_operand(REFLEX_TEXT_EQ, 1, "field 'value' is no text");
    refuse_operand(REFLEX_TEXT_EQ, 2, "there is no string 0");
    refuse_operand(REFLEX_TEXT_EQ, 2 | 1 << 16, "there is no string 1");
}

TEST(the_last_of_each_may_be_used_and_no_more)
{
    begin();
    header.cells = REFLEX_CELLS_MAX;
    header.constants = 4;
    add(REFLEX_CELL_GET, 0, 0, 0, REFLEX_CELLS_MAX - 1);
    add(REFLEX_CONST, 0, 0, 0, 3);
    add(REFLEX_COOL, 0, 0, 0, (REFLEX_CELLS_MAX - 1) | 3 << 16);
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
    insns[2].imm = 4 << 16;
    REFUSED("there is no constant 4");
    insns[2].imm = 0;
    insns[0].imm = REFLEX_CELLS_MAX;
    REFUSED("there is no cell 16");
}

TEST(fields_are_those_of_the_entry_s_type)
{
    begin();
    header.entries = 2;
    strcpy(entries[1].type, "bare");
    add(REFLEX_FIELD, 0, 0, 0, 1);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("events of type 'bare' have no field 1");
    entries[1].start = 1;
    ACCEPTED();
}

static void call_begin(const char *action, uint8_t argc)
{
    begin();
    header.calls = 1;
    strcpy(calls[0].action, action);
    calls[0].argc = argc;
    add(REFLEX_ACT, 0, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
}

TEST(actions_exist_and_their_arguments_fit)
{
    call_begin("nothing", 0);
    REFUSED("there is no action 'nothing'");
    memset(calls[0].action, 'x', sizeof(calls[0].action));
    REFUSED("there is no action '?'");
    call_begin("none", 0);
    ACCEPTED();
    call_begin("none", 1);
    REFUSED("none does not take 1 arguments");
    call_begin("none", 255);
    REFUSED("none does not take 255 arguments");
    call_begin("number", 0);
    REFUSED("number does not take 0 arguments");
    call_begin("number", 1);
    calls[0].arg[0].kind = REFLEX_ARG_CONSTANT;
    REFUSED("argument 1 of number is wrong");
    calls[0].arg[0].kind = REFLEX_ARG_STRING;
    REFUSED("argument 1 of number is wrong");
    calls[0].arg[0].kind = REFLEX_ARG_REGISTER;
    REFUSED("argument 1 of number is wrong");
    calls[0].arg[0].index = REFLEX_REGISTERS;
    REFUSED("argument 1 of number is wrong");
    calls[0].arg[0].kind = 9;
    REFUSED("argument 1 of number is wrong");
    header.constants = 1;
    calls[0].arg[0].kind = REFLEX_ARG_CONSTANT;
    calls[0].arg[0].index = 1;
    REFUSED("argument 1 of number is wrong");
    calls[0].arg[0].index = 0;
    ACCEPTED();
    call_begin("text", 1);
    header.constants = 1;
    REFUSED("argument 1 of text is wrong");
    calls[0].arg[0].kind = REFLEX_ARG_STRING;
    REFUSED("argument 1 of text is wrong");
    header.strings = 1;
    ACCEPTED();
    call_begin("which", 1); /* an id or a name */
    header.constants = header.strings = 1;
    calls[0].arg[0].kind = REFLEX_ARG_CONSTANT;
    ACCEPTED();
    calls[0].arg[0].kind = REFLEX_ARG_STRING;
    ACCEPTED();
    calls[0].arg[0].index = 1;
    REFUSED("argument 1 of which is wrong");
}

TEST(what_no_way_leads_to_is_refused)
{
    begin();
    add(REFLEX_JMP, 0, 0, 0, 2);
    add(REFLEX_IMM, 0, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("instruction 1 is never reached");
}

TEST(what_takes_too_long_is_refused)
{
    begin();
    header.windows = 1;
    windows[0] = (struct reflex_window){.within = 5, .count = 3};
    for (int i = 0; i < 127; i++)
        add(REFLEX_COUNT, 0, 0, 0, 0);
    for (int i = 0; i < 7; i++)
        add(REFLEX_IMM, 0, 0, 0, 0);
    add(REFLEX_END, 0, 0, 0, 0);
    ACCEPTED();
    CHECK_EQ(bound, REFLEX_STEPS_MAX);
    insns[header.insns - 1].op = REFLEX_IMM;
    add(REFLEX_END, 0, 0, 0, 0);
    REFUSED("it may take 1025 steps, at most 1024");
}

CHECK_MAIN
