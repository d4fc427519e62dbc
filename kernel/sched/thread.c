/*
 * The life of a thread: creation, references, the list of all, end, join. The
 * thread itself holds one reference until it has been reaped. Thread context,
 * unless thread.h says otherwise.
 */
#include <errno.h>
#include <string.h>

#include <arch/context.h>
#include <rayos/libc.h>
#include <rayos/mm.h>
#include <rayos/panic.h>

#include "sched.h"

/* XSAVE areas are aligned to this (Intel SDM 1, 13.4). */
#define FPU_ALIGN 64
/* No stack is larger: keeps arithmetic on sizes simple. */
#define STACK_MAX (UINT64_C(1) << 30)

static struct spinlock threads_lock = SPINLOCK_INIT;
static struct list threads = LIST_INIT(threads); /* threads_lock */
static _Atomic uint32_t next_id;

static bool fpu_alloc(struct thread *t)
{
    t->fpu_block = kzalloc(arch_fpu_size() + FPU_ALIGN - 1);
    if (!t->fpu_block)
        return false;
    t->fpu = (void *)ALIGN_UP((uintptr_t)t->fpu_block, FPU_ALIGN);
    arch_fpu_init(t->fpu);
    return true;
}

struct thread *thread_alloc(const char *name, uint8_t priority, bool fpu)
{
    struct thread *t = kzalloc(sizeof(*t));

    if (!t || (fpu && !fpu_alloc(t))) {
        kfree(t);
        return NULL;
    }
    strncpy(t->name, name ? name : "thread", THREAD_NAME_MAX - 1);
    t->id = ++next_id;
    t->state = THREAD_BLOCKED;
    t->cpu = cpu_self();
    t->affinity = CPU_ANY;
    t->base_priority = priority;
    t->priority = priority;
    t->slice_left = THREAD_SLICE_NS;
    list_init(&t->run_node);
    list_init(&t->held_mutexes);
    list_init(&t->all_node);
    waitq_init(&t->joiners);
    timer_init(&t->wait_timer, wait_timer_expired);
    t->started_at = t->cpu_limit = TIME_NEVER;
    t->refs = 1;
    libc_thread_init(t);
    return t;
}

void thread_publish(struct thread *t)
{
    irqflags_t flags = spin_lock(&threads_lock);

    list_push_back(&threads, &t->all_node);
    spin_unlock(&threads_lock, flags);
}

void thread_reap(struct thread *t)
{
    irqflags_t flags = spin_lock(&threads_lock);

    list_remove(&t->all_node);
    spin_unlock(&threads_lock, flags);
    libc_thread_fini(t);
    if (t->stack)
        kspace_free(t->stack);
    kfree(t->fpu_block);
    flags = spin_lock(&t->exit_lock);
    t->gone = true;
    waitq_wake_all(&t->joiners);
    spin_unlock(&t->exit_lock, flags);
    thread_put(t);
}

static bool attr_is_valid(const struct thread_attr *attr)
{
    if (!attr->entry || attr->priority <= PRIO_IDLE ||
        attr->priority >= PRIO_COUNT)
        return false;
    return attr->affinity == CPU_ANY ||
           (attr->affinity < cpu_count() && cpu_get(attr->affinity)->online);
}

static void inherit(struct thread *t, const struct thread_attr *attr)
{
    const struct thread *parent = thread_current();

    t->account = attr->account ? attr->account : parent->account;
    t->files = attr->files ? attr->files : parent->files;
    t->domain = attr->domain ? attr->domain : parent->domain;
}

int thread_create(const struct thread_attr *attr, struct thread **out)
{
    size_t size = attr->stack_size ? attr->stack_size : THREAD_STACK_DEFAULT;
    struct thread *t;

    if (!attr_is_valid(attr))
        return -EINVAL;
    if (size > STACK_MAX)
        return -ENOMEM;
    t = thread_alloc(attr->name, attr->priority, true);
    if (!t)
        return -ENOMEM;
    t->affinity = attr->affinity;
    t->entry = attr->entry;
    t->arg = attr->arg;
    inherit(t, attr);
    t->stack_size = ALIGN_UP(size, PAGE_SIZE);
    t->stack = kspace_alloc_stack(t->stack_size);
    if (!t->stack) {
        thread_reap(t);
        return -ENOMEM;
    }
    arch_context_init(t);
    thread_get(t);
    thread_publish(t);
    *out = t;
    thread_wake(t, 0);
    return 0;
}

int thread_spawn(const struct thread_attr *attr)
{
    struct thread *t;
    int err = thread_create(attr, &t);

    if (!err)
        thread_put(t);
    return err;
}

void thread_get(struct thread *t)
{
    t->refs++;
}

void thread_put(struct thread *t)
{
    uint32_t left = --t->refs;

    KASSERT(left != UINT32_MAX);
    if (!left)
        kfree(t);
}

static int join(struct thread *t, nstime_t deadline, bool cancellable)
{
    irqflags_t flags = spin_lock(&t->exit_lock);
    int err = 0;

    while (!t->gone && !err)
        err = cancellable ? waitq_wait(&t->joiners, &t->exit_lock, deadline)
                          : waitq_wait_uncancellable(&t->joiners, &t->exit_lock,
                                                     deadline);
    if (t->gone)
        err = 0;
    spin_unlock(&t->exit_lock, flags);
    return err;
}

int thread_join(struct thread *t, nstime_t deadline)
{
    return t == thread_current() ? -EDEADLK : join(t, deadline, true);
}

void thread_join_uncancellable(struct thread *t)
{
    KASSERT(t != thread_current());
    join(t, TIME_NEVER, false);
}

_Noreturn void thread_exit(void)
{
    struct thread *t = thread_current();

    KASSERT(!in_interrupt());
    if (t->mutexes_held)
        panic("%s ends and holds %u mutexes", t->name, t->mutexes_held);
    arch_irq_disable();
    spin_lock(&t->lock);
    t->state = THREAD_DEAD;
    spin_unlock(&t->lock, 0);
    schedule();
    panic("%s runs after its end", t->name);
}

void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg)
{
    irqflags_t flags = spin_lock(&threads_lock);

    list_for_each (n, &threads)
        fn(container_of(n, struct thread, all_node), arg);
    spin_unlock(&threads_lock, flags);
}

const char *thread_state_name(enum thread_state state)
{
    static const char *const names[] = {
        [THREAD_READY] = "ready",
        [THREAD_RUNNING] = "running",
        [THREAD_BLOCKED] = "blocked",
        [THREAD_DEAD] = "dead",
    };

    return (unsigned)state < ARRAY_SIZE(names) ? names[state] : "?";
}
