/*
 * Threads: preemptive, fixed priority, round robin inside a priority, a run
 * queue per CPU.
 *
 * All thread state is switched eagerly, x87/SSE/AVX included (XSAVE), so any
 * thread may run any code. "Cancelled" is a sticky mark that makes cancellable
 * waits (all of them but mutex_lock and thread_join of the kernel's own) return
 * -ECANCELED at once; only the thread itself clears it.
 */
#ifndef RAYOS_THREAD_H
#define RAYOS_THREAD_H

#include <reent.h>

#include <rayos/list.h>
#include <rayos/spinlock.h>
#include <rayos/timer.h>
#include <rayos/types.h>
#include <rayos/waitq.h>

/* Higher runs first. */
enum thread_priority {
    PRIO_IDLE = 0,
    PRIO_BACKGROUND = 4,
    PRIO_CONTROL = 8, /* Lua domains */
    PRIO_SHELL = 10,  /* interactive Lua domains */
    PRIO_IO = 14,     /* network and display */
    PRIO_VCPU = 18,
    PRIO_INTERRUPT = 24,
    PRIO_REFLEX = 31,
    PRIO_COUNT = 32,
};

#define THREAD_NAME_MAX      24
#define THREAD_SLICE_NS      (10 * NS_PER_MS) /* round robin inside a priority */
#define THREAD_STACK_DEFAULT (32 * 1024)
#define CPU_ANY              UINT32_MAX

enum thread_state { THREAD_READY, THREAD_RUNNING, THREAD_BLOCKED, THREAD_DEAD };

struct mutex;
struct wait_node;
struct account;
struct fdtable;
struct domain;
struct trap_frame;

struct thread {
    /* Fixed offsets, known to switch.S. */
    uintptr_t sp; /* saved stack pointer while not running */
    void *fpu;    /* XSAVE area, 64-byte aligned */

    char name[THREAD_NAME_MAX];
    uint32_t id;
    /* Which lock protects the scheduler's fields: kernel/sched/sched.h. */
    struct spinlock lock;
    _Atomic enum thread_state state;
    struct cpu *_Atomic cpu;  /* where it runs, or whose run queue it is on */
    uint32_t affinity;        /* a CPU id, or CPU_ANY; constant */
    uint8_t base_priority;    /* lock: pi_lock */
    _Atomic uint8_t priority; /* with inheritance */
    _Atomic bool on_cpu;      /* its registers are not saved yet */
    struct list run_node;     /* lock: the run queue's */
    nstime_t slice_left;

    /* Waiting. */
    int wait_result;
    bool wait_cancellable;
    struct timer wait_timer;
    struct wait_node *wait_node; /* lock: the wait queue's */
    _Atomic bool cancelled;

    /* Priority inheritance; lock: pi_lock in pi.c. */
    struct mutex *blocked_on;
    struct list held_mutexes; /* those that others wait for */
    uint32_t mutexes_held;    /* all of them; its own, or the hand-over's */

    /* Asynchronous call: runs on this thread's CPU while it is the current
     * thread, in interrupt context. */
    void (*async_fn)(struct thread *t);
    _Atomic bool async_pending;

    /* CPU time, ns; written with interrupts off by the CPU that runs it. Others
     * read it by thread_cpu_time. */
    _Atomic uint32_t time_seq; /* odd while the next two are being written */
    nstime_t cpu_time;
    nstime_t started_at; /* when it was last switched in */
    nstime_t
        cpu_limit; /* cpu_time at which limit_fn is called; TIME_NEVER: none */
    void (*limit_fn)(struct thread *t); /* interrupt context on its own CPU,
                                           each time the limit is reached */
    uint64_t switches;

    void (*entry)(void *arg);
    void *arg;
    void *stack; /* NULL: not the scheduler's to free */
    size_t stack_size;
    void *fpu_block;      /* what was allocated to hold *fpu */
    struct list all_node; /* lock: the thread list's */
    _Atomic uint32_t refs;
    struct spinlock exit_lock;
    bool gone;            /* ended, and its stack given back; lock: exit_lock */
    struct waitq joiners; /* lock: exit_lock */

    /* Context that other modules hang on a thread. Inherited from the creator
     * when the attribute says 0. */
    struct account *account; /* who pays for malloc; NULL: the kernel */
    struct fdtable *files;   /* NULL: the kernel's own table */
    struct domain *domain;   /* the Lua domain whose thread this is */
    void (*exit_hook)(
        struct thread *t,
        int status);     /* what exit() of the C library does on this thread */
    struct _reent reent; /* newlib's per-thread state */
};

struct thread_attr {
    const char *name;
    void (*entry)(void *arg);
    void *arg;
    uint8_t priority;
    uint32_t affinity; /* CPU_ANY, or a CPU id */
    size_t stack_size; /* 0: THREAD_STACK_DEFAULT; a guard page lies below */
    struct account *account;
    struct fdtable *files;
    struct domain *domain;
};

/* Make and start a thread. The caller owns one reference (thread_put). -ENOMEM;
 * -EINVAL for a priority outside 1..PRIO_COUNT-1 or a CPU that is not there.
 * Thread context. */
int thread_create(const struct thread_attr *attr, struct thread **out);
/* As thread_create, dropping the reference: for threads that nobody waits for.
 */
int thread_spawn(const struct thread_attr *attr);
void thread_get(struct thread *t); /* any context */
void thread_put(struct thread *t); /* thread context */
/* Wait for its end; on 0 its stack and its C library state are gone too.
 * -ETIMEDOUT, -ECANCELED; -EDEADLK for itself. */
int thread_join(struct thread *t, nstime_t deadline);
_Noreturn void thread_exit(void);

void thread_yield(void);
/* 0, or -ECANCELED. */
int thread_sleep_until(nstime_t deadline);
static inline int thread_sleep(nstime_t ns);

/* Its own priority, 1..PRIO_COUNT-1; what it inherits comes on top. Thread or
 * interrupt context. */
void thread_set_priority(struct thread *t, uint8_t priority);

/* Mark as cancelled and end its cancellable wait. Any context but NMI. */
void thread_cancel(struct thread *t);
/* Only the current thread: was it cancelled, and forget it. */
bool thread_test_and_clear_cancel(void);

/* Have t->async_fn(t) called on t's CPU, with t as the current thread,
 * interrupts off, as soon as may be: at once by an IPI when it runs elsewhere,
 * at its next switch-in when it does not run. Calls coalesce. Any context but
 * NMI. */
void thread_post_async(struct thread *t);
/* Arm (or with TIME_NEVER disarm) the CPU time limit of the current thread,
 * counted from now. */
void thread_set_cpu_limit(nstime_t from_now, void (*fn)(struct thread *t));
/* CPU time it has used, the running stretch included. Any context. */
nstime_t thread_cpu_time(const struct thread *t);

/* Calls fn for every thread, the idle ones included, under the list lock: fn
 * must not block, nor create or drop threads. */
void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg);
/* "ready", "running", ... */
const char *thread_state_name(enum thread_state state);
/* Time for which CPU `id` had nothing to do, the running stretch included. Any
 * context. */
nstime_t sched_idle_time(uint32_t id);

/* --- for the scheduler's neighbours --- */
/* Become the boot CPU's first thread and start scheduling; for each other CPU,
 * its idle thread. */
void sched_init(void);
_Noreturn void sched_start_cpu(void);
/* Give up the CPU. Interrupts off. Called on the way out of an interrupt when
 * need_resched is set. */
void schedule(void);
/* arch: on the way out of an interrupt, interrupts off, irq_depth 0. */
void sched_interrupt_exit(void);
/* Make a blocked thread ready with this result of its wait. false: it was not
 * blocked. Any context but NMI. */
bool thread_wake(struct thread *t, int result);

#include <rayos/clock.h>
static inline int thread_sleep(nstime_t ns)
{
    return thread_sleep_until(clock_now() + ns);
}

#endif
