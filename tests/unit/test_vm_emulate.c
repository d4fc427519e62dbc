/* sources: vmm/emulate_core.c vmm/emulate_alu.c vmm/emulate_operand.c
   vmm/emulate_string.c vmm/emulate_vector.c */
/* libraries: zydis */
/*
 * The emulator against this machine's own CPU: the same instruction, random
 * registers, flags and memory; then registers, defined flags and memory must be
 * equal. Modes other than long mode, and faults, by their expected results.
 */
#include <errno.h>
#include <stdlib.h>

#include "check.h"
#include "native.h"

#include "../../vmm/emulate_core.h"

#define PAGE      4096u
#define DATA_SIZE (2 * PAGE)
#define ROUNDS    1500
#define EQUAL     UINT64_C(0x5a5a5a5a5a5a5a5a)
#define FLAG_CF   0x001u
#define FLAG_DF   0x400u
#define FLAG_AF   0x010u
#define FLAGS     0x8d5u /* OF SF ZF AF PF CF */

/* --- memory of the emulated instruction --- */

static uint8_t *code, *data, shadow[DATA_SIZE], original[DATA_SIZE];
static uint64_t memory_base; /* of the shadow, in linear addresses */
static unsigned accesses_left;
static unsigned wild;
static uint64_t vectors[16][2];

static uint8_t *span(uint64_t linear, unsigned n)
{
    if (linear - memory_base > DATA_SIZE - n) {
        wild++;
        return NULL;
    }
    return shadow + (linear - memory_base);
}

static int permit(struct emulation *m, uint64_t linear)
{
    if (accesses_left--)
        return 0;
    accesses_left = 0;
    m->fault = (struct guest_fault){14, 2, linear};
    return -EFAULT;
}

static int host_check(struct emulation *m, uint64_t linear, unsigned n,
                      bool write)
{
    (void)write;
    return span(linear, n) ? permit(m, linear) : -EIO;
}

static int host_read(struct emulation *m, uint64_t linear, void *out,
                     unsigned n)
{
    uint8_t *p = span(linear, n);
    int err = p ? permit(m, linear) : -EIO;

    if (!err)
        memcpy(out, p, n);
    return err;
}

static int host_write(struct emulation *m, uint64_t linear, const void *from,
                      unsigned n)
{
    uint8_t *p = span(linear, n);
    int err = p ? permit(m, linear) : -EIO;

    if (!err)
        memcpy(p, from, n);
    return err;
}

static void host_vector_get(struct emulation *m, unsigned i, uint64_t v[2])
{
    (void)m;
    memcpy(v, vectors[i], sizeof(vectors[i]));
}

static void host_vector_set(struct emulation *m, unsigned i,
                            const uint64_t v[2])
{
    (void)m;
    memcpy(vectors[i], v, sizeof(vectors[i]));
}

static const struct emulate_ops ops = {
    .check = host_check,
    .read = host_read,
    .write = host_write,
    .vector_get = host_vector_get,
    .vector_set = host_vector_set,
};

/* --- random --- */

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static unsigned below(unsigned n)
{
    return (unsigned)(random64() >> 33) % n;
}

/* Values where carries and signs change are frequent. */
static uint64_t random_value(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     0x7fff,
                                     0x8000,
                                     0xffff,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     UINT64_MAX / 2,
                                     UINT64_MAX / 2 + 1,
                                     UINT64_MAX};

    return below(2) ? random64() : edges[below(ARRAY_SIZE(edges))];
}

/* --- forms --- */

enum {
    BYTE = 1,    /* the operand has 8 bits; else 16, 32 or 64 by prefixes */
    IMM8 = 2,    /* an immediate byte follows */
    IMM = 4,     /* one of the operand's size, 4 bytes at most */
    LOCK = 8,    /* may be locked */
    BITS = 16,   /* the register counts bits */
    STRING = 32, /* no ModRM byte; RSI, RDI and RCX */
    REP = 64,
    REPNE = 128,
    MOFFS = 256,    /* an address of 64 (32) bits follows */
    VECTOR = 512,   /* the register is an XMM one; no other prefix */
    ALIGNED = 1024, /* 16 bytes */
    NO_66 = 2048,
    WIDE = 4096, /* REX.W */
};

struct form {
    const char *name;
    uint8_t prefix, bytes, opcode[3];
    int8_t digit; /* of ModRM.reg, or -1: any register */
    unsigned options;
    unsigned undefined; /* flags */
};

#define ALU(n, op)                                                          \
    {n " r8", 0, 1, {op}, -1, BYTE, 0}, {n " r", 0, 1, {op + 1}, -1, 0, 0}, \
        {n " from m8", 0, 1, {op + 2}, -1, BYTE, 0},                        \
        {n " from m", 0, 1, {op + 3}, -1, 0, 0},                            \
        {n " m8, imm8", 0, 1, {0x80}, op >> 3, BYTE | IMM8, 0},             \
        {n " m, imm", 0, 1, {0x81}, op >> 3, IMM, 0},                       \
    {                                                                       \
        n " m, imm8", 0, 1, {0x83}, op >> 3, IMM8, 0                        \
    }

static const struct form forms[] = {
    {"mov to m8", 0, 1, {0x88}, -1, BYTE, 0},
    {"mov to m", 0, 1, {0x89}, -1, 0, 0},
    {"mov from m8", 0, 1, {0x8a}, -1, BYTE, 0},
    {"mov from m", 0, 1, {0x8b}, -1, 0, 0},
    {"mov m8, imm8", 0, 1, {0xc6}, 0, BYTE | IMM8, 0},
    {"mov m, imm", 0, 1, {0xc7}, 0, IMM, 0},
    {"mov al, moffs", 0, 1, {0xa0}, -1, BYTE | MOFFS, 0},
    {"mov ax, moffs", 0, 1, {0xa1}, -1, MOFFS, 0},
    {"mov moffs, al", 0, 1, {0xa2}, -1, BYTE | MOFFS, 0},
    {"mov moffs, ax", 0, 1, {0xa3}, -1, MOFFS, 0},
    {"movzx m8", 0, 2, {0x0f, 0xb6}, -1, 0, 0},
    {"movzx m16", 0, 2, {0x0f, 0xb7}, -1, 0, 0},
    {"movsx m8", 0, 2, {0x0f, 0xbe}, -1, 0, 0},
    {"movsx m16", 0, 2, {0x0f, 0xbf}, -1, 0, 0},
    {"movsxd", 0, 1, {0x63}, -1, NO_66, 0},
    {"movnti", 0, 2, {0x0f, 0xc3}, -1, NO_66, 0},
    {"movbe from", 0, 3, {0x0f, 0x38, 0xf0}, -1, 0, 0},
    {"movbe to", 0, 3, {0x0f, 0x38, 0xf1}, -1, 0, 0},
    ALU("add", 0x00),
    ALU("or", 0x08),
    ALU("adc", 0x10),
    ALU("sbb", 0x18),
    ALU("and", 0x20),
    ALU("sub", 0x28),
    ALU("xor", 0x30),
    ALU("cmp", 0x38),
    {"lock add", 0, 1, {0x01}, -1, LOCK, 0},
    {"test m8, r8", 0, 1, {0x84}, -1, BYTE, FLAG_AF},
    {"test m, r", 0, 1, {0x85}, -1, 0, FLAG_AF},
    {"test m8, imm8", 0, 1, {0xf6}, 0, BYTE | IMM8, FLAG_AF},
    {"test m, imm", 0, 1, {0xf7}, 0, IMM, FLAG_AF},
    {"not m8", 0, 1, {0xf6}, 2, BYTE | LOCK, 0},
    {"not m", 0, 1, {0xf7}, 2, LOCK, 0},
    {"neg m8", 0, 1, {0xf6}, 3, BYTE | LOCK, 0},
    {"neg m", 0, 1, {0xf7}, 3, LOCK, 0},
    {"inc m8", 0, 1, {0xfe}, 0, BYTE | LOCK, 0},
    {"inc m", 0, 1, {0xff}, 0, LOCK, 0},
    {"dec m8", 0, 1, {0xfe}, 1, BYTE | LOCK, 0},
    {"dec m", 0, 1, {0xff}, 1, LOCK, 0},
    {"xchg m8", 0, 1, {0x86}, -1, BYTE | LOCK, 0},
    {"xchg m", 0, 1, {0x87}, -1, LOCK, 0},
    {"cmpxchg m8", 0, 2, {0x0f, 0xb0}, -1, BYTE | LOCK, 0},
    {"cmpxchg m", 0, 2, {0x0f, 0xb1}, -1, LOCK, 0},
    {"xadd m8", 0, 2, {0x0f, 0xc0}, -1, BYTE | LOCK, 0},
    {"xadd m", 0, 2, {0x0f, 0xc1}, -1, LOCK, 0},
    {"bt m, r", 0, 2, {0x0f, 0xa3}, -1, BITS, FLAGS & ~FLAG_CF},
    {"bts m, r", 0, 2, {0x0f, 0xab}, -1, BITS | LOCK, FLAGS & ~FLAG_CF},
    {"btr m, r", 0, 2, {0x0f, 0xb3}, -1, BITS | LOCK, FLAGS & ~FLAG_CF},
    {"btc m, r", 0, 2, {0x0f, 0xbb}, -1, BITS | LOCK, FLAGS & ~FLAG_CF},
    {"bt m, imm8", 0, 2, {0x0f, 0xba}, 4, IMM8, FLAGS & ~FLAG_CF},
    {"bts m, imm8", 0, 2, {0x0f, 0xba}, 5, IMM8 | LOCK, FLAGS & ~FLAG_CF},
    {"btr m, imm8", 0, 2, {0x0f, 0xba}, 6, IMM8 | LOCK, FLAGS & ~FLAG_CF},
    {"btc m, imm8", 0, 2, {0x0f, 0xba}, 7, IMM8 | LOCK, FLAGS & ~FLAG_CF},
    {"seto", 0, 2, {0x0f, 0x90}, 0, BYTE, 0},
    {"setbe", 0, 2, {0x0f, 0x96}, 0, BYTE, 0},
    {"setnp", 0, 2, {0x0f, 0x9b}, 0, BYTE, 0},
    {"setg", 0, 2, {0x0f, 0x9f}, 0, BYTE, 0},
    {"cmovb", 0, 2, {0x0f, 0x42}, -1, 0, 0},
    {"cmovns", 0, 2, {0x0f, 0x49}, -1, 0, 0},
    {"cmovl", 0, 2, {0x0f, 0x4c}, -1, 0, 0},
    {"movsb", 0, 1, {0xa4}, -1, STRING | BYTE, 0},
    {"movs", 0, 1, {0xa5}, -1, STRING, 0},
    {"rep movsb", 0, 1, {0xa4}, -1, STRING | BYTE | REP, 0},
    {"rep movs", 0, 1, {0xa5}, -1, STRING | REP, 0},
    {"stosb", 0, 1, {0xaa}, -1, STRING | BYTE, 0},
    {"rep stos", 0, 1, {0xab}, -1, STRING | REP, 0},
    {"lodsb", 0, 1, {0xac}, -1, STRING | BYTE, 0},
    {"rep lods", 0, 1, {0xad}, -1, STRING | REP, 0},
    {"cmpsb", 0, 1, {0xa6}, -1, STRING | BYTE, 0},
    {"cmps", 0, 1, {0xa7}, -1, STRING, 0},
    {"repe cmpsb", 0, 1, {0xa6}, -1, STRING | BYTE | REP, 0},
    {"repne cmps", 0, 1, {0xa7}, -1, STRING | REPNE, 0},
    {"scasb", 0, 1, {0xae}, -1, STRING | BYTE, 0},
    {"repe scas", 0, 1, {0xaf}, -1, STRING | REP, 0},
    {"repne scasb", 0, 1, {0xae}, -1, STRING | BYTE | REPNE, 0},
    {"movaps from", 0, 2, {0x0f, 0x28}, -1, VECTOR | ALIGNED, 0},
    {"movaps to", 0, 2, {0x0f, 0x29}, -1, VECTOR | ALIGNED, 0},
    {"movups from", 0, 2, {0x0f, 0x10}, -1, VECTOR, 0},
    {"movups to", 0, 2, {0x0f, 0x11}, -1, VECTOR, 0},
    {"movdqa from", 0x66, 2, {0x0f, 0x6f}, -1, VECTOR | ALIGNED, 0},
    {"movdqu to", 0xf3, 2, {0x0f, 0x7f}, -1, VECTOR, 0},
    {"movntdq", 0x66, 2, {0x0f, 0xe7}, -1, VECTOR | ALIGNED, 0},
    {"movq from", 0xf3, 2, {0x0f, 0x7e}, -1, VECTOR, 0},
    {"movq to", 0x66, 2, {0x0f, 0xd6}, -1, VECTOR, 0},
    {"movd from", 0x66, 2, {0x0f, 0x6e}, -1, VECTOR, 0},
    {"movd to", 0x66, 2, {0x0f, 0x7e}, -1, VECTOR, 0},
    {"movq r/m from", 0x66, 2, {0x0f, 0x6e}, -1, VECTOR | WIDE, 0},
};

/* --- an instruction of a form --- */

struct made {
    uint8_t bytes[INSTRUCTION_MAX];
    unsigned length;
    unsigned size; /* of the operand, bytes */
    bool address32;
};

static void put(struct made *i, uint64_t value, unsigned n)
{
    memcpy(i->bytes + i->length, &value, n);
    i->length += n;
}

static unsigned any_register(void)
{
    unsigned r;

    do
        r = below(16);
    while (r == GPR_RSP);
    return r;
}

/* The register whose value decides the address; `where` is that address. */
static void set_base(struct native *n, const struct made *i, unsigned base,
                     uint64_t value)
{
    n->gpr[base] = i->address32 ? (uint32_t)value | random64() << 32 : value;
}

struct addressing {
    unsigned reg, base, index, scale;
    bool has_index, rip;
    int32_t disp;
};

/* Registers get their values; -1: they collide. */
static int choose(const struct form *f, struct made *i, struct native *n,
                  struct addressing *a, uint64_t where)
{
    *a = (struct addressing){.reg = f->digit < 0 ? any_register()
                                                 : (unsigned)f->digit,
                             .base = any_register(),
                             .index = any_register(),
                             .scale = below(4),
                             .has_index = below(2),
                             .rip = below(6) == 0,
                             .disp = (int32_t)random64() / 4};
    if (f->options & BITS) {
        int64_t bit = (int64_t)below(8 * PAGE) - 4 * (int64_t)PAGE;

        n->gpr[a->reg] = i->size == 8 ? (uint64_t)bit
                                      : (random64() << (8 * i->size)) |
                                            ((uint64_t)bit &
                                             ((1ull << 8 * i->size) - 1));
        if (a->base == a->reg || (a->has_index && a->index == a->reg))
            return -1;
    }
    if (a->rip)
        return 0;
    if (a->base == a->index)
        a->has_index = false;
    set_base(n, i, a->base,
             where - (uint64_t)(int64_t)a->disp -
                 (a->has_index ? n->gpr[a->index] << a->scale : 0));
    return 0;
}

static void make_modrm(struct made *i, const struct addressing *a,
                       uint64_t where, unsigned immediate)
{
    unsigned reg = (a->reg & 7) << 3;

    if (a->rip) {
        put(i, reg | 5, 1);
        put(i, where - ((uint64_t)(uintptr_t)code + i->length + 4 + immediate),
            4);
    } else if (a->has_index) {
        put(i, 0x84 | reg, 1);
        put(i, a->scale << 6 | (a->index & 7) << 3 | (a->base & 7), 1);
        put(i, (uint32_t)a->disp, 4);
    } else {
        put(i, 0x80 | reg | ((a->base & 7) == 4 ? 4 : a->base & 7), 1);
        if ((a->base & 7) == 4)
            put(i, 0x24, 1);
        put(i, (uint32_t)a->disp, 4);
    }
}

static void prefixes(const struct form *f, struct made *i)
{
    static const uint8_t sizes[] = {2, 4, 8};

    i->size = f->options & BYTE     ? 1
              : f->options & VECTOR ? 16
              : f->options & NO_66  ? sizes[1 + below(2)]
                                    : sizes[below(3)];
    i->address32 = below(4) == 0;
    if (i->address32)
        put(i, 0x67, 1);
    if (i->size == 2)
        put(i, 0x66, 1);
    if (f->options & REP)
        put(i, 0xf3, 1);
    if (f->options & REPNE)
        put(i, 0xf2, 1);
    if ((f->options & LOCK) && below(2))
        put(i, 0xf0, 1);
    if (f->prefix)
        put(i, f->prefix, 1);
}

/* false: try again. */
static bool make(const struct form *f, struct made *i, struct native *n)
{
    uint64_t where = (uint64_t)(uintptr_t)data + PAGE - 8 + below(16);
    struct addressing a = {0};
    unsigned rex = 0, immediate;

    *i = (struct made){0};
    prefixes(f, i);
    immediate = f->options & IMM8     ? 1
                : !(f->options & IMM) ? 0
                : i->size == 8        ? 4
                                      : i->size;
    if (f->options & ALIGNED)
        where &= ~(uint64_t)15;
    if (!(f->options & (STRING | MOFFS)) && choose(f, i, n, &a, where))
        return false;
    if (i->size == 8 || (f->options & WIDE))
        rex |= 0x48;
    rex |= (a.reg & 8 ? 0x44 : 0) | (!a.rip && a.base & 8 ? 0x41 : 0) |
           (!a.rip && a.has_index && a.index & 8 ? 0x42 : 0);
    /* Without REX, byte registers 4 to 7 are AH to BH. */
    if (f->digit < 0 && i->size == 1 && a.reg >= 5 && a.reg < 8 && below(2))
        rex |= 0x40;
    if (rex)
        put(i, rex, 1);
    for (unsigned k = 0; k < f->bytes; k++)
        put(i, f->opcode[k], 1);
    if (f->options & MOFFS)
        put(i, where, i->address32 ? 4 : 8);
    else if (!(f->options & STRING))
        make_modrm(i, &a, where, immediate);
    put(i, random_value(), immediate);
    return true;
}

/* --- both --- */

static void randomize(struct native *n, const struct form *f)
{
    uint64_t middle = (uint64_t)(uintptr_t)data + PAGE;

    for (unsigned r = 0; r < 16; r++) {
        n->gpr[r] = random_value();
        n->xmm[r][0] = random64();
        n->xmm[r][1] = random64();
    }
    n->flags = 0x202 | (random64() & FLAGS);
    if (f->options & STRING) {
        n->flags |= below(2) ? FLAG_DF : 0;
        n->gpr[GPR_RSI] = middle + below(200);
        n->gpr[GPR_RDI] = middle - below(200);
        /* Not 0: such a REP meets no memory. */
        n->gpr[GPR_RCX] = below(5) ? 1 + below(40) : 300;
    }
    for (unsigned k = 0; k < DATA_SIZE; k += 8) {
        uint64_t word = f->options & STRING && below(4) ? EQUAL : random64();

        memcpy(original + k, &word, sizeof(word));
    }
    /* An equal accumulator, for CMPXCHG and SCAS. */
    if (below(2))
        memcpy(&n->gpr[GPR_RAX], original + PAGE, 8);
    if (below(4) == 0)
        memset(original + PAGE - 32, 0, 64);
}

static struct vcpu_state long_mode(void)
{
    struct vcpu_state s = {.cr0 = 0x80000011, .cr4 = 0x20, .efer = 0x500};

    s.segment[SEGMENT_CS].attributes = 0xa9b;
    return s;
}

static bool same(const struct form *f, const struct emulation *m,
                 const struct made *i)
{
    uint64_t defined = (FLAGS & ~f->undefined) | FLAG_DF;
    bool good = !((m->regs.rflags ^ native_state.flags) & defined) &&
                !memcmp(shadow, data, DATA_SIZE) &&
                !memcmp(vectors, native_state.xmm, sizeof(vectors)) &&
                m->regs.rip == (uint64_t)(uintptr_t)code + i->length;

    for (unsigned r = 0; r < 16; r++)
        good = good && (r == GPR_RSP || m->regs.gpr[r] == native_state.gpr[r]);
    return good;
}

static void report(const struct form *f, const struct emulation *m,
                   const struct made *i, int err)
{
    printf("# %s:", f->name);
    for (unsigned k = 0; k < i->length; k++)
        printf(" %02x", i->bytes[k]);
    printf(" gives %d, flags %#llx for %#llx\n", err,
           (unsigned long long)m->regs.rflags,
           (unsigned long long)native_state.flags);
    for (unsigned r = 0; r < 16; r++)
        if (r != GPR_RSP && m->regs.gpr[r] != native_state.gpr[r])
            printf("# register %u: %#llx for %#llx\n", r,
                   (unsigned long long)m->regs.gpr[r],
                   (unsigned long long)native_state.gpr[r]);
}

static struct emulation emulation_of(const struct native *n,
                                     const struct vcpu_state *s)
{
    struct emulation m = {.state = s, .ops = &ops};

    memcpy(m.regs.gpr, n->gpr, sizeof(n->gpr));
    m.regs.rip = (uint64_t)(uintptr_t)code;
    m.regs.rflags = n->flags;
    memcpy(vectors, n->xmm, sizeof(vectors));
    memcpy(shadow, original, DATA_SIZE);
    memory_base = (uint64_t)(uintptr_t)data;
    accesses_left = UINT32_MAX;
    return m;
}

static bool prepare(const struct form *f, struct made *i, struct native *n)
{
    randomize(n, f);
    return make(f, i, n);
}

static bool one(const struct form *f)
{
    struct vcpu_state s = long_mode();
    struct emulation m;
    struct native n;
    struct made i;
    int err;

    while (!prepare(f, &i, &n))
        ;
    if ((f->options & STRING) && i.address32) {
        n.gpr[GPR_RSI] |= random64() << 32;
        n.gpr[GPR_RDI] |= random64() << 32;
    }
    m = emulation_of(&n, &s);
    do
        err = emulate_run(&m, i.bytes, i.length);
    while (err == EMULATE_AGAIN);
    memcpy(data, original, DATA_SIZE);
    memcpy(code, i.bytes, i.length);
    native_state = n;
    native_execute(code, i.length);
    if (!err && same(f, &m, &i))
        return true;
    report(f, &m, &i, err);
    return false;
}

static void pages(void)
{
    if (code)
        return;
    code = native_pages(PAGE + DATA_SIZE);
    data = code + PAGE;
}

TEST(every_form_does_what_this_machine_does)
{
    pages();
    CHECK(code);
    for (size_t k = 0; k < ARRAY_SIZE(forms); k++) {
        unsigned bad = 0;

        for (unsigned round = 0; round < ROUNDS && bad < 2; round++)
            bad += !one(&forms[k]);
        if (bad)
            CHECK_FAIL("%s", forms[k].name);
    }
    CHECK_EQ(wild, 0);
}

/* The n-th access fails: registers as before (of a REP: as after the elements
 * that are done), and the memory too, unless the fault is a second part's. */
TEST(a_fault_leaves_registers_as_they_were)
{
    pages();
    for (size_t k = 0; k < ARRAY_SIZE(forms); k++) {
        const struct form *f = &forms[k];

        if (f->options & (REP | REPNE))
            continue;
        for (unsigned round = 0; round < 50; round++) {
            struct vcpu_state s = long_mode();
            struct emulation m;
            struct vcpu_registers before;
            struct native n;
            struct made i;

            while (!prepare(f, &i, &n))
                ;
            m = emulation_of(&n, &s);
            before = m.regs;
            accesses_left = below(2);
            if (emulate_run(&m, i.bytes, i.length) != -EFAULT)
                continue;
            CHECK_EQ(m.fault.vector, 14);
            if (memcmp(&before, &m.regs, sizeof(before)) ||
                memcmp(shadow, original, DATA_SIZE) ||
                memcmp(vectors, n.xmm, sizeof(vectors)))
                CHECK_FAIL("%s changed something", f->name);
        }
    }
}

TEST(a_rep_that_faults_keeps_what_is_done)
{
    static const uint8_t rep_stosd[] = {0xf3, 0xab};
    struct vcpu_state s = long_mode();
    struct native n = {.flags = 2};
    struct emulation m;

    pages();
    n.gpr[GPR_RCX] = 10;
    n.gpr[GPR_RDI] = (uint64_t)(uintptr_t)data;
    m = emulation_of(&n, &s);
    accesses_left = 6; /* a check and a write for each element */
    CHECK_EQ(emulate_run(&m, rep_stosd, 2), -EFAULT);
    CHECK_EQ(m.regs.gpr[GPR_RCX], 7);
    CHECK_EQ(m.regs.gpr[GPR_RDI], n.gpr[GPR_RDI] + 12);
    CHECK_EQ(m.regs.rip, (uint64_t)(uintptr_t)code);
}

TEST(a_long_rep_is_left_and_met_again)
{
    static const uint8_t rep_stosb[] = {0xf3, 0xaa};
    struct vcpu_state s = long_mode();
    struct native n = {.flags = 2};
    struct emulation m;

    pages();
    n.gpr[GPR_RCX] = EMULATE_CHUNK + 1;
    n.gpr[GPR_RDI] = (uint64_t)(uintptr_t)data;
    m = emulation_of(&n, &s);
    CHECK_EQ(emulate_run(&m, rep_stosb, 2), EMULATE_AGAIN);
    CHECK_EQ(m.regs.gpr[GPR_RCX], 1);
    CHECK_EQ(m.regs.rip, (uint64_t)(uintptr_t)code);
    CHECK_EQ(emulate_run(&m, rep_stosb, 2), 0);
    CHECK_EQ(m.regs.rip, (uint64_t)(uintptr_t)code + 2);
}

/* --- other modes, by hand --- */

static struct emulation legacy(struct vcpu_state *s, bool protected, bool big)
{
    struct native n = {.flags = 2};
    struct emulation m;

    *s = (struct vcpu_state){.cr0 = protected ? 0x11 : 0x10};
    for (unsigned i = 0; i <= SEGMENT_GS; i++)
        s->segment[i] = (struct segment){
            .attributes = (i == SEGMENT_CS ? 0x9b : 0x93) | (big ? 0x400 : 0),
            .limit = big ? UINT32_MAX : 0xffff};
    memset(original, 0, sizeof(original));
    m = emulation_of(&n, s);
    memory_base = 0x10000;
    m.regs.rip = 0x100;
    return m;
}

#define RUN(m, ...)                                \
    emulate_run(m, (const uint8_t[]){__VA_ARGS__}, \
                sizeof((const uint8_t[]){__VA_ARGS__}))

TEST(real_mode_adds_segment_bases_and_wraps_offsets)
{
    struct vcpu_state s;
    struct emulation m = legacy(&s, false, false);

    s.segment[SEGMENT_DS].base = 0x10000;
    m.regs.gpr[GPR_RBX] = 0xffff0010; /* the upper half does not count */
    m.regs.gpr[GPR_RAX] = 0x11223344;
    CHECK_EQ(RUN(&m, 0x89, 0x07), 0); /* mov [bx], ax */
    CHECK_EQ(shadow[0x10], 0x44);
    CHECK_EQ(shadow[0x11], 0x33);
    CHECK_EQ(shadow[0x12], 0);
    CHECK_EQ(m.regs.rip, 0x102);
    m.regs.gpr[GPR_RBX] = 0xfff8;
    CHECK_EQ(RUN(&m, 0x66, 0x89, 0x47, 0x10), 0); /* mov [bx + 16], eax */
    CHECK_EQ(shadow[0x8], 0x44);
    CHECK_EQ(shadow[0xb], 0x11);
}

TEST(an_access_beyond_the_limit_faults)
{
    struct vcpu_state s;
    struct emulation m = legacy(&s, true, true);

    s.segment[SEGMENT_DS].limit = 0x1000f;
    s.segment[SEGMENT_SS].limit = 0x1000f;
    m.regs.gpr[GPR_RBX] = m.regs.gpr[GPR_RBP] = 0x1000c;
    CHECK_EQ(RUN(&m, 0x8b, 0x03), 0); /* mov eax, [ebx] */
    m.regs.gpr[GPR_RBX]++;
    CHECK_EQ(RUN(&m, 0x8b, 0x03), -EFAULT);
    CHECK_EQ(m.fault.vector, 13);
    CHECK_EQ(m.fault.error, 0);
    m.regs.gpr[GPR_RBP]++;
    CHECK_EQ(RUN(&m, 0x8b, 0x45, 0), -EFAULT); /* mov eax, [ebp] */
    CHECK_EQ(m.fault.vector, 12);
    CHECK_EQ(RUN(&m, 0x3e, 0x8a, 0x45, 0), 0); /* mov al, ds:[ebp] */
}

TEST(an_expand_down_segment_has_its_bytes_above_the_limit)
{
    struct vcpu_state s;
    struct emulation m = legacy(&s, true, true);

    s.segment[SEGMENT_DS].attributes = 0xc97;
    s.segment[SEGMENT_DS].limit = 0x1000f;
    m.regs.gpr[GPR_RBX] = 0x1000f;
    CHECK_EQ(RUN(&m, 0x8a, 0x03), -EFAULT);
    m.regs.gpr[GPR_RBX] = 0x10010;
    CHECK_EQ(RUN(&m, 0x8a, 0x03), 0);
}

TEST(a_segment_that_is_read_only_or_absent_is_not_written)
{
    struct vcpu_state s;
    struct emulation m = legacy(&s, true, true);

    m.regs.gpr[GPR_RBX] = 0x10000;
    s.segment[SEGMENT_DS].attributes = 0xc91;
    CHECK_EQ(RUN(&m, 0x88, 0x03), -EFAULT);
    CHECK_EQ(RUN(&m, 0x8a, 0x03), 0);
    CHECK_EQ(RUN(&m, 0x2e, 0x88, 0x03), -EFAULT); /* mov cs:[ebx], al */
    CHECK_EQ(RUN(&m, 0x2e, 0x8a, 0x03), 0);
    s.segment[SEGMENT_DS].attributes |= SEGMENT_UNUSABLE;
    CHECK_EQ(RUN(&m, 0x8a, 0x03), -EFAULT);
}

TEST(an_address_that_is_not_canonical_faults)
{
    struct vcpu_state s = long_mode();
    struct native n = {.flags = 2};
    struct emulation m = emulation_of(&n, &s);

    m.regs.gpr[GPR_RBX] = UINT64_C(0x7ffffffffffd);
    CHECK_EQ(RUN(&m, 0x8b, 0x03), -EFAULT); /* its last byte is not */
    CHECK_EQ(m.fault.vector, 13);
    m.regs.gpr[GPR_RBP] = UINT64_C(0x800000000000);
    CHECK_EQ(RUN(&m, 0x8a, 0x45, 0), -EFAULT);
    CHECK_EQ(m.fault.vector, 12);
}

TEST(fs_and_gs_have_bases_in_long_mode)
{
    struct vcpu_state s = long_mode();
    struct native n = {.flags = 2};
    struct emulation m = emulation_of(&n, &s);

    memory_base = 0x10000;
    s.segment[SEGMENT_GS].base = 0x10000;
    s.segment[SEGMENT_DS].base = 0x5000000;
    m.regs.gpr[GPR_RBX] = 8;
    CHECK_EQ(RUN(&m, 0x65, 0xc6, 0x03, 7), 0); /* mov byte gs:[rbx], 7 */
    CHECK_EQ(shadow[8], 7);
    m.regs.gpr[GPR_RBX] = 0x10009;
    CHECK_EQ(RUN(&m, 0x3e, 0xc6, 0x03, 8), 0);
    CHECK_EQ(shadow[9], 8);
}

TEST(bytes_that_are_cut_off_wrong_or_unknown_are_told_apart)
{
    struct vcpu_state s = long_mode();
    struct native n = {.flags = 2};
    struct emulation m = emulation_of(&n, &s);

    CHECK_EQ(emulate_run(&m, (const uint8_t[]){0x8b}, 0), -ENODATA);
    CHECK_EQ(RUN(&m, 0x8b, 0x83, 0), -ENODATA);
    CHECK_EQ(RUN(&m, 0x06), -EILSEQ);
    CHECK_EQ(RUN(&m, 0xff, 0x23), -ENOTSUP);             /* jmp [rbx] */
    CHECK_EQ(RUN(&m, 0xc5, 0xfc, 0x10, 0x00), -ENOTSUP); /* AVX */
    CHECK_EQ(RUN(&m, 0xd9, 0x03), -ENOTSUP);             /* fld [rbx] */
}

CHECK_MAIN
