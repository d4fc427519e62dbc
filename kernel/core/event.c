/*
 * Raising events: see event.h. Any context but NMI.
 *
 * A raiser may hold any lock, so it wakes nobody: it has its own CPU take an
 * interrupt, which comes when interrupts are on and so no spin lock is held,
 * and which wakes the event thread. While that thread is awake no interrupt is
 * needed. The thread says that it sleeps before it looks at the rings for the
 * last time, and a raiser looks whether it sleeps after it has published: one
 * sees the other.
 */
#include <errno.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/irq.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/trace.h>
#include <rayos/waitq.h>

#include "event_internal.h"
#include "event_ring.h"

#define POSTS 64 /* a power of two */
/* How often the reader looks whether a raiser has finished: far longer than
 * raising takes, but a CPU of an emulator may stand still. */
#define BUSY_LOOKS 10000

struct post {
    const struct event_type *type;
    struct event event;
};

/* Of one CPU, which alone touches all but `ring`'s consumer side; interrupts
 * off. */
struct event_cpu {
    struct event_ring ring;
    bool kicked;    /* the interrupt is on its way */
    uint32_t depth; /* of the event that is being raised; see deepen */
    uint32_t posts_head, posts_tail;
    struct post posts[POSTS];
};

static struct event_cpu *cpus[MAX_CPUS]; /* constant once started */
static struct event_ring *rings[MAX_CPUS];
static event_reflex_t reflex; /* atomic */
static int kick_vector;
static uint32_t asleep; /* atomic: the event thread */

static struct spinlock wake_lock = SPINLOCK_INIT;
static bool awaken;                              /* wake_lock */
static struct waitq reader = WAITQ_INIT(reader); /* wake_lock */

static uint32_t wanted_by(const struct event_type *type)
{
    return __atomic_load_n((const uint32_t *)&type->state->subscribers,
                           __ATOMIC_RELAXED);
}

static void kick(struct event_cpu *c)
{
    if (c->kicked)
        return;
    c->kicked = true;
    irq_raise_self(kick_vector);
}

static struct event *place_for(struct event_cpu *c,
                               const struct event_type *type,
                               const struct event *e)
{
    struct event *slot = NULL;

    if (event_source_admit(e->type, e->source, e->tsc))
        slot = event_ring_reserve(&c->ring);
    if (!slot)
        __atomic_fetch_add((uint64_t *)&type->state->dropped, 1,
                           __ATOMIC_RELAXED);
    return slot;
}

static uint32_t depth_of(const struct event *e)
{
    return (e->flags & EVENT_DEPTH_MASK) >> EVENT_DEPTH_SHIFT;
}

/*
 * Whoever raises an event while this CPU is raising another is an action of a
 * rule, whether it knows (a rule's "raise") or not (a key that is injected):
 * one level deeper than what it acts on. Interrupts off.
 */
static uint32_t deepen(const struct event_cpu *c, const struct event *e)
{
    uint32_t depth = depth_of(e), most = EVENT_DEPTH_MASK >> EVENT_DEPTH_SHIFT;

    if (c->ring.depth && depth <= c->depth)
        depth = c->depth + 1;
    return (depth < most ? depth : most) << EVENT_DEPTH_SHIFT;
}

/* Interrupts off. */
static bool raise_wanted(struct event_cpu *c, const struct event_type *type,
                         struct event *e, uint32_t wanted)
{
    event_reflex_t fn = __atomic_load_n(&reflex, __ATOMIC_RELAXED);
    uint32_t outer = c->depth;
    struct event *slot = NULL;

    e->flags = deepen(c, e);
    event_ring_enter(&c->ring);
    e->tsc = arch_tsc();
    e->type = type->state->index;
    e->cpu = (uint16_t)cpu_id();
    c->depth = depth_of(e);
    __atomic_fetch_add((uint64_t *)&type->state->raised, 1, __ATOMIC_RELAXED);
    trace_point(TRACE_EVENT, TRACE_RAISE, (uintptr_t)type->name, e->code);
    /* Its place comes before those of the events that rules raise over it. */
    if (wanted & ~EVENT_WANTED_BY_RULE)
        slot = place_for(c, type, e);
    if ((wanted & EVENT_WANTED_BY_RULE) && fn && fn(type, e))
        e->flags |= EVENT_CONSUMED;
    if (slot)
        *slot = *e;
    c->depth = outer;
    event_ring_leave(&c->ring);
    if (slot && __atomic_load_n(&asleep, __ATOMIC_RELAXED))
        kick(c);
    return e->flags & EVENT_CONSUMED;
}

bool event_raise(const struct event_type *type, struct event *e)
{
    uint32_t wanted = wanted_by(type);
    bool consumed;
    irqflags_t flags;

    if (__builtin_expect(!wanted, 1))
        return false;
    flags = arch_irq_save();
    consumed = raise_wanted(cpus[cpu_id()], type, e, wanted);
    arch_irq_restore(flags);
    return consumed;
}

void event_post(const struct event_type *type, const struct event *e)
{
    irqflags_t flags;
    struct event_cpu *c;

    if (__builtin_expect(!wanted_by(type), 1))
        return;
    flags = arch_irq_save();
    c = cpus[cpu_id()];
    if (c->posts_head - c->posts_tail < POSTS) {
        struct post *p = &c->posts[c->posts_head++ % POSTS];

        *p = (struct post){type, *e};
        p->event.flags = deepen(c, e);
    } else {
        __atomic_fetch_add((uint64_t *)&type->state->dropped, 1,
                           __ATOMIC_RELAXED);
    }
    kick(c);
    arch_irq_restore(flags);
}

static void wake_reader(void)
{
    spin_lock(&wake_lock);
    awaken = true;
    waitq_wake_one(&reader);
    spin_unlock(&wake_lock, 0);
}

/* The interrupt of kick(). As many as there can be at its start: a rule that
 * has an event posted over and over must not keep the CPU here. */
static void kicked(void *arg)
{
    struct event_cpu *c = cpus[cpu_id()];

    (void)arg;
    c->kicked = false;
    for (uint32_t n = c->posts_head - c->posts_tail; n; n--) {
        struct post p = c->posts[c->posts_tail++ % POSTS];

        event_raise(p.type, &p.event);
    }
    if (!event_ring_empty(&c->ring))
        wake_reader();
}

/* Who takes a lock between the raising of an event and the end of the last
 * action over it? Interrupts off. */
void event_trace_lock(const struct spinlock *l)
{
    const struct event_cpu *c = cpus[cpu_id()];

    if (c && c->ring.depth)
        trace_write(TRACE_RULE_LOCK, (uintptr_t)l,
                    (uintptr_t)__builtin_return_address(0));
}

void event_set_reflex(event_reflex_t fn)
{
    __atomic_store_n(&reflex, fn, __ATOMIC_RELEASE);
}

void event_type_set_reflex(const struct event_type *type, bool wanted)
{
    uint32_t *subscribers = (uint32_t *)&type->state->subscribers;

    if (wanted)
        __atomic_fetch_or(subscribers, EVENT_WANTED_BY_RULE, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(subscribers, ~EVENT_WANTED_BY_RULE,
                           __ATOMIC_SEQ_CST);
}

nstime_t event_time(const struct event *e)
{
    return clock_from_tsc(e->tsc);
}

/* --- the reader's side: the event thread --- */

/* Everything raised before the returned point of time can be seen. */
static uint64_t settled_until(void)
{
    uint64_t now = arch_tsc();

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < cpu_count(); i++)
        for (int k = 0; rings[i]->busy && k < BUSY_LOOKS; k++)
            arch_pause();
    return now;
}

bool event_take(struct event *out)
{
    static uint64_t settled;

    if (event_rings_take(rings, cpu_count(), settled, out))
        return true;
    settled = settled_until();
    return event_rings_take(rings, cpu_count(), settled, out);
}

static bool all_empty(void)
{
    for (uint32_t i = 0; i < cpu_count(); i++)
        if (!event_ring_empty(rings[i]))
            return false;
    return true;
}

void event_wait_any(void)
{
    irqflags_t flags;

    __atomic_store_n(&asleep, 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (all_empty()) {
        flags = spin_lock(&wake_lock);
        while (!awaken)
            waitq_wait_uncancellable(&reader, &wake_lock, TIME_NEVER);
        awaken = false;
        spin_unlock(&wake_lock, flags);
    }
    __atomic_store_n(&asleep, 0, __ATOMIC_SEQ_CST);
}

int event_rings_start(void)
{
    for (uint32_t i = 0; i < cpu_count(); i++) {
        cpus[i] = kspace_alloc(sizeof(*cpus[i]), KSPACE_RW);
        if (!cpus[i])
            return -ENOMEM;
        rings[i] = &cpus[i]->ring;
    }
    kick_vector = irq_vector_alloc("events", kicked, NULL);
    return kick_vector < 0 ? kick_vector : 0;
}
