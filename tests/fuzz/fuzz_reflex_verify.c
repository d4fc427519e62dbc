/* sources: kernel/reflex/verify.c kernel/reflex/ops.c kernel/reflex/machine.c
 * kernel/core/event_match.c kernel/core/fmt.c */
/*
 * Rules from anywhere: what the verifier accepts is run on the machine beside a
 * slow model that checks every access, and both must do the same, within the
 * proven bound. The first byte says how the image is made of the others: as it
 * stands; by a generator of plausible programs; or by it and then damaged.
 *
 * Compiled with -DFUZZ_REFLEX_ROUNDS=n it has a main of its own, which feeds
 * that many inputs of random bytes.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/reflex/image.h"

#define EVENTS    12
#define TRACE_MAX 4096

/* --- the world --- */

static const struct event_field wide_fields[] = {
    EVENT_FIELD(code, EVENT_U32, ""),
    EVENT_FIELD(value, EVENT_I64, ""),
    EVENT_FIELD(text, EVENT_TEXT, ""),
    EVENT_FIELD(source, EVENT_U32, ""),
    {0}};
static const struct event_field slim_fields[] = {
    EVENT_FIELD(code, EVENT_U32, ""), EVENT_FIELD(text, EVENT_TEXT, ""), {0}};
static const struct event_type types[] = {{"wide", "", wide_fields, NULL},
                                          {"slim", "", slim_fields, NULL}};
static const struct reflex_action actions[] = {
    {.name = "none", .args = ""},
    {.name = "one", .args = "n"},
    {.name = "say", .args = "t?nn"},
};

static const struct event_type *find_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}

static const struct reflex_action *find_action(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (!strcmp(actions[i].name, name))
            return &actions[i];
    return NULL;
}

static const struct reflex_world world = {find_type, find_action};

/* --- a generator of plausible images --- */

struct maker {
    struct fuzz_input *in;
    uint8_t *at;
};

static unsigned pick(struct maker *m, unsigned below)
{
    return fuzz_byte(m->in) % below;
}

static void *place(struct maker *m, size_t size)
{
    void *p = m->at;

    memset(p, 0, size);
    m->at += size;
    return p;
}

static struct reflex_insn make_insn(struct maker *m,
                                    const struct reflex_header *h, unsigned pc)
{
    struct reflex_insn i = {
        .op = (uint8_t)pick(m, REFLEX_OPS + 1),
        .a = (uint8_t)pick(m, 4),
        .b = (uint8_t)pick(m, 4),
        .c = (uint8_t)pick(m, 4),
    };
    unsigned low = pick(m, 4), high = pick(m, 4);

    /* What follows an end or a jump is mostly never reached. */
    if (i.op == REFLEX_END && pick(m, 8))
        i.op = REFLEX_XOR;
    switch (reflex_shape_of(i.op)->operand) {
    case OPERAND_JUMP:
        i.imm = i.op == REFLEX_JMP && pick(m, 4) ? 1 : (int32_t)pick(m, 5);
        break;
    case OPERAND_TEXT_PAIR:
        i.imm = (int32_t)((1 + low % 2) | high << 16);
        break;
    case OPERAND_CELL_PAIR:
        i.imm = (int32_t)(low | high << 16);
        break;
    case OPERAND_NUMBER:
        fuzz_take(m->in, &i.imm, sizeof(i.imm));
        break;
    default:
        i.imm = (int32_t)low;
        break;
    }
    /* Programs that set their registers first, and end, are accepted more
     * often. */
    if (pc < 4)
        i = (struct reflex_insn){REFLEX_FIELD, (uint8_t)pc, 0, 0, 0};
    if (pc + 1 == h->insns)
        i.op = REFLEX_END;
    return i;
}

static void make_call(struct maker *m, struct reflex_call *c)
{
    const struct reflex_action *a = &actions[pick(m, ARRAY_SIZE(actions))];

    strcpy(c->action, a->name);
    c->argc = (uint8_t)(strchr(a->args, '?') ? 1 + pick(m, 3)
                                             : strlen(a->args));
    for (unsigned i = 0; i < c->argc && i < REFLEX_ARGS; i++) {
        c->arg[i].kind = (uint8_t)(pick(m, 2) ? REFLEX_ARG_REGISTER
                                              : REFLEX_ARG_CONSTANT);
        if (i == 0 && a->args[0] == 't')
            c->arg[i].kind = REFLEX_ARG_STRING;
        c->arg[i].index = (uint16_t)pick(m, 4);
    }
}

/* Sizes first; the order is that of the format. */
static size_t make_image(struct fuzz_input *in, uint8_t *out)
{
    struct maker m = {in, out};
    struct reflex_header *h = place(&m, sizeof(*h));

    *h = (struct reflex_header){
        .magic = REFLEX_MAGIC,
        .name = "fuzzed",
        .entries = (uint16_t)(1 + pick(&m, 2)),
        .insns = (uint16_t)(5 + pick(&m, 60)),
        .constants = (uint16_t)(2 + pick(&m, 3)),
        .strings = (uint16_t)(1 + pick(&m, 4)),
        .calls = (uint16_t)(1 + pick(&m, 4)),
        .windows = (uint16_t)(1 + pick(&m, 4)),
        .counters = (uint16_t)(1 + pick(&m, 4)),
        .cells = (uint8_t)(1 + pick(&m, 4)),
    };
    /* Often enough of everything. */
    if (pick(&m, 4)) {
        h->constants = h->strings = h->calls = 4;
        h->windows = h->counters = h->cells = 4;
    }
    for (unsigned i = 0; i < h->entries; i++) {
        struct reflex_entry *e = place(&m, sizeof(*e));

        strcpy(e->type, types[pick(&m, 8) == 0].name);
        e->start = (uint16_t)(i ? pick(&m, 4) : 0);
    }
    for (unsigned i = 0; i < h->insns; i++)
        *(struct reflex_insn *)place(
            &m, sizeof(struct reflex_insn)) = make_insn(&m, h, i);
    for (unsigned i = 0; i < h->constants; i++)
        fuzz_take(in, place(&m, sizeof(int64_t)), pick(&m, 9));
    for (unsigned i = 0; i < h->strings; i++)
        fuzz_take(in, place(&m, REFLEX_TEXT), pick(&m, 3));
    for (unsigned i = 0; i < h->calls; i++)
        make_call(&m, place(&m, sizeof(struct reflex_call)));
    for (unsigned i = 0; i < h->windows; i++)
        *(struct reflex_window *)place(
            &m, sizeof(struct reflex_window)) = (struct reflex_window){
            .within = 1 + pick(&m, 50),
            .count = 1 + pick(&m, 5) + (pick(&m, 8) ? 0 : 100)};
    for (unsigned i = 0; i < h->counters; i++)
        *(char *)place(&m, sizeof(struct reflex_counter)) = (char)('a' + i);
    h->size = (uint32_t)(m.at - out);
    return h->size;
}

/* --- what both sides do --- */

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

static void machine_act(struct reflex_run *run, unsigned call,
                        const int64_t *registers)
{
    note_call(run->arg, run->image, call, registers);
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
    FUZZ_CHECK(find_action(c->action));
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

/* --- both beside each other --- */

struct sides {
    const struct reflex_image *image;
    unsigned bound;
    struct reflex_state *state;
    uint64_t shared[REFLEX_COUNTERS];
    uint64_t *places[REFLEX_COUNTERS];
    struct trace trace;
    struct model model;
};

static void meet(struct sides *s, const struct reflex_entry *entry,
                 const struct event *e, uint64_t now)
{
    struct reflex_run run = {
        .image = s->image,
        .type = find_type(entry->type),
        .event = e,
        .now = now,
        .state = s->state,
        .shared = s->places,
        .act = machine_act,
        .arg = &s->trace,
    };
    struct model_run model = {
        .m = &s->model,
        .image = s->image,
        .type = run.type,
        .event = e,
        .now = now,
    };

    s->trace.count = s->model.trace.count = 0;
    s->model.hits = s->model.misses = 0;
    s->model.consumed = false;
    model_execute(&model, entry->start, s->bound);
    reflex_machine_run(&run, entry->start);
    FUZZ_CHECK(run.steps <= s->bound);
    FUZZ_CHECK(run.hits == s->model.hits && run.misses == s->model.misses);
    FUZZ_CHECK(run.consumed == s->model.consumed);
    FUZZ_CHECK(s->trace.count == s->model.trace.count);
    FUZZ_CHECK(!memcmp(s->trace.values, s->model.trace.values,
                       s->trace.count * sizeof(s->trace.values[0])));
    FUZZ_CHECK(
        !memcmp(s->state->cells, s->model.cells, sizeof(s->model.cells)));
    FUZZ_CHECK(!memcmp(s->shared, s->model.shared, sizeof(s->shared)));
}

static void run_both(const struct reflex_image *image, unsigned bound,
                     struct fuzz_input *in)
{
    struct sides *s = calloc(1, sizeof(*s));
    uint64_t now = 1000;

    s->image = image;
    s->bound = bound;
    s->state = calloc(1, sizeof(*s->state) + image->header->windows *
                                                 sizeof(struct reflex_marks));
    for (unsigned i = 0; i < image->header->counters; i++)
        s->places[i] = &s->shared[i];
    for (int k = 0; k < EVENTS; k++) {
        struct event e = {.code = fuzz_byte(in) % 4, .source = fuzz_byte(in)};

        fuzz_take(in, &e.value, fuzz_byte(in) % 9);
        fuzz_take(in, e.text, fuzz_byte(in) % 3);
        now += (uint64_t)fuzz_byte(in) << fuzz_byte(in) % 16;
        for (unsigned i = 0; i < image->header->entries; i++)
            meet(s, &image->entries[i], &e, now);
    }
    free(s->state);
    free(s);
}

#ifdef FUZZ_REFLEX_ROUNDS
static uint64_t accepted;
#endif

static void check_image(const void *data, size_t size, struct fuzz_input *in)
{
    void *copy = fuzz_copy(data, size);
    char why[REFLEX_WHY_MAX] = "";
    struct reflex_image image;
    unsigned bound = 0;
    int err = reflex_image_open(copy, size, &image, why);

    if (!err)
        err = reflex_image_verify(&image, &world, &bound, why);
    FUZZ_CHECK(!err == !why[0]);
    FUZZ_CHECK(memchr(why, 0, sizeof(why)));
    if (!err) {
        FUZZ_CHECK(bound >= 1 && bound <= REFLEX_STEPS_MAX);
        run_both(&image, bound, in);
#ifdef FUZZ_REFLEX_ROUNDS
        accepted++;
#endif
    }
    free(copy);
}

static void damage(struct fuzz_input *in, uint8_t *image, size_t size)
{
    for (unsigned n = 1 + fuzz_byte(in) % 3; n; n--) {
        uint16_t at;

        fuzz_take(in, &at, sizeof(at));
        image[at % size] = fuzz_byte(in);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t image[16384];
    struct fuzz_input in = {data, size};
    uint8_t how = fuzz_byte(&in);
    size_t made;

    if (how % 4 == 0) {
        check_image(in.at, in.left, &in);
        return 0;
    }
    made = make_image(&in, image);
    if (how % 4 == 1)
        damage(&in, image, made);
    check_image(image, made, &in);
    return 0;
}

#ifdef FUZZ_REFLEX_ROUNDS
int main(void)
{
    static uint64_t words[256];
    uint64_t x = 88172645463325252u;

    for (uint64_t round = 0; round < FUZZ_REFLEX_ROUNDS; round++) {
        for (size_t i = 0; i < 256; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            words[i] = x ^= x << 17;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)words, sizeof(words));
    }
    printf("%llu rounds, %llu accepted\n",
           (unsigned long long)FUZZ_REFLEX_ROUNDS,
           (unsigned long long)accepted);
    return 0;
}
#endif
