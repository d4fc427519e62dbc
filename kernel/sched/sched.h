/*
 * The scheduler's inside: what its files share and nobody else sees.
 *
 * Locks, in the order in which they may be taken (each with interrupts off):
 *
 *	lock of the object waited for (for mutexes that is pi_lock)
 *	-> pi_lock -> thread->lock -> runqueue->lock -> timer_queue->lock
 *
 * No two locks of one kind are ever held together, with one exception:
 * an object's lock may be held when pi_lock is taken (cond_wait).
 *
 * What protects a thread:
 *  - state: RUNNING to BLOCKED or DEAD only by the thread itself, under its
 *    lock; BLOCKED to READY under its lock; between READY and RUNNING under the
 *    lock of the run queue of t->cpu. So whoever holds t->lock and sees BLOCKED
 *    can rely on it.
 *  - run_node: lock of the run queue of t->cpu.
 *  - cpu: while the thread is blocked its lock; while it is ready the lock of
 *    the run queue that it leaves. A thread on its way from one queue to
 *another is READY, in no queue, and its cpu says where it goes. To hold a
 *thread still: runqueue_lock_of().
 *  - priority: written under pi_lock, its lock and the lock of the run queue of
 *    t->cpu, all three; read under any of them.
 *  - wait_result, wait_cancellable: its lock.
 *  - on_cpu: set under the run queue's lock when it is picked, cleared by the
 *    thread that follows it on its CPU once its registers are saved. While it
 *    is set a woken thread goes back to that very CPU, and nobody steals it:
 *    so no thread ever runs on two CPUs at once.
 *
 * Between "state = BLOCKED" and the switch the thread has interrupts off.
 */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <rayos/percpu.h>
#include <rayos/thread.h>

#include "runqueue.h"

struct runqueue {
    struct spinlock lock;
    struct cpu *cpu;          /* constant */
    struct thread *idle;      /* constant */
    struct ready_queue ready; /* lock */
    struct thread *current;   /* lock */

    /* Hints: written under the lock, read by anybody. */
    _Atomic int top; /* best priority of current and ready; PRIO_IDLE: idle */
    _Atomic uint32_t waiting;   /* ready threads */
    _Atomic uint32_t stealable; /* of them, those that may run anywhere */

    /* Round robin. */
    nstime_t slice_end; /* of the current thread; own CPU, interrupts off */
    bool slice_armed;   /* lock */
    struct timer slice_timer;
    /* CPU time limits; own CPU, interrupts off. */
    nstime_t limit_armed; /* when limit_timer fires; TIME_NEVER: not armed */
    struct timer limit_timer;

    /* The thread just put aside for a better one: another CPU may want it. Own
     * CPU, interrupts off, from schedule() to the end of the switch. */
    struct thread *pushed_out;
};

/* --- sched.c --- */

static inline struct thread *thread_of_node(struct list *run_node)
{
    return container_of(run_node, struct thread, run_node);
}

void runqueue_init(struct runqueue *rq, struct cpu *cpu, struct thread *idle);
/* Lock the run queue of t->cpu, whatever it is by then. Interrupts off. */
struct runqueue *runqueue_lock_of(struct thread *t);
/* Make a READY thread that is in no queue wait on `cpu`, and have that CPU look
 * at it when it should. Interrupts off, no run queue lock held. */
void sched_place_on(struct cpu *cpu, struct thread *t);
/* thread_wake with t->lock held, for a thread that is BLOCKED. */
void thread_wake_locked(struct thread *t, int result);
/* Change what a thread runs with. pi_lock held. */
void sched_change_priority(struct thread *t, uint8_t priority);
/* Make `cpu` take its reschedule interrupt, or remember to look at the end of
 * the interrupt that is being served. Interrupts off. */
void sched_kick(struct cpu *cpu);
/*
 * Let interrupts that wait be served, then go on as if nothing had happened:
 * what they have made ready stays ready, nobody is switched to, and the caller
 * calls schedule() behind it, or looks at need_resched. For long ways with
 * interrupts off, between two steps where no lock is held and rq->current is
 * settled: what delays an interrupt delays a reflex. Not in interrupt context;
 * interrupts off before and after.
 */
void sched_window(void);

/* Both with rq->lock held. */
void runqueue_take(struct runqueue *rq, struct thread *t);
void runqueue_update_top(struct runqueue *rq);

/* --- balance.c: who runs where. Interrupts off. --- */

/* The CPU for a thread that becomes ready. */
struct cpu *balance_choose(struct thread *t);
/* The idle CPU looks for work elsewhere. true: it got some. */
bool balance_steal(struct runqueue *rq);
/* A thread now waits on rq though it could run elsewhere: rouse an idle CPU. */
void balance_rouse(struct runqueue *rq);
/* The switch is over: clears prev->on_cpu; a better CPU for it is used. */
void balance_push_out(struct runqueue *rq, struct thread *prev);

/* --- cputime.c: slices, accounting and limits. Interrupts off. --- */

void cputime_init(struct runqueue *rq);
/* Own CPU, rq->lock held: an equal waits, so the slice counts. */
void slice_arm(struct runqueue *rq);
/* The running thread's stretch ends; returns the time. */
nstime_t cputime_stop(struct runqueue *rq, struct thread *prev);
/* One begins, at the time that cputime_stop gave. */
void cputime_start(struct runqueue *rq, struct thread *next, nstime_t now);
/* Bring the current thread's account up to date; returns the time. */
nstime_t cputime_update(struct runqueue *rq);

/* --- wait.c --- */

/* The handler of every thread's wait_timer. */
void wait_timer_expired(struct timer *timer);

/* --- thread.c --- */

/* A thread object without stack, in no list; NULL. */
struct thread *thread_alloc(const char *name, uint8_t priority, bool fpu);
void thread_publish(struct thread *t); /* into the list of all threads */
/* Undo both, and give the stack back. Thread context. */
void thread_reap(struct thread *t);
/* As thread_join, for the kernel's own needs. */
void thread_join_uncancellable(struct thread *t);

/* --- reaper.c --- */

void reaper_init(void);
/* `t` has ended and its stack is out of use. Interrupts off. */
void reaper_submit(struct thread *t);

/* --- workq.c, timer.c --- */

void workq_init(void);
struct timer_queue *timer_queue_create(void);
/* This CPU is about to halt; interrupts off. An interrupt of its timers that is
 * due is asked for again: had it been lost, as emulators do now and then, the
 * CPU might sleep for good. */
void timer_before_halt(nstime_t now);

#endif
