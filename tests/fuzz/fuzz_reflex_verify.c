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
#include "tests/fuzz/reflex_model.h"

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
    {.name = "whom", .args = "i?n"},
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
        if (i == 0 && (a->args[0] == 't' || (a->args[0] == 'i' && pick(m, 2))))
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

static void machine_act(struct reflex_run *run, unsigned call,
                        const int64_t *registers)
{
    note_call(run->arg, run->image, call, registers);
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
