/*
 * Spin locks. Taking one disables interrupts on this CPU, so any context but
 * NMI may use any of them, and the holder is never preempted. Hold them for a
 * bounded, short time; never block, never allocate frames in bulk.
 */
#ifndef RAYOS_SPINLOCK_H
#define RAYOS_SPINLOCK_H

#include <arch/cpu.h>
#include <rayos/types.h>

struct spinlock {
    _Atomic uint32_t next; /* ticket lock: fair between CPUs */
    _Atomic uint32_t owner;
};

typedef uint64_t irqflags_t;

#define SPINLOCK_INIT \
    {                 \
        0, 0          \
    }

/* Returns the interrupt state to give back to spin_unlock. */
static inline irqflags_t spin_lock(struct spinlock *l)
{
    irqflags_t flags = arch_irq_save();
    uint32_t ticket = __atomic_fetch_add((uint32_t *)&l->next, 1,
                                         __ATOMIC_RELAXED);

    while (__atomic_load_n((uint32_t *)&l->owner, __ATOMIC_ACQUIRE) != ticket)
        arch_pause();
    return flags;
}

static inline void spin_unlock(struct spinlock *l, irqflags_t flags)
{
    __atomic_store_n((uint32_t *)&l->owner, l->owner + 1, __ATOMIC_RELEASE);
    arch_irq_restore(flags);
}

static inline bool spin_is_locked(const struct spinlock *l)
{
    return __atomic_load_n((const uint32_t *)&l->owner, __ATOMIC_RELAXED) !=
           __atomic_load_n((const uint32_t *)&l->next, __ATOMIC_RELAXED);
}

#endif
