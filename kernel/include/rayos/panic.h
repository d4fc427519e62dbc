/* The end of the machine: reports what it knows on serial line and screen,
 * stores it, stops every CPU. */
#ifndef RAYOS_PANIC_H
#define RAYOS_PANIC_H

#include <rayos/fmt.h>
#include <rayos/types.h>

struct trap_frame;

/* Any context. Prints cause, registers, symbolized backtrace of every CPU and
 * the last log lines; writes them to the panic record; then halts, or resets
 * when the command line says `panic=reset` (with `headless`, resets by default
 * after the report; `panic=halt` keeps it). */
_Noreturn void panic(const char *fmt, ...) FMT_PRINTF(1, 2);
/* The same for an exception: `frame` is where it happened. */
_Noreturn void panic_trap(const struct trap_frame *frame, const char *fmt, ...)
    FMT_PRINTF(2, 3);

#define KASSERT(cond)                                                        \
    do {                                                                     \
        if (__builtin_expect(!(cond), 0))                                    \
            panic("assertion failed: %s, %s:%d", #cond, __FILE__, __LINE__); \
    } while (0)

/* For the NMI that smp_stop_others sends: note where this CPU was, for the
 * report, and stop for good. NMI context. */
_Noreturn void panic_cpu_stopped(const struct trap_frame *frame);

/* Text of the report to the screen. Weak: the display's replaces a function
 * that does nothing. Any context, one CPU. */
void panic_screen_write(const char *text, size_t size);

/* Take over the record that the previous boot left, so that it is shown for one
 * boot only. Boot, once, heap running. */
void panic_record_init(void);
/* The record that the previous boot left, as text; NULL when it ended well.
 * Thread context; valid for good. */
const char *panic_last(void);

#endif
