/*
 * Backtraces by frame pointers (the kernel is built with them). The chain runs
 * on through interrupts and stack switches, see arch/trap.h, so addresses need
 * not grow. Pure; any context, NMI and a broken stack included.
 */
#include "backtrace.h"

void backtrace_walk(struct backtrace *b, uintptr_t rbp,
                    bool (*can_read)(uintptr_t addr, size_t size))
{
    b->depth = 0;
    b->cut = false;
    while (rbp && rbp % sizeof(uintptr_t) == 0 &&
           can_read(rbp, 2 * sizeof(uintptr_t))) {
        const uintptr_t *pair = (const uintptr_t *)rbp;

        if (!pair[1])
            return;
        if (b->depth == BACKTRACE_DEPTH) {
            b->cut = true;
            return;
        }
        b->pc[b->depth++] = pair[1];
        if (pair[0] == rbp)
            return;
        rbp = pair[0];
    }
}
