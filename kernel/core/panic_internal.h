/* What the parts of the panic share. All but panic_region is called only by the
 * CPU that panics. */
#ifndef CORE_PANIC_INTERNAL_H
#define CORE_PANIC_INTERNAL_H

#include <rayos/fmt.h>
#include <rayos/types.h>

#include "backtrace.h"

struct trap_frame;
struct thread;

/* Where a CPU was. */
struct panic_cpu {
    _Atomic bool stopped; /* all below is complete */
    uintptr_t rip, rsp;
    uintptr_t caller; /* when rip is not in code: who called it; else 0 */
    const struct thread *thread;
    struct backtrace trace;
};

/* What the report is about. */
struct panic_cause {
    const char *text;
    const struct trap_frame *frame; /* NULL: panic() was called */
    uint32_t cpu;
    const struct panic_cpu *self;
};

/* --- panic.c --- */
/* State of a CPU that stopped; NULL when it did not. */
const struct panic_cpu *panic_cpu_state(uint32_t id);
/* May this address be read: true only when it is surely mapped. */
bool panic_can_read(uintptr_t addr, size_t size);

/* --- panic_report.c --- */
void panic_report(const struct panic_cause *cause);

/* --- panic_output.c --- */
/* Everything printed goes to the record, to every tty (to COM1 when there is
 * none yet), and to the screen. */
void panic_output_begin(void);
void panic_print(const char *fmt, ...) FMT_PRINTF(1, 2);
/* Push the record out of the caches, into memory. */
void panic_output_flush(void);

/* --- panic_last.c --- */
/* Memory of the panic record; NULL when there is none. Any context. */
void *panic_region(size_t *size);

#endif
