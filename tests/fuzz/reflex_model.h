/*
 * A model of the reflex machine (kernel/reflex/machine.c), slow and suspicious:
 * it checks every access that the verifier has promised to be harmless, and
 * counts steps. Included by the fuzz target only.
 */
#ifndef RAYOS_TEST_REFLEX_MODEL_H
#define RAYOS_TEST_REFLEX_MODEL_H

#include "tests/fuzz/fuzz.h"

#include "kernel/reflex/image.h"

#define EVENTS    12 /* that one rule meets */
#define TRACE_MAX 4096

/* --- what the machine and the model tell --- */

struct trace {
    unsigned calls;
    int64_t values[TRACE_MAX];
    unsigned count;
};

static void note(struct trace *t, int64_t value)
{
    if (t->count < TRACE_MAX)
        t->values[t->count++] = value;
}

static void note_call(struct trace *t, const struct reflex_image *image,
                      unsigned call, const int64_t *registers)
{
    const struct reflex_call *c = &image->calls[call];

    note(t, call);
    for (unsigned i = 0; i < c->argc; i++) {
        unsigned at = c->arg[i].index;

        if (c->arg[i].kind == REFLEX_ARG_STRING)
            note(t, image->strings[at].text[0]);
        else if (c->arg[i].kind == REFLEX_ARG_CONSTANT)
            note(t, image->constants[at]);
        else
            note(t, registers[at]);
    }
}

/* --- the model --- */

struct model_window {
    uint64_t events;
    uint64_t times[EVENTS * 64];
    unsigned used;
};

struct model {
    uint64_t cells[REFLEX_CELLS_MAX], shared[REFLEX_COUNTERS];
    struct model_window windows[REFLEX_WINDOWS_MAX];
    struct trace trace;
    unsigned hits, misses;
    bool consumed;
};

static int64_t model_add(uint64_t *word, int64_t by)
{
    __int128 sum = (__int128)(int64_t)*word + by;

    sum = sum < 0 ? 0 : sum > INT64_MAX ? INT64_MAX : sum;
    *word = (uint64_t)sum;
    return (int64_t)sum;
}

static bool model_count(struct model_window *w, const struct reflex_window *how,
                        uint64_t now)
{
    unsigned stride = (how->count + 63) / 64;
    unsigned need = (how->count + stride - 1) / stride;

    if (++w->events % stride)
        return false;
    FUZZ_CHECK(w->used < ARRAY_SIZE(w->times));
    w->times[w->used++] = now;
    if (w->used < need || now - w->times[w->used - need] > how->within)
        return false;
    w->used = 0;
    return true;
}

static bool model_cool(uint64_t *word, uint64_t now, int64_t period)
{
    if (*word && period > 0 &&
        (now <= *word - 1 || now - (*word - 1) < (uint64_t)period))
        return false;
    *word = now + 1;
    return true;
}

static unsigned model_step(uint64_t word, uint64_t now)
{
    return now / 1024 <= word / 256 ? word % 256 : 0;
}

static bool model_go(uint64_t *word, uint64_t now, uint8_t from, uint8_t to,
                     int64_t within)
{
    __int128 until = (__int128)now + within;

    if (model_step(*word, now) != from)
        return false;
    if (within < 0 || until >= (__int128)UINT64_MAX)
        *word = UINT64_MAX / 256 * 256 + to;
    else
        *word = (uint64_t)(until / 1024 * 256) + to;
    return true;
}

static int64_t model_compute(uint8_t op, int64_t b, int64_t c)
{
    uint64_t x = (uint64_t)b, y = (uint64_t)c;

    switch (op) {
    case REFLEX_ADD:
        return (int64_t)(x + y);
    case REFLEX_SUB:
        return (int64_t)(x - y);
    case REFLEX_MUL:
        return (int64_t)(x * y);
    case REFLEX_DIV:
        return y ? (int64_t)((__int128)b / c) : 0;
    case REFLEX_MOD:
        return y ? (int64_t)((__int128)b % c) : 0;
    case REFLEX_AND:
        return b & c;
    case REFLEX_OR:
        return b | c;
    case REFLEX_XOR:
        return b ^ c;
    case REFLEX_SHL:
        return y > 63 ? 0 : (int64_t)(x << y);
    case REFLEX_SHR:
        return y > 63 ? 0 : (int64_t)(x >> y);
    case REFLEX_EQ:
        return b == c;
    case REFLEX_NE:
        return b != c;
    case REFLEX_LT:
        return b < c;
    default:
        return b <= c;
    }
}

/* A field by its index, which must be there. */
static const struct event_field *model_field(const struct event_type *t,
                                             unsigned index, bool text)
{
    unsigned count = 0;

    while (t->fields[count].name)
        count++;
    FUZZ_CHECK(index < count);
    FUZZ_CHECK((t->fields[index].kind == EVENT_TEXT) == text);
    return &t->fields[index];
}

static int64_t model_number(const struct event_field *f, const struct event *e)
{
    if (f->offset == offsetof(struct event, code))
        return e->code;
    if (f->offset == offsetof(struct event, source))
        return e->source;
    FUZZ_CHECK(f->offset == offsetof(struct event, value));
    return e->value;
}

static bool model_text(const struct event *e, const char *text)
{
    char a[REFLEX_TEXT + 1] = "", b[REFLEX_TEXT + 1] = "";

    memcpy(a, e->text, REFLEX_TEXT);
    memcpy(b, text, REFLEX_TEXT);
    return !strcmp(a, b);
}

/* Registers of one run, and which were written. */
struct model_run {
    struct model *m;
    const struct reflex_image *image;
    const struct event_type *type;
    const struct event *event;
    uint64_t now;
    int64_t r[REFLEX_REGISTERS];
    bool set[REFLEX_REGISTERS];
};

static int64_t get(const struct model_run *run, uint8_t r)
{
    FUZZ_CHECK(r < REFLEX_REGISTERS && run->set[r]);
    return run->r[r];
}

static void put(struct model_run *run, uint8_t r, int64_t value)
{
    FUZZ_CHECK(r < REFLEX_REGISTERS);
    run->r[r] = value;
    run->set[r] = true;
}

static uint64_t *model_cell(struct model_run *run, unsigned i)
{
    FUZZ_CHECK(i < run->image->header->cells);
    return &run->m->cells[i];
}

static uint64_t *model_shared(struct model_run *run, unsigned i)
{
    FUZZ_CHECK(i < run->image->header->counters);
    return &run->m->shared[i];
}

static int64_t model_constant(const struct model_run *run, unsigned i)
{
    FUZZ_CHECK(i < run->image->header->constants);
    return run->image->constants[i];
}

static void model_act(struct model_run *run, unsigned call)
{
    const struct reflex_call *c = &run->image->calls[call];

    FUZZ_CHECK(call < run->image->header->calls);
    FUZZ_CHECK(c->argc <= REFLEX_ARGS);
    for (unsigned i = 0; i < c->argc; i++) {
        if (c->arg[i].kind == REFLEX_ARG_REGISTER)
            get(run, (uint8_t)c->arg[i].index);
        else if (c->arg[i].kind == REFLEX_ARG_CONSTANT)
            model_constant(run, c->arg[i].index);
        else
            FUZZ_CHECK(c->arg[i].index < run->image->header->strings);
    }
    note_call(&run->m->trace, run->image, call, run->r);
}

static void model_memory(struct model_run *run, const struct reflex_insn *i)
{
    unsigned low = (uint32_t)i->imm & 0xffff, high = (uint32_t)i->imm >> 16;
    unsigned at = (uint32_t)i->imm;

    switch (i->op) {
    case REFLEX_CELL_GET:
        put(run, i->a, (int64_t)*model_cell(run, at));
        break;
    case REFLEX_CELL_SET:
        *model_cell(run, at) = (uint64_t)get(run, i->b);
        break;
    case REFLEX_CELL_ADD:
        put(run, i->a, model_add(model_cell(run, at), get(run, i->b)));
        break;
    case REFLEX_SHARED_GET:
        put(run, i->a, (int64_t)*model_shared(run, at));
        break;
    case REFLEX_SHARED_SET:
        *model_shared(run, at) = (uint64_t)get(run, i->b);
        break;
    case REFLEX_SHARED_ADD:
        put(run, i->a, model_add(model_shared(run, at), get(run, i->b)));
        break;
    case REFLEX_COUNT:
        FUZZ_CHECK(at < run->image->header->windows);
        put(run, i->a,
            model_count(&run->m->windows[at], &run->image->windows[at],
                        run->now));
        break;
    case REFLEX_COOL:
        put(run, i->a,
            model_cool(model_cell(run, low), run->now,
                       model_constant(run, high)));
        break;
    case REFLEX_STEP:
        put(run, i->a, model_step(*model_cell(run, at), run->now));
        break;
    default:
        put(run, i->a,
            model_go(model_cell(run, low), run->now, i->b, i->c,
                     model_constant(run, high)));
        break;
    }
}

/* How far to go on. */
static unsigned model_insn(struct model_run *run, const struct reflex_insn *i)
{
    unsigned imm = (uint32_t)i->imm;

    switch (i->op) {
    case REFLEX_IMM:
        put(run, i->a, i->imm);
        break;
    case REFLEX_CONST:
        put(run, i->a, model_constant(run, imm));
        break;
    case REFLEX_FIELD:
        put(run, i->a,
            model_number(model_field(run->type, imm, false), run->event));
        break;
    case REFLEX_MOV:
        put(run, i->a, get(run, i->b));
        break;
    case REFLEX_NEG:
        put(run, i->a, (int64_t) - (uint64_t)get(run, i->b));
        break;
    case REFLEX_INV:
        put(run, i->a, ~get(run, i->b));
        break;
    case REFLEX_NOT:
        put(run, i->a, !get(run, i->b));
        break;
    case REFLEX_TEXT_EQ:
        model_field(run->type, imm & 0xffff, true);
        FUZZ_CHECK(imm >> 16 < run->image->header->strings);
        put(run, i->a,
            model_text(run->event, run->image->strings[imm >> 16].text));
        break;
    case REFLEX_JMP:
        return imm;
    case REFLEX_JZ:
        return get(run, i->a) ? 1 : imm;
    case REFLEX_JNZ:
        return get(run, i->a) ? imm : 1;
    case REFLEX_HIT:
        run->m->hits++;
        break;
    case REFLEX_MISS:
        run->m->misses++;
        break;
    case REFLEX_ACT:
        model_act(run, imm);
        break;
    case REFLEX_CONSUME:
        run->m->consumed = true;
        break;
    default:
        FUZZ_CHECK(i->op < REFLEX_OPS);
        if (i->op >= REFLEX_CELL_GET && i->op <= REFLEX_GO)
            model_memory(run, i);
        else
            put(run, i->a,
                model_compute(i->op, get(run, i->b), get(run, i->c)));
        break;
    }
    return 1;
}

static void model_execute(struct model_run *run, unsigned pc, unsigned bound)
{
    unsigned steps = 0;

    for (;;) {
        const struct reflex_insn *i = &run->image->insns[pc];
        unsigned by;

        FUZZ_CHECK(pc < run->image->header->insns);
        steps += reflex_op_steps(i->op);
        FUZZ_CHECK(steps <= bound);
        if (i->op == REFLEX_END)
            return;
        by = model_insn(run, i);
        FUZZ_CHECK(by >= 1);
        pc += by;
    }
}

#endif
