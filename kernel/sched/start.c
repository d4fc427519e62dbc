/*
 * How a CPU comes to have threads: its run queue, its timers and its idle
 * thread; and what an idle CPU does. Boot only, but for the idle loop.
 */
#include <errno.h>

#include <arch/context.h>
#include <rayos/mm.h>
#include <rayos/panic.h>

#include "sched.h"

#define IDLE_STACK_SIZE (16 * 1024)
/* Above what boot starts in passing, below what serves devices. */
#define BOOT_PRIORITY PRIO_SHELL

/*
 * Interrupts are off from the look at what there is to do until the halt, which
 * ends with the first interrupt after it; a wake-up in between has sent one.
 */
static _Noreturn void idle_loop(void)
{
    for (;;) {
        struct cpu *cpu;
        nstime_t now;

        arch_irq_disable();
        cpu = cpu_self();
        now = cputime_update(cpu->rq);
        if (cpu->need_resched || balance_steal(cpu->rq)) {
            schedule();
        } else {
            timer_before_halt(now);
            arch_irq_enable_and_halt();
        }
    }
}

static void idle_main(void *arg)
{
    (void)arg;
    idle_loop();
}

/* It uses general registers only, so it has no FPU state to be switched. */
static struct thread *idle_create(struct cpu *cpu)
{
    struct thread *t = thread_alloc("idle", PRIO_IDLE, false);

    if (!t)
        return NULL;
    t->stack_size = IDLE_STACK_SIZE;
    t->stack = kspace_alloc_stack(t->stack_size);
    if (!t->stack) {
        thread_reap(t);
        return NULL;
    }
    if (cpu->id < 100) {
        size_t end = 4;

        t->name[end++] = ' ';
        if (cpu->id >= 10)
            t->name[end++] = (char)('0' + cpu->id / 10);
        t->name[end] = (char)('0' + cpu->id % 10);
    }
    t->cpu = cpu;
    t->affinity = cpu->id;
    t->entry = idle_main;
    t->state = THREAD_READY;
    arch_context_init(t);
    return t;
}

int sched_cpu_setup(struct cpu *cpu)
{
    struct timer_queue *timers = timer_queue_create();
    struct runqueue *rq = kzalloc(sizeof(*rq));
    struct thread *idle = idle_create(cpu);

    if (!timers || !rq || !idle) {
        if (idle)
            thread_reap(idle);
        kfree(timers);
        kfree(rq);
        return -ENOMEM;
    }
    runqueue_init(rq, cpu, idle);
    cpu->timers = timers;
    cpu->rq = rq;
    cpu->current = idle;
    thread_publish(idle);
    return 0;
}

_Noreturn void sched_start_cpu(void)
{
    struct runqueue *rq = cpu_self()->rq;

    rq->idle->state = THREAD_RUNNING;
    rq->idle->on_cpu = true;
    rq->idle->started_at = clock_now();
    idle_loop();
}

/* What has run so far becomes a thread like any other; its stack is not ours to
 * free. */
static void adopt_boot_flow(struct cpu *cpu)
{
    struct thread *t = thread_alloc("boot", BOOT_PRIORITY, true);

    if (!t)
        panic("no memory for the boot thread");
    t->state = THREAD_RUNNING;
    t->on_cpu = true;
    t->started_at = clock_now();
    thread_publish(t);
    cpu->rq->current = t;
    cpu->current = t;
    runqueue_update_top(cpu->rq);
}

void sched_init(void)
{
    struct cpu *cpu = cpu_self();

    if (sched_cpu_setup(cpu))
        panic("no memory for the scheduler");
    adopt_boot_flow(cpu);
    cpu->online = true;
    arch_irq_enable();
    reaper_init();
    workq_init();
}
