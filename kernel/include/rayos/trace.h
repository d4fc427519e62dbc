/*
 * Tracing: typed records with a time stamp in a ring for each CPU, oldest ones
 * overwritten (a flight recorder). While a class is off its trace points cost
 * one load and one branch. Trace points work in any context but NMI.
 */
#ifndef RAYOS_TRACE_H
#define RAYOS_TRACE_H

#include <rayos/types.h>

enum trace_class { TRACE_SCHED, TRACE_IRQ, TRACE_MARK, TRACE_CLASSES };

enum trace_type {
    TRACE_SWITCH,    /* thread that leaves, thread that runs now (ids) */
    TRACE_WAKE,      /* thread id, CPU id that it will run on */
    TRACE_IRQ_ENTER, /* vector */
    TRACE_IRQ_EXIT,  /* vector */
    TRACE_USER,      /* the first 15 bytes of a text, NUL padded */
    TRACE_TYPES,
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

static inline void trace_point(enum trace_class class, enum trace_type type,
                               uint64_t a, uint64_t b)
{
    uint32_t mask = __atomic_load_n((const uint32_t *)&trace_mask,
                                    __ATOMIC_RELAXED);

    if (__builtin_expect(mask & 1u << class, 0))
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
/* "sched", "irq", "mark"; NULL past the end. */
const char *trace_class_name(uint32_t class);
const char *trace_type_name(uint32_t type);

#endif
