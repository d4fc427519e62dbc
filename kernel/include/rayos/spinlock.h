/*
 * Spin locks. Taking one disables interrupts on this CPU, so any context but
 * NMI may use any of them, and the holder is never preempted. Hold them for a
 * bounded, short time; never block, never allocate frames in bulk.
 */
#ifndef RAYOS_SPINLOCK_H
#define RAYOS_SPINLOCK_H

#include <arch/cpu.h>
#include <rayos/types.h>

/*
 * Whoever comes first gets it: no queue. A ticket lock is fair, but hands
 * itself to a CPU that may not be running when CPUs are threads of a busy host,
 * and then all wait for that host.
 */
struct spinlock {
    uint32_t held; /* atomic */
};

typedef uint64_t irqflags_t;

#define SPINLOCK_INIT \
    {                 \
        0             \
    }

/* The kernel's tracer wants to know (trace.h, class LOCK); the pure modules
 * that tests compile for the host have none. */
#if __STDC_HOSTED__
static inline void spin_trace(const struct spinlock *l)
{
    (void)l;
}
#else
#include <rayos/trace.h>

void event_trace_lock(const struct spinlock *l); /* kernel/core/event.c */

static inline void spin_trace(const struct spinlock *l)
{
    uint32_t mask = __atomic_load_n((const uint32_t *)&trace_mask,
                                    __ATOMIC_RELAXED);

    if (__builtin_expect(mask & 1u << TRACE_LOCK, 0))
        event_trace_lock(l);
}
#endif

/* Returns the interrupt state to give back to spin_unlock. Also a full memory
 * barrier. */
static inline irqflags_t spin_lock(struct spinlock *l)
{
    irqflags_t flags = arch_irq_save();

    spin_trace(l);
    while (__atomic_exchange_n(&l->held, 1, __ATOMIC_SEQ_CST))
        while (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
            arch_pause();
    return flags;
}

static inline void spin_unlock(struct spinlock *l, irqflags_t flags)
{
    __atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
    arch_irq_restore(flags);
}

static inline bool spin_is_locked(const struct spinlock *l)
{
    return __atomic_load_n(&l->held, __ATOMIC_RELAXED);
}

#endif
