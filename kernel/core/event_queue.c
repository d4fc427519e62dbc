/*
 * Subscribers: queues of events, filled by one thread from the rings of all
 * CPUs. Thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/list.h>
#include <rayos/mm.h>
#include <rayos/sync.h>
#include <rayos/thread.h>
#include <rayos/unit.h>

#include "event_internal.h"

#define LENGTH_MAX  65536
#define FILTERS_MAX 64

struct event_queue {
    struct list node; /* lock: queues_mutex */
    struct event_filter *filters;
    size_t filter_count;
    void (*notify)(void *arg); /* lock: queues_mutex */
    void *notify_arg;

    struct spinlock lock;
    struct event *slots;          /* lock */
    uint32_t length, first, used; /* lock; the first is constant */
    uint64_t lost;                /* lock */
    struct waitq readers;         /* lock */
};

static struct mutex queues_mutex = MUTEX_INIT(queues_mutex);
static struct list queues = LIST_INIT(queues); /* queues_mutex */

/* true: it was empty. */
static bool queue_put(struct event_queue *q, const struct event *e)
{
    irqflags_t flags = spin_lock(&q->lock);
    bool was_empty = !q->used;

    if (q->used == q->length) {
        q->first = (q->first + 1) % q->length;
        q->used--;
        q->lost++;
    }
    q->slots[(q->first + q->used++) % q->length] = *e;
    waitq_wake_one(&q->readers);
    spin_unlock(&q->lock, flags);
    return was_empty;
}

static void deliver(const struct event *e)
{
    mutex_lock(&queues_mutex);
    list_for_each (n, &queues) {
        struct event_queue *q = container_of(n, struct event_queue, node);

        if (event_filters_match(q->filters, q->filter_count, e) &&
            queue_put(q, e) && q->notify)
            q->notify(q->notify_arg);
    }
    mutex_unlock(&queues_mutex);
}

static void event_main(void *arg)
{
    struct event e;

    (void)arg;
    for (;;) {
        event_wait_any();
        while (event_take(&e))
            deliver(&e);
    }
}

/* --- opening and closing --- */

static void queue_free(struct event_queue *q)
{
    kfree(q->filters);
    kfree(q->slots);
    kfree(q);
}

static struct event_queue *queue_create(const struct event_filter *filters,
                                        size_t count, uint32_t length)
{
    struct event_queue *q = kzalloc(sizeof(*q));

    if (!q)
        return NULL;
    list_init(&q->node);
    waitq_init(&q->readers);
    q->length = length;
    q->filter_count = count;
    q->filters = kalloc(count * sizeof(*filters));
    q->slots = kalloc(length * sizeof(*q->slots));
    if (!q->filters || !q->slots) {
        queue_free(q);
        return NULL;
    }
    memcpy(q->filters, filters, count * sizeof(*filters));
    return q;
}

static void queue_count(const struct event_queue *q, uint32_t by)
{
    for (size_t i = 0; i < q->filter_count; i++)
        q->filters[i].type->state->subscribers += by;
}

int event_queue_open(const struct event_filter *filters, size_t count,
                     uint32_t length, struct event_queue **out)
{
    struct event_queue *q;

    if (!count || count > FILTERS_MAX || !length || length > LENGTH_MAX)
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        if (!event_filter_valid(&filters[i]))
            return -EINVAL;
    q = queue_create(filters, count, length);
    if (!q)
        return -ENOMEM;
    mutex_lock(&queues_mutex);
    list_push_back(&queues, &q->node);
    mutex_unlock(&queues_mutex);
    queue_count(q, 1);
    *out = q;
    return 0;
}

void event_queue_close(struct event_queue *q)
{
    queue_count(q, (uint32_t)-1);
    mutex_lock(&queues_mutex);
    list_remove(&q->node);
    mutex_unlock(&queues_mutex);
    queue_free(q);
}

/* --- reading --- */

int event_queue_read(struct event_queue *q, struct event *out,
                     nstime_t deadline)
{
    irqflags_t flags = spin_lock(&q->lock);
    int err = 0;

    while (!q->used && !err)
        err = waitq_wait(&q->readers, &q->lock, deadline);
    if (q->used) {
        *out = q->slots[q->first];
        q->first = (q->first + 1) % q->length;
        q->used--;
        err = 0;
    }
    spin_unlock(&q->lock, flags);
    return err;
}

uint64_t event_queue_lost(const struct event_queue *q)
{
    return __atomic_load_n(&q->lost, __ATOMIC_RELAXED);
}

void event_queue_set_notify(struct event_queue *q, void (*fn)(void *arg),
                            void *arg)
{
    mutex_lock(&queues_mutex);
    q->notify = fn;
    q->notify_arg = arg;
    mutex_unlock(&queues_mutex);
}

static int event_start(void)
{
    const struct thread_attr attr = {
        .name = "events",
        .entry = event_main,
        .priority = PRIO_IO,
        .affinity = CPU_ANY,
    };
    int err;

    event_types_init();
    err = event_rings_start();
    return err ? err : thread_spawn(&attr);
}

UNIT(event, .start = event_start);
