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

/* Returns the interrupt state to give back to spin_unlock. Also a full memory
 * barrier. */
static inline irqflags_t spin_lock(struct spinlock *l)
{
    irqflags_t flags = arch_irq_save();

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
