/*
 * Images of rules, opened, verified and run. Pure: also built for the host
 * tests and the fuzzer, which give the verifier a world of their own.
 */
#ifndef REFLEX_IMAGE_H
#define REFLEX_IMAGE_H

#include <rayos/reflex.h>

/* Where the parts of an image lie in its bytes. */
struct reflex_image {
    const struct reflex_header *header;
    const struct reflex_entry *entries;
    const struct reflex_insn *insns;
    const int64_t *constants;
    const struct reflex_string *strings;
    const struct reflex_call *calls;
    const struct reflex_window *windows;
    const struct reflex_counter *counters;
    const char *source;
};

/* What the verifier believes: which types and actions there are. */
struct reflex_world {
    const struct event_type *(*type)(const char *name);
    const struct reflex_action *(*action)(const char *name);
};

/* --- operations (ops.c) --- */

/* What the fields of an instruction mean. */
enum reflex_operand {
    OPERAND_NONE,
    OPERAND_NUMBER,   /* any */
    OPERAND_CONSTANT, /* indices from here on */
    OPERAND_FIELD,
    OPERAND_TEXT_PAIR, /* text field, string */
    OPERAND_JUMP,
    OPERAND_CELL,
    OPERAND_SHARED,
    OPERAND_WINDOW,
    OPERAND_CELL_PAIR, /* cell, constant */
    OPERAND_CALL,
};

#define OP_WRITES_A 1u
#define OP_READS_A  2u
#define OP_READS_B  4u
#define OP_READS_C  8u

struct reflex_shape {
    const char *name; /* NULL: no such operation */
    uint8_t uses;     /* OP_ */
    uint8_t operand;  /* enum reflex_operand: of imm */
    uint8_t steps;
};

/* Any `op`; one that does not exist has no name. */
const struct reflex_shape *reflex_shape_of(uint8_t op);

/* --- the verifier (verify.c) --- */

/* Find the parts; `data` is 8-byte aligned and does not change any more. */
int reflex_image_open(const void *data, size_t size, struct reflex_image *out,
                      char why[REFLEX_WHY_MAX]);
/* Is every run of it harmless, and how many steps does the longest take? Only
 * of an image that was opened. */
int reflex_image_verify(const struct reflex_image *image,
                        const struct reflex_world *world, unsigned *bound,
                        char why[REFLEX_WHY_MAX]);

/* --- the machine (machine.c) --- */

/* The last times of events in a window: written without a lock. */
struct reflex_marks {
    uint64_t at;   /* events so far */
    uint64_t base; /* marks that are used up */
    uint64_t time[REFLEX_MARKS];
};

/* What a rule remembers from event to event; zero at first. */
struct reflex_state {
    uint64_t cells[REFLEX_CELLS_MAX];
    struct reflex_marks windows[]; /* as many as its header says */
};

/* One run; what it finds out is at the end. */
struct reflex_run {
    const struct reflex_image *image;
    const struct event_type *type;
    const struct event *event;
    nstime_t now; /* when the event was raised */
    struct reflex_state *state;
    uint64_t *const *shared; /* for each counter of the image */
    void (*act)(struct reflex_run *run, unsigned call,
                const int64_t registers[REFLEX_REGISTERS]);
    void *arg;
    unsigned steps; /* instructions that were run */
    uint16_t hits, misses;
    bool consumed;
};

/* From instruction `start` of a verified image. Interrupts off; any context
 * but NMI. */
void reflex_machine_run(struct reflex_run *run, unsigned start);
/* The words that several CPUs change at once; bounded. */
int64_t reflex_add_saturating(uint64_t *word, int64_t by);

#endif
