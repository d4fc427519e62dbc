/*
 * The machine: runs a verified program. Pure but for the atomic accesses to
 * what CPUs share; any context but NMI, interrupts off. It checks nothing that
 * the verifier has proven.
 *
 * No lock protects a rule's memory. Each word changes by one compare-and-swap;
 * who loses against another CPU has its event counted by the other, or is told
 * "no": rules see events of different CPUs in some order, never half of one.
 */
#include <string.h>

#include "image.h"

/* How often a saturating addition is tried against other CPUs. */
#define ADD_TRIES 16

#define STEP_BITS  8 /* of a sequence's word; above: its deadline */
#define STEP_MASK  ((UINT64_C(1) << STEP_BITS) - 1)
#define STEP_UNIT  10 /* deadlines count 1,024 ns */
#define STEP_NEVER (UINT64_MAX >> STEP_BITS)

static uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static bool swap(uint64_t *word, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

int64_t reflex_add_saturating(uint64_t *word, int64_t by)
{
    for (int i = 0; i < ADD_TRIES; i++) {
        uint64_t old = load(word);
        int64_t sum;

        if (__builtin_add_overflow((int64_t)old, by, &sum))
            sum = by < 0 ? 0 : INT64_MAX;
        if (sum < 0)
            sum = 0;
        if (swap(word, old, (uint64_t)sum))
            return sum;
    }
    return (int64_t)load(word);
}

static uint64_t since(nstime_t now, nstime_t then)
{
    return now > then ? now - then : 0;
}

/*
 * Count in time: the times of the last events lie in a ring; the rule fires
 * when the event `count - 1` before this one is young enough. More than the
 * ring has places for are counted in strides, so only every n-th event is
 * remembered.
 */
static bool window_count(const struct reflex_window *w, struct reflex_marks *m,
                         nstime_t now)
{
    uint64_t stride = ((uint64_t)w->count + REFLEX_MARKS - 1) / REFLEX_MARKS;
    uint64_t need = (w->count + stride - 1) / stride;
    uint64_t n = __atomic_add_fetch(&m->at, 1, __ATOMIC_RELAXED);
    uint64_t mark = n / stride, base = load(&m->base), first;

    if (n % stride)
        return false;
    __atomic_store_n(&m->time[mark % REFLEX_MARKS], now, __ATOMIC_RELAXED);
    if (mark - base < need)
        return false;
    first = load(&m->time[(mark - need + 1) % REFLEX_MARKS]);
    return since(now, first) <= w->within && swap(&m->base, base, mark);
}

/* The word is the time of the last passage, plus one. */
static bool cool_pass(uint64_t *word, nstime_t now, int64_t period)
{
    uint64_t last = load(word);

    if (last && period > 0 && since(now, last - 1) < (uint64_t)period)
        return false;
    return swap(word, last, now + 1);
}

static unsigned sequence_step(uint64_t word, nstime_t now)
{
    return now >> STEP_UNIT <= word >> STEP_BITS ? word & STEP_MASK : 0;
}

static bool sequence_go(uint64_t *word, nstime_t now, uint8_t from, uint8_t to,
                        int64_t within)
{
    uint64_t old = load(word), until = STEP_NEVER;

    if (sequence_step(old, now) != from)
        return false;
    if (within >= 0 && (uint64_t)within < UINT64_MAX - now)
        until = (now + (uint64_t)within) >> STEP_UNIT;
    return swap(word, old, until << STEP_BITS | to);
}

static bool text_equals(const struct event_field *f, const struct event *e,
                        const struct reflex_string *s)
{
    const char *text = (const char *)e + f->offset;
    size_t size = f->size < REFLEX_TEXT ? f->size : REFLEX_TEXT;
    size_t n = strnlen(text, size);

    return n == strnlen(s->text, REFLEX_TEXT) && !memcmp(text, s->text, n);
}

static uint64_t divide(int64_t b, int64_t c)
{
    if (c == 0)
        return 0;
    return c == -1 ? 0 - (uint64_t)b : (uint64_t)(b / c);
}

static uint64_t modulo(int64_t b, int64_t c)
{
    return c == 0 || c == -1 ? 0 : (uint64_t)(b % c);
}

static uint64_t compute(uint8_t op, uint64_t b, uint64_t c)
{
    switch (op) {
    case REFLEX_ADD:
        return b + c;
    case REFLEX_SUB:
        return b - c;
    case REFLEX_MUL:
        return b * c;
    case REFLEX_DIV:
        return divide((int64_t)b, (int64_t)c);
    case REFLEX_MOD:
        return modulo((int64_t)b, (int64_t)c);
    case REFLEX_AND:
        return b & c;
    case REFLEX_OR:
        return b | c;
    case REFLEX_XOR:
        return b ^ c;
    case REFLEX_SHL:
        return c < 64 ? b << c : 0;
    case REFLEX_SHR:
        return c < 64 ? b >> c : 0;
    case REFLEX_EQ:
        return b == c;
    case REFLEX_NE:
        return b != c;
    case REFLEX_LT:
        return (int64_t)b < (int64_t)c;
    default:
        return (int64_t)b <= (int64_t)c; /* REFLEX_LE */
    }
}

/* What touches a rule's memory. */
static uint64_t remember(struct reflex_run *run, const struct reflex_insn *i,
                         const int64_t *r)
{
    const struct reflex_image *image = run->image;
    uint32_t low = (uint32_t)i->imm & 0xffff, high = (uint32_t)i->imm >> 16;
    uint64_t *cells = run->state->cells;

    switch (i->op) {
    case REFLEX_CELL_GET:
        return load(&cells[i->imm]);
    case REFLEX_CELL_SET:
        __atomic_store_n(&cells[i->imm], (uint64_t)r[i->b], __ATOMIC_RELAXED);
        return 0;
    case REFLEX_CELL_ADD:
        return (uint64_t)reflex_add_saturating(&cells[i->imm], r[i->b]);
    case REFLEX_SHARED_GET:
        return load(run->shared[i->imm]);
    case REFLEX_SHARED_SET:
        __atomic_store_n(run->shared[i->imm], (uint64_t)r[i->b],
                         __ATOMIC_RELAXED);
        return 0;
    case REFLEX_SHARED_ADD:
        return (uint64_t)reflex_add_saturating(run->shared[i->imm], r[i->b]);
    case REFLEX_COUNT:
        return window_count(&image->windows[i->imm],
                            &run->state->windows[i->imm], run->now);
    case REFLEX_COOL:
        return cool_pass(&cells[low], run->now, image->constants[high]);
    case REFLEX_STEP:
        return sequence_step(load(&cells[i->imm]), run->now);
    default: /* REFLEX_GO */
        return sequence_go(&cells[low], run->now, i->b, i->c,
                           image->constants[high]);
    }
}

static uint64_t text_compare(const struct reflex_run *run, int32_t imm)
{
    return text_equals(&run->type->fields[imm & 0xffff], run->event,
                       &run->image->strings[(uint32_t)imm >> 16]);
}

void reflex_machine_run(struct reflex_run *run, unsigned start)
{
    const struct reflex_insn *i = &run->image->insns[start];
    int64_t r[REFLEX_REGISTERS]; /* none is read before it is set */

    for (;; i++) {
        run->steps++;
        switch (i->op) {
        case REFLEX_END:
            return;
        case REFLEX_IMM:
            r[i->a] = i->imm;
            break;
        case REFLEX_CONST:
            r[i->a] = run->image->constants[i->imm];
            break;
        case REFLEX_FIELD:
            r[i->a] = event_field_get(&run->type->fields[i->imm], run->event);
            break;
        case REFLEX_MOV:
            r[i->a] = r[i->b];
            break;
        case REFLEX_NEG:
            r[i->a] = (int64_t)(0 - (uint64_t)r[i->b]);
            break;
        case REFLEX_INV:
            r[i->a] = ~r[i->b];
            break;
        case REFLEX_NOT:
            r[i->a] = !r[i->b];
            break;
        case REFLEX_TEXT_EQ:
            r[i->a] = (int64_t)text_compare(run, i->imm);
            break;
        case REFLEX_JMP:
            i += i->imm - 1;
            break;
        case REFLEX_JZ:
            i += r[i->a] ? 0 : i->imm - 1;
            break;
        case REFLEX_JNZ:
            i += r[i->a] ? i->imm - 1 : 0;
            break;
        case REFLEX_HIT:
            run->hits++;
            break;
        case REFLEX_MISS:
            run->misses++;
            break;
        case REFLEX_ACT:
            run->act(run, (unsigned)i->imm, r);
            break;
        case REFLEX_CONSUME:
            run->consumed = true;
            break;
        case REFLEX_CELL_SET:
        case REFLEX_SHARED_SET:
            remember(run, i, r);
            break;
        case REFLEX_CELL_GET:
        case REFLEX_CELL_ADD:
        case REFLEX_SHARED_GET:
        case REFLEX_SHARED_ADD:
        case REFLEX_COUNT:
        case REFLEX_COOL:
        case REFLEX_STEP:
        case REFLEX_GO:
            r[i->a] = (int64_t)remember(run, i, r);
            break;
        default:
            r[i->a] = (int64_t)compute(i->op, (uint64_t)r[i->b],
                                       (uint64_t)r[i->c]);
            break;
        }
    }
}
