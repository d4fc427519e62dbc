/* Return addresses along the chain of frame pointers. Pure. */
#ifndef CORE_BACKTRACE_H
#define CORE_BACKTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKTRACE_DEPTH 40

struct backtrace {
    uintptr_t pc[BACKTRACE_DEPTH];
    uint32_t depth;
    bool cut; /* there was more */
};

/*
 * Follow {saved rbp, return address} pairs from `rbp`, which may be anything:
 * only what `can_read` allows is read, and the depth is bounded. Ends at a
 * frame pointer of 0.
 */
void backtrace_walk(struct backtrace *b, uintptr_t rbp,
                    bool (*can_read)(uintptr_t addr, size_t size));

#endif
