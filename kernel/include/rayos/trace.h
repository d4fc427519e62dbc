/*
 * Tracing: typed records with a time stamp in a ring for each CPU, oldest ones
 * overwritten (a flight recorder). While a class is off its trace points cost
 * one load and one branch. Trace points work in any context but NMI.
 */
#ifndef RAYOS_TRACE_H
#define RAYOS_TRACE_H

#include <rayos/types.h>

/*
 * What can be recorded. A row in these two tables and a trace_point() somewhere
 * are all that a new class or type of record takes: names for Lua, the viewer's
 * tracks and its output follow from them.
 *
 * ROW(identifier, name)
 */
#define TRACE_CLASS_TABLE(ROW) \
    ROW(SCHED, "sched")        \
    ROW(IRQ, "irq")            \
    ROW(MARK, "mark")          \
    ROW(EVENT, "event")        \
    ROW(LOCK, "lock")          \
    ROW(VM, "vm")

/* How a viewer shows a type. Begin and end nest, for each class and CPU. */
enum trace_shape {
    TRACE_SHAPE_OWN, /* lua/trace.lua knows this type */
    TRACE_SHAPE_POINT,
    TRACE_SHAPE_BEGIN,
    TRACE_SHAPE_END,
};

/* ROW(identifier, class, shape, name, what `a` is, what `b` is): NULL for `a`:
 * the address of a text that stays for good, to be shown as the name. */
#define TRACE_TYPE_TABLE(ROW)                                           \
    ROW(SWITCH, SCHED, OWN, "switch", "left", "runs") /* thread ids */  \
    ROW(WAKE, SCHED, OWN, "wake", "thread", "cpu")                      \
    ROW(IRQ_ENTER, IRQ, OWN, "irq_enter", "vector", "")                 \
    ROW(IRQ_EXIT, IRQ, OWN, "irq_exit", "vector", "")                   \
    ROW(USER, MARK, OWN, "mark", "text", "") /* 15 bytes, NUL padded */ \
    ROW(RAISE, EVENT, POINT, "raise", NULL, "code")                     \
    /* A spin lock taken while this CPU raises an event: by a rule. */  \
    ROW(RULE_LOCK, LOCK, POINT, "rule_lock", "lock", "from")            \
    /* A guest left its CPU, by the reason's name, and goes on. */      \
    ROW(VM_EXIT, VM, BEGIN, "vm_exit", NULL, "rip")                     \
    ROW(VM_EXIT_DONE, VM, END, "vm_exit_done", "", "")

#define TRACE_CLASS_ENUM(ident, name)                    TRACE_##ident,
#define TRACE_TYPE_ENUM(ident, class, shape, name, a, b) TRACE_##ident,

enum trace_class { TRACE_CLASS_TABLE(TRACE_CLASS_ENUM) TRACE_CLASSES };
enum trace_type { TRACE_TYPE_TABLE(TRACE_TYPE_ENUM) TRACE_TYPES };

struct trace_type_info {
    const char *name;
    enum trace_class class;
    enum trace_shape shape;
    const char *a, *b;
};

struct trace_record {
    nstime_t time;
    uint32_t type; /* enum trace_type */
    uint32_t cpu;
    uint64_t a, b;
};

/* Bit (1 << class) for each class that is on. */
extern _Atomic uint32_t trace_mask;

/* --- trace points --- */

void trace_write(enum trace_type type, uint64_t a, uint64_t b);

/* Is the class on? For points whose numbers cost something. */
static inline bool trace_on(enum trace_class class)
{
    uint32_t mask = __atomic_load_n((const uint32_t *)&trace_mask,
                                    __ATOMIC_RELAXED);

    return __builtin_expect(mask & 1u << class, 0);
}

static inline void trace_point(enum trace_class class, enum trace_type type,
                               uint64_t a, uint64_t b)
{
    if (trace_on(class))
        trace_write(type, a, b);
}

/* --- control; thread context, one caller at a time --- */

/* Empty the rings and record these classes. -ENOMEM. */
int trace_start(uint32_t mask);
/* Stop; the records stay. On return no CPU writes any more. */
void trace_stop(void);
/* Record number `index` of a CPU, oldest first; false past the end. Only while
 * tracing is stopped. */
bool trace_get(uint32_t cpu, uint32_t index, struct trace_record *out);
/* How many records of that CPU were overwritten. */
uint64_t trace_lost(uint32_t cpu);
/* NULL past the end. Any context. */
const char *trace_class_name(uint32_t class);
const struct trace_type_info *trace_type_info(uint32_t type);

#endif
