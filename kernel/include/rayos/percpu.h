/*
 * Per-CPU data, found through the GS base. Fields belong to their CPU: another
 * CPU may only read them, and only those marked so. `struct cpu` is complete
 * here so that the hot accessors inline; use the accessors.
 */
#ifndef RAYOS_PERCPU_H
#define RAYOS_PERCPU_H

#include <rayos/types.h>

struct thread;
struct runqueue;
struct timer_queue;
struct arch_cpu;

struct cpu {
    struct cpu *self;        /* gs:0 */
    struct thread *current;  /* gs:8; written by the context switch */
    uint32_t id;             /* gs:16; 0 is the boot CPU, ids are dense */
    uint32_t irq_depth;      /* gs:20; 0 in thread context */
    uintptr_t irq_stack_top; /* gs:24 */
    uint32_t apic_id;
    bool need_resched; /* set by wake-ups; looked at on the way out of an
                          interrupt */
    bool window;       /* sched_window is open: its caller will look */
    bool no_window;    /* irq_forbid_window */
    _Atomic bool online;
    struct runqueue *rq;
    struct timer_queue *timers;
    struct arch_cpu *arch; /* GDT, TSS, IST stacks */
    uint64_t irq_count;
    nstime_t idle_time; /* readable by all */
};

static inline struct cpu *cpu_self(void)
{
    struct cpu *c;

    __asm__ volatile("movq %%gs:0, %0" : "=r"(c));
    return c;
}

/* Id of this CPU; stable only with interrupts off or in interrupt context. */
static inline uint32_t cpu_id(void)
{
    uint32_t id;

    __asm__ volatile("movl %%gs:16, %0" : "=r"(id));
    return id;
}

/* The thread that runs on this CPU. Right in thread context whatever the
 * interrupt state. */
static inline struct thread *thread_current(void)
{
    struct thread *t;

    __asm__ volatile("movq %%gs:8, %0" : "=r"(t));
    return t;
}

static inline bool in_interrupt(void)
{
    uint32_t depth;

    __asm__ volatile("movl %%gs:20, %0" : "=r"(depth));
    return depth != 0;
}

/* Number of CPUs that are on line; grows during boot only. */
uint32_t cpu_count(void);
/* CPU `id` < cpu_count(). */
struct cpu *cpu_get(uint32_t id);

#endif
