/* The host's stand-in for arch/cpu.h: pure modules need no more. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <stdbool.h>
#include <stdint.h>

static inline void arch_pause(void)
{
}

static inline uint64_t arch_irq_save(void)
{
    return 0;
}

static inline void arch_irq_restore(uint64_t flags)
{
    (void)flags;
}

/* For tests of what depends on them: the test defines them. */
bool arch_irq_enabled(void);
uint64_t arch_read_cr3(void);

#endif
