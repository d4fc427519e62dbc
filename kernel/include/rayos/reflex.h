/*
 * Reflexes: rules over events that run in C, in the event's own context, within
 * a bound that is proven before (design: "Reflex engine"). A rule arrives as an
 * image, made by lua/reflex_compile.lua or by anybody; the verifier
 * (kernel/reflex/verify.c) trusts nothing in it.
 *
 * An image is, little-endian and without gaps:
 *
 *	struct reflex_header
 *	struct reflex_entry   [entries]    where events come in
 *	struct reflex_insn    [insns]      the program
 *	int64_t               [constants]
 *	struct reflex_string  [strings]
 *	struct reflex_call    [calls]      actions with their arguments
 *	struct reflex_window  [windows]    counts in time
 *	struct reflex_counter [counters]   shared counters, by name
 *	char                  [source]     the rule as its author wrote it; only
 *kept
 *
 * The machine has 16 registers of 64 bits; arithmetic wraps, a division by 0
 * gives 0. Each instruction takes a fixed number of steps (reflex_op_steps), an
 * action REFLEX_ACTION_STEPS; jumps go forward only, so the longest way through
 * the program is its bound.
 */
#ifndef RAYOS_REFLEX_H
#define RAYOS_REFLEX_H

#include <rayos/event.h>
#include <rayos/types.h>

#define REFLEX_MAGIC       0x31584652u /* "RFX1" */
#define REFLEX_NAME_MAX    32
#define REFLEX_TEXT        32
#define REFLEX_REGISTERS   16
#define REFLEX_ARGS        4
#define REFLEX_STEPS_MAX   1024  /* of one rule */
#define REFLEX_CHAIN_MAX   65536 /* of all rules that one event can meet */
#define REFLEX_RULES_MAX   4096
#define REFLEX_DEPTH_MAX   4 /* events raised by rules over events ... */
#define REFLEX_TIMERS      64
#define REFLEX_COUNTERS    64
#define REFLEX_HISTOGRAM   32
#define REFLEX_OVERRUN_ROW 3 /* overruns in a row that disable a rule */

#define REFLEX_ENTRIES_MAX   64
#define REFLEX_INSNS_MAX     512
#define REFLEX_CONSTANTS_MAX 128
#define REFLEX_STRINGS_MAX   32
#define REFLEX_CALLS_MAX     16
#define REFLEX_WINDOWS_MAX   8
#define REFLEX_CELLS_MAX     16
#define REFLEX_SOURCE_MAX    8192
#define REFLEX_MARKS         64 /* time stamps that a window remembers */

struct reflex_header {
    uint32_t magic, size; /* bytes of the whole image */
    char name[REFLEX_NAME_MAX];
    uint64_t budget; /* ns that a run may take; 0: not limited */
    uint64_t ttl;    /* ns from its installation on; 0: for ever */
    uint16_t entries, insns, constants, strings, calls, windows, counters;
    uint8_t cells;    /* words of its own, zero at first */
    uint8_t priority; /* higher runs first */
    uint32_t source;  /* bytes, a multiple of 8 */
    uint32_t reserved;
};

struct reflex_entry {
    char type[REFLEX_NAME_MAX]; /* of events */
    uint32_t code;              /* only events with this code, */
    uint8_t by_code;            /* if 1; 0: all */
    uint8_t reserved;
    uint16_t start; /* instruction */
};

struct reflex_insn {
    uint8_t op, a, b, c; /* enum reflex_op, registers */
    int32_t imm;
};

struct reflex_string {
    char text[REFLEX_TEXT]; /* NUL padded, perhaps not ended */
};

enum reflex_arg_kind {
    REFLEX_ARG_CONSTANT,
    REFLEX_ARG_STRING,
    REFLEX_ARG_REGISTER
};

struct reflex_call {
    char action[REFLEX_NAME_MAX];
    uint8_t argc, reserved[3];
    struct {
        uint8_t kind, reserved;
        uint16_t index;
    } arg[REFLEX_ARGS];
    uint32_t reserved2;
};

struct reflex_window {
    uint64_t within; /* ns */
    uint32_t count, reserved;
};

struct reflex_counter {
    char name[REFLEX_NAME_MAX];
};

/* imm is an index where a name says so; PAIR: low 16 bits one, high 16 bits the
 * other. */
enum reflex_op {
    REFLEX_END,
    REFLEX_IMM,   /* a = imm */
    REFLEX_CONST, /* a = constant[imm] */
    REFLEX_FIELD, /* a = number field imm of the event */
    REFLEX_MOV,   /* a = b */
    REFLEX_NEG,   /* a = -b */
    REFLEX_INV,   /* a = ~b */
    REFLEX_NOT,   /* a = !b */
    REFLEX_ADD,   /* a = b + c, and so on */
    REFLEX_SUB,
    REFLEX_MUL,
    REFLEX_DIV,
    REFLEX_MOD,
    REFLEX_AND,
    REFLEX_OR,
    REFLEX_XOR,
    REFLEX_SHL, /* a count outside 0..63 gives 0 */
    REFLEX_SHR, /* the same; zeros come in */
    REFLEX_EQ,
    REFLEX_NE,
    REFLEX_LT,
    REFLEX_LE,
    REFLEX_TEXT_EQ, /* a = text field (low) is string (high) of imm */
    REFLEX_JMP,     /* on by imm, which is at least 1 */
    REFLEX_JZ,      /* the same when a is 0 */
    REFLEX_JNZ,
    REFLEX_CELL_GET,   /* a = cell[imm] */
    REFLEX_CELL_SET,   /* cell[imm] = b */
    REFLEX_CELL_ADD,   /* a = cell[imm] += b, which stays within 0..2^63-1 */
    REFLEX_SHARED_GET, /* the same with shared counters */
    REFLEX_SHARED_SET,
    REFLEX_SHARED_ADD,
    /* Count this event in window imm; a: so many came within its time (then
     * counting starts anew). */
    REFLEX_COUNT,
    /* a = 1 once, then 0 until constant (high) ns are over; cell (low). */
    REFLEX_COOL,
    /* a = the step of the sequence in cell imm; 0 when its time is over. */
    REFLEX_STEP,
    /* If the sequence in cell (low) is at step b go to step c, for constant
     * (high) ns at most; a: done. */
    REFLEX_GO,
    REFLEX_HIT,     /* the rule fires: counted */
    REFLEX_MISS,    /* it would have, but for a cool-down: counted */
    REFLEX_ACT,     /* call imm */
    REFLEX_CONSUME, /* nobody else shall act on the event */
    REFLEX_OPS
};

#define REFLEX_ACTION_STEPS 16
#define REFLEX_CONSUMED     1 /* nobody else shall act on the event */

/* Steps that an instruction takes; 0 for what is none. Pure. */
unsigned reflex_op_steps(uint8_t op);
const char *reflex_op_name(uint8_t op); /* NULL for what is none */

/* --- actions --- */

struct reflex_args {
    int64_t number[REFLEX_ARGS];
    const char *text[REFLEX_ARGS]; /* REFLEX_TEXT bytes, NUL padded */
    void *object;                  /* what `resolve` gave */
    const struct event *event;
    const char *rule;
};

/*
 * What a rule can do, declared by the module that can do it:
 *
 *	REFLEX_ACTION(mask_irq, .doc = "...", .args = "n", .any_context = true,
 *	              .run = mask_irq);
 */
struct reflex_action {
    const char *name, *doc;
    /* Of each its kind: n number, t text, i either, an id or a name (then its
     * text is NULL, or not); after ? optional. */
    const char *args;
    /* What the maker of a rule must be allowed to do; NULL: nothing more. */
    const char *capability;
    /* In the event's own context, interrupts off; else on the reflex thread. */
    bool any_context;
    /* 0 or negative errno; or, at once only, REFLEX_CONSUMED. */
    int (*run)(const struct reflex_args *args);
    /* Turn the first argument, a text, into an object when a rule is installed;
     * 0 or negative errno. Thread context. May be NULL. */
    int (*resolve)(const char *name, void **object);
    void (*release)(void *object); /* thread context; may be NULL */
};

#define REFLEX_ACTION(ident, ...)                                              \
    static const struct reflex_action reflex_action_##ident                    \
        __attribute__((used, section("rayos_reflex_actions"), aligned(8))) = { \
            .name = #ident, __VA_ARGS__}

/* For an action that has handed its work on: it failed after all, with this
 * negative errno. Any context but NMI. */
void reflex_failed(const char *rule, const struct event *over, int err);

/* i-th in link order, NULL past the end. */
const struct reflex_action *reflex_action_at(size_t i);
const struct reflex_action *reflex_action_find(const char *name);

/* --- rules: thread context --- */

#define REFLEX_WHY_MAX 160

/*
 * Change the rules as a whole, all or nothing: these images come; the rules of
 * the same names go, and of the others those that `leave` names (NULL: none;
 * "*": all of them). On an error nothing has changed, *bad is the index of the
 * image at fault (or count) and `why` says what is wrong. An image that is
 * installed already keeps its counts and its state. On 0 what went away runs no
 * more. -EINVAL: refused; -ENOENT: an object, or the rule that shall leave, is
 * not there; -EEXIST: two of one name; -ENOSPC; -ENOMEM.
 */
int reflex_change(const void *const *images, const size_t *sizes, size_t count,
                  const char *leave, size_t *bad, char why[REFLEX_WHY_MAX]);

struct reflex_stats {
    uint64_t runs, hits, suppressed, failures, overruns, lost;
    /* From event to the end of an action. */
    uint64_t actions, ns_min, ns_max, ns_sum, ticks_min, ticks_max, ticks_sum;
    uint64_t histogram[REFLEX_HISTOGRAM]; /* [i]: below 2^i ns */
};

struct reflex_info {
    char name[REFLEX_NAME_MAX];
    uint8_t priority;
    bool disabled, expired;
    unsigned insns, bound; /* steps */
    struct reflex_stats stats;
};

/* i-th rule in the order in which they run; false past the end. */
bool reflex_info_at(size_t i, struct reflex_info *out);
/* Its image, for export and explanation: bytes copied (at most `size`), or its
 * size when `out` is NULL; -ENOENT. */
int reflex_image_of(const char *name, void *out, size_t size);
/* Switch off and on again; -ENOENT. */
int reflex_enable(const char *name, bool on);
/* Check an image without installing it: 0 with the proven bound, or -EINVAL and
 * why. */
int reflex_check(const void *image, size_t size, unsigned *bound,
                 char why[REFLEX_WHY_MAX]);

/* The capabilities of the actions that an image names: the i-th, perhaps more
 * than once; NULL past the end. `image` is 8-byte aligned and may be anything.
 */
const char *reflex_needs(const void *image, size_t size, size_t i);

/* Shared counters, by name; it is made when it is not there. -ENOSPC. */
int reflex_counter(const char *name, uint64_t **out);
/* i-th; NULL past the end. */
const char *reflex_counter_at(size_t i, uint64_t *value);

struct reflex_totals {
    uint64_t too_deep; /* events that rules did not see for their depth */
    uint64_t lost;     /* actions for which the thread's ring had no room */
};
void reflex_get_totals(struct reflex_totals *out);

#endif
