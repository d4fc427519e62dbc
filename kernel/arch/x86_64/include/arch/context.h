/*
 * The context switch, for the scheduler only.
 *
 * Between the call of arch_context_switch and its return runs other threads'
 * time. Interrupts stay off over the switch; the interrupt depth is 0.
 */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

struct thread;

/*
 * Prepare a thread that never ran: t->stack and t->stack_size are set, t->fpu
 * is set (arch_fpu_size bytes, 64-byte aligned) or NULL for a thread that uses
 * general registers only. The first switch to it ends in
 * sched_thread_begin(prev) on its own stack, interrupts off.
 */
void arch_context_init(struct thread *t);

/*
 * Interrupts off. Saves the registers of `prev` (x87/SSE/AVX too when
 * prev->fpu is set), makes `next` the CPU's current thread and restores its.
 * Returns, when `prev` is switched to again, the thread that ran just before on
 * this CPU.
 */
struct thread *arch_context_switch(struct thread *prev, struct thread *next);

/* Bytes of an XSAVE area; make one that holds the initial state. */
size_t arch_fpu_size(void);
void arch_fpu_init(void *area);

/* The scheduler's: first C code of a new thread, on its stack, interrupts off.
 * Finishes the switch from `prev`, enables interrupts, calls
 * current->entry(current->arg), then thread_exit(). */
_Noreturn void sched_thread_begin(struct thread *prev);

/* The scheduler's: allocate run queue, timer queue and idle thread of `cpu`
 * (cpu->rq, cpu->timers, cpu->current, cpu->irq_stack_top is arch's). Called
 * on the boot CPU before that CPU starts. 0 or -ENOMEM. */
struct cpu;
int sched_cpu_setup(struct cpu *cpu);

#endif
