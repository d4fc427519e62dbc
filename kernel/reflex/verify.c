/*
 * The verifier: decides whether a rule's image may run, and how many steps its
 * longest run takes. It trusts nothing: the image may come from anybody. Pure;
 * thread context (it needs a few KiB of stack).
 *
 * Jumps go forward only, so one walk in the order of the instructions sees each
 * after all that lead to it. It carries the registers that are set on every way
 * there, and the cost of the dearest way. The walk is repeated for each entry,
 * because the fields that an instruction may read are those of its event type.
 */
#include <errno.h>
#include <string.h>

#include <rayos/fmt.h>

#include "image.h"

#define refuse(why, ...) \
    (fmt_snprintf((why), REFLEX_WHY_MAX, __VA_ARGS__), -EINVAL)

/* --- opening --- */

struct part {
    const char *what;
    size_t count, most, size;
};

static bool name_is_good(const char name[REFLEX_NAME_MAX])
{
    size_t n = strnlen(name, REFLEX_NAME_MAX);

    if (n == 0 || n == REFLEX_NAME_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (name[i] < ' ' || name[i] > '~')
            return false;
    return true;
}

static int header_check(const struct reflex_header *h, size_t size,
                        char why[REFLEX_WHY_MAX])
{
    if (h->magic != REFLEX_MAGIC)
        return refuse(why, "this is not the image of a rule");
    if (h->size != size)
        return refuse(why, "the image has %zu bytes, its header says %u", size,
                      h->size);
    if (!name_is_good(h->name))
        return refuse(why, "the rule's name is empty, too long or unprintable");
    if (h->cells > REFLEX_CELLS_MAX)
        return refuse(why, "%u cells, at most %d", h->cells, REFLEX_CELLS_MAX);
    if (!h->entries)
        return refuse(why, "the rule has no entry");
    if (!h->insns)
        return refuse(why, "the rule has no instruction");
    return 0;
}

enum { PARTS = 8 };

/* Where each part begins; together they are the whole image. */
static int find_parts(const struct reflex_header *h, size_t size,
                      const void *starts[PARTS], char why[REFLEX_WHY_MAX])
{
    const struct part parts[PARTS] = {
        {"entries", h->entries, REFLEX_ENTRIES_MAX,
         sizeof(struct reflex_entry)},
        {"instructions", h->insns, REFLEX_INSNS_MAX,
         sizeof(struct reflex_insn)},
        {"constants", h->constants, REFLEX_CONSTANTS_MAX, sizeof(int64_t)},
        {"strings", h->strings, REFLEX_STRINGS_MAX,
         sizeof(struct reflex_string)},
        {"calls", h->calls, REFLEX_CALLS_MAX, sizeof(struct reflex_call)},
        {"windows", h->windows, REFLEX_WINDOWS_MAX,
         sizeof(struct reflex_window)},
        {"counters", h->counters, REFLEX_COUNTERS,
         sizeof(struct reflex_counter)},
        {"bytes of source", h->source, REFLEX_SOURCE_MAX, 1},
    };
    size_t sum = sizeof(*h);

    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i].count > parts[i].most)
            return refuse(why, "%zu %s, at most %zu", parts[i].count,
                          parts[i].what, parts[i].most);
        starts[i] = (const char *)h + sum;
        sum += parts[i].count * parts[i].size;
    }
    if (sum != size || h->source % sizeof(uint64_t))
        return refuse(why, "the parts take %zu bytes, the image has %zu", sum,
                      size);
    return 0;
}

int reflex_image_open(const void *data, size_t size, struct reflex_image *out,
                      char why[REFLEX_WHY_MAX])
{
    const void *starts[PARTS];
    int err;

    if (size < sizeof(struct reflex_header))
        return refuse(why, "the image is shorter than its header");
    err = header_check(data, size, why);
    if (!err)
        err = find_parts(data, size, starts, why);
    if (err)
        return err;
    *out = (struct reflex_image){
        .header = data,
        .entries = starts[0],
        .insns = starts[1],
        .constants = starts[2],
        .strings = starts[3],
        .calls = starts[4],
        .windows = starts[5],
        .counters = starts[6],
        .source = starts[7],
    };
    return 0;
}

/* --- the walk --- */

struct place {
    bool reached;
    uint16_t set;   /* registers that are set on every way here */
    uint16_t steps; /* of the dearest way here */
};

struct walk {
    const struct reflex_image *image;
    const struct reflex_world *world;
    const struct event_type *type;
    char *why;
    struct place *places;
    unsigned bound;
};

_Static_assert(REFLEX_INSNS_MAX *REFLEX_ACTION_STEPS < UINT16_MAX,
               "no way is dearer than a place can say");

static const struct event_field *field_at(const struct event_type *type,
                                          unsigned index)
{
    const struct event_field *f = type->fields;

    for (; f && f->name; f++)
        if (index-- == 0)
            return f;
    return NULL;
}

static int check_index(const struct walk *w, unsigned pc, const char *what,
                       uint32_t index, unsigned count)
{
    if (index < count)
        return 0;
    return refuse(w->why, "instruction %u: there is no %s %u", pc, what, index);
}

/* A field by its index; `text` says of which kind it must be. */
static int check_field(const struct walk *w, unsigned pc, uint32_t index,
                       bool text)
{
    const struct event_field *f = field_at(w->type, index);

    if (!f)
        return refuse(w->why,
                      "instruction %u: events of type '%s' have no field %u",
                      pc, w->type->name, index);
    if ((f->kind == EVENT_TEXT) != text)
        return refuse(w->why, "instruction %u: field '%s' is %s text", pc,
                      f->name, text ? "no" : "a");
    if (f->size == 0 || f->offset + f->size > sizeof(struct event))
        return refuse(w->why, "instruction %u: field '%s' lies outside", pc,
                      f->name);
    return 0;
}

static int check_jump(const struct walk *w, unsigned pc, int32_t by)
{
    if (by < 1)
        return refuse(w->why, "instruction %u: jumps go forward only", pc);
    if ((uint32_t)by >= w->image->header->insns - pc)
        return refuse(w->why, "instruction %u: jumps out of the program", pc);
    return 0;
}

/* --- calls --- */

static int check_argument(const struct walk *w, unsigned pc, unsigned number,
                          char kind, const struct reflex_call *call)
{
    const struct reflex_header *h = w->image->header;
    unsigned index = call->arg[number].index;
    bool good = false;

    switch (call->arg[number].kind) {
    case REFLEX_ARG_CONSTANT:
        good = kind != 't' && index < h->constants;
        break;
    case REFLEX_ARG_STRING:
        good = kind != 'n' && index < h->strings;
        break;
    case REFLEX_ARG_REGISTER:
        good = kind != 't' && index < REFLEX_REGISTERS &&
               (w->places[pc].set & 1u << index);
        break;
    default:
        break;
    }
    if (good)
        return 0;
    return refuse(w->why, "instruction %u: argument %u of %s is wrong", pc,
                  number + 1, call->action);
}

static int check_call(const struct walk *w, unsigned pc, uint32_t index)
{
    const struct reflex_call *call = &w->image->calls[index];
    const struct reflex_action *action;
    const char *kind;
    unsigned n = 0;
    bool optional = false;

    if (!name_is_good(call->action) ||
        !(action = w->world->action(call->action)))
        return refuse(w->why, "instruction %u: there is no action '%.31s'", pc,
                      name_is_good(call->action) ? call->action : "?");
    for (kind = action->args; *kind; kind++) {
        int err = 0;

        if (*kind == '?') {
            optional = true;
            continue;
        }
        if (n == call->argc)
            break;
        if (n < REFLEX_ARGS)
            err = check_argument(w, pc, n, *kind, call);
        if (err)
            return err;
        n++;
    }
    /* At a question mark just ahead the rest may be missing, too. */
    if (*kind == '?' || !*kind)
        optional = true;
    if (n != call->argc || !optional)
        return refuse(w->why, "instruction %u: %s does not take %u arguments",
                      pc, call->action, call->argc);
    return 0;
}

/* --- one instruction --- */

static int check_operand(const struct walk *w, unsigned pc)
{
    const struct reflex_header *h = w->image->header;
    const struct reflex_insn *i = &w->image->insns[pc];
    uint32_t imm = (uint32_t)i->imm, low = imm & 0xffff, high = imm >> 16;
    int err;

    switch (reflex_shape_of(i->op)->operand) {
    case OPERAND_CONSTANT:
        return check_index(w, pc, "constant", imm, h->constants);
    case OPERAND_FIELD:
        return check_field(w, pc, imm, false);
    case OPERAND_TEXT_PAIR:
        err = check_field(w, pc, low, true);
        return err ? err : check_index(w, pc, "string", high, h->strings);
    case OPERAND_JUMP:
        return check_jump(w, pc, i->imm);
    case OPERAND_CELL:
        return check_index(w, pc, "cell", imm, h->cells);
    case OPERAND_SHARED:
        return check_index(w, pc, "counter", imm, h->counters);
    case OPERAND_WINDOW:
        return check_index(w, pc, "window", imm, h->windows);
    case OPERAND_CELL_PAIR:
        err = check_index(w, pc, "cell", low, h->cells);
        return err ? err : check_index(w, pc, "constant", high, h->constants);
    case OPERAND_CALL:
        err = check_index(w, pc, "call", imm, h->calls);
        return err ? err : check_call(w, pc, imm);
    default:
        return 0;
    }
}

static int check_register(const struct walk *w, unsigned pc, uint8_t r,
                          bool read)
{
    if (r >= REFLEX_REGISTERS)
        return refuse(w->why, "instruction %u: there is no register %u", pc, r);
    if (read && !(w->places[pc].set & 1u << r))
        return refuse(w->why, "instruction %u: register %u may not be set", pc,
                      r);
    return 0;
}

static int check_registers(const struct walk *w, unsigned pc)
{
    const struct reflex_insn *i = &w->image->insns[pc];
    uint8_t uses = reflex_shape_of(i->op)->uses;
    int err = 0;

    if (uses & (OP_READS_A | OP_WRITES_A))
        err = check_register(w, pc, i->a, uses & OP_READS_A);
    if (!err && (uses & OP_READS_B))
        err = check_register(w, pc, i->b, true);
    if (!err && (uses & OP_READS_C))
        err = check_register(w, pc, i->c, true);
    return err;
}

/* A way leads from pc to `next`. */
static void lead_to(struct walk *w, unsigned pc, unsigned next, uint16_t set)
{
    struct place *to = &w->places[next];
    uint16_t steps = w->places[pc].steps +
                     reflex_shape_of(w->image->insns[pc].op)->steps;

    to->set = to->reached ? to->set & set : set;
    to->steps = to->steps > steps ? to->steps : steps;
    to->reached = true;
}

static int follow(struct walk *w, unsigned pc)
{
    const struct reflex_insn *i = &w->image->insns[pc];
    const struct reflex_shape *shape = reflex_shape_of(i->op);
    uint16_t set = w->places[pc].set;
    unsigned end = w->places[pc].steps + shape->steps;

    if (shape->uses & OP_WRITES_A)
        set |= (uint16_t)(1u << i->a);
    if (shape->operand == OPERAND_JUMP)
        lead_to(w, pc, pc + (unsigned)i->imm, set);
    if (i->op == REFLEX_END) {
        w->bound = w->bound > end ? w->bound : end;
    } else if (i->op != REFLEX_JMP) {
        if (pc + 1 == w->image->header->insns)
            return refuse(w->why, "the program runs past its end");
        lead_to(w, pc, pc + 1, set);
    }
    return 0;
}

static int check_insn(struct walk *w, unsigned pc)
{
    uint8_t op = w->image->insns[pc].op;
    int err;

    if (!reflex_shape_of(op)->name)
        return refuse(w->why, "instruction %u: there is no operation %u", pc,
                      op);
    err = check_registers(w, pc);
    if (!err)
        err = check_operand(w, pc);
    return err ? err : follow(w, pc);
}

/* --- entries --- */

static int walk_entry(struct walk *w, const struct reflex_entry *e,
                      bool seen[REFLEX_INSNS_MAX])
{
    unsigned insns = w->image->header->insns;
    struct place places[REFLEX_INSNS_MAX];

    if (!name_is_good(e->type) || !(w->type = w->world->type(e->type)))
        return refuse(w->why, "there is no event type '%.31s'",
                      name_is_good(e->type) ? e->type : "?");
    if (e->by_code > 1)
        return refuse(w->why,
                      "an entry of '%s' is neither for one code nor "
                      "for all",
                      e->type);
    if (e->start >= insns)
        return refuse(w->why, "the entry for '%s' lies outside the program",
                      e->type);
    memset(places, 0, insns * sizeof(places[0]));
    w->places = places;
    places[e->start].reached = true;
    for (unsigned pc = e->start; pc < insns; pc++) {
        int err = places[pc].reached ? check_insn(w, pc) : 0;

        if (err)
            return err;
        seen[pc] |= places[pc].reached;
    }
    return 0;
}

static int check_windows(const struct reflex_image *image,
                         char why[REFLEX_WHY_MAX])
{
    for (unsigned i = 0; i < image->header->windows; i++)
        if (!image->windows[i].count || !image->windows[i].within)
            return refuse(why, "window %u counts nothing", i);
    for (unsigned i = 0; i < image->header->counters; i++)
        if (!name_is_good(image->counters[i].name))
            return refuse(why, "counter %u has no good name", i);
    return 0;
}

int reflex_image_verify(const struct reflex_image *image,
                        const struct reflex_world *world, unsigned *bound,
                        char why[REFLEX_WHY_MAX])
{
    bool seen[REFLEX_INSNS_MAX] = {false};
    struct walk w = {.image = image, .world = world, .why = why};
    int err = check_windows(image, why);

    for (unsigned i = 0; !err && i < image->header->entries; i++)
        err = walk_entry(&w, &image->entries[i], seen);
    if (err)
        return err;
    for (unsigned pc = 0; pc < image->header->insns; pc++)
        if (!seen[pc])
            return refuse(why, "instruction %u is never reached", pc);
    if (w.bound > REFLEX_STEPS_MAX)
        return refuse(why, "it may take %u steps, at most %d", w.bound,
                      REFLEX_STEPS_MAX);
    *bound = w.bound;
    return 0;
}
