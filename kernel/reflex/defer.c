/*
 * Actions that must not run in interrupt context: a ring for each CPU, and one
 * thread of the highest priority. Handing over takes no lock; the thread is
 * roused by an interrupt that the CPU sends itself, as for events (see
 * kernel/core/event.c). Handing over: interrupts off; all else thread context.
 */
#include <errno.h>

#include <rayos/irq.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>
#include <rayos/waitq.h>

#include "rule.h"

#define RING_LENGTH 256 /* a power of two */

struct deferred {
    struct rule *rule;
    unsigned call;
    int64_t number[REFLEX_ARGS];
    const char *text[REFLEX_ARGS]; /* in the rule's image */
    struct event event;
};

struct ring {
    uint32_t head; /* atomic; written by its CPU */
    uint32_t tail; /* atomic; written by the thread when it is done */
    bool kicked;   /* its CPU's */
    struct deferred slots[RING_LENGTH];
};

static struct ring *rings[MAX_CPUS]; /* constant once started */
static int vector;
static uint64_t lost; /* atomic */

static struct spinlock wake_lock = SPINLOCK_INIT;
static bool awaken;                                /* wake_lock */
static struct waitq sleeper = WAITQ_INIT(sleeper); /* wake_lock */

bool defer_action(struct rule *r, unsigned call, const struct reflex_args *args)
{
    struct ring *ring = rings[cpu_id()];
    uint32_t head = ring->head;
    struct deferred *d = &ring->slots[head % RING_LENGTH];

    if (head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) == RING_LENGTH) {
        __atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
        return false;
    }
    d->rule = r;
    d->call = call;
    d->event = *args->event;
    for (unsigned i = 0; i < REFLEX_ARGS; i++) {
        d->number[i] = args->number[i];
        d->text[i] = args->text[i];
    }
    __atomic_store_n(&ring->head, head + 1, __ATOMIC_RELEASE);
    if (!ring->kicked) {
        ring->kicked = true;
        irq_raise_self(vector);
    }
    return true;
}

uint64_t defer_lost(void)
{
    return __atomic_load_n(&lost, __ATOMIC_RELAXED);
}

static void kicked(void *arg)
{
    (void)arg;
    rings[cpu_id()]->kicked = false;
    spin_lock(&wake_lock);
    awaken = true;
    waitq_wake_one(&sleeper);
    spin_unlock(&wake_lock, 0);
}

static void perform(struct deferred *d)
{
    struct reflex_args args = {.event = &d->event};

    for (unsigned i = 0; i < REFLEX_ARGS; i++) {
        args.number[i] = d->number[i];
        args.text[i] = d->text[i];
    }
    dispatch_perform(d->rule, d->call, &args);
}

static void drain(struct ring *r)
{
    uint32_t tail = r->tail;

    while (tail != __atomic_load_n(&r->head, __ATOMIC_ACQUIRE)) {
        perform(&r->slots[tail % RING_LENGTH]);
        __atomic_store_n(&r->tail, ++tail, __ATOMIC_RELEASE);
    }
}

static void defer_main(void *arg)
{
    (void)arg;
    for (;;) {
        irqflags_t flags = spin_lock(&wake_lock);

        while (!awaken)
            waitq_wait_uncancellable(&sleeper, &wake_lock, TIME_NEVER);
        awaken = false;
        spin_unlock(&wake_lock, flags);
        for (uint32_t i = 0; i < cpu_count(); i++)
            drain(rings[i]);
    }
}

void defer_flush(void)
{
    for (uint32_t i = 0; i < cpu_count(); i++) {
        uint32_t head = __atomic_load_n(&rings[i]->head, __ATOMIC_ACQUIRE);

        while ((int32_t)(head - __atomic_load_n(&rings[i]->tail,
                                                __ATOMIC_ACQUIRE)) > 0)
            thread_sleep(100 * NS_PER_US);
    }
}

int defer_start(void)
{
    const struct thread_attr attr = {
        .name = "reflex",
        .entry = defer_main,
        .priority = PRIO_REFLEX,
        .affinity = CPU_ANY,
    };

    for (uint32_t i = 0; i < cpu_count(); i++) {
        rings[i] = kspace_alloc(sizeof(*rings[i]), KSPACE_RW);
        if (!rings[i])
            return -ENOMEM;
    }
    vector = irq_vector_alloc("reflex", kicked, NULL);
    return vector < 0 ? vector : thread_spawn(&attr);
}
