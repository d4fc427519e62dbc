/*
 * Ready queue: see runqueue.h. Pure module, compiled for the host by
 * tests/unit/test_runqueue.c. Any context; the caller's lock protects it.
 */
#include "runqueue.h"

void ready_queue_init(struct ready_queue *q)
{
    q->bitmap = 0;
    q->count = 0;
    for (unsigned p = 0; p < READY_LEVELS; p++)
        list_init(&q->level[p]);
}

static void count_in(struct ready_queue *q, unsigned priority)
{
    q->bitmap |= UINT32_C(1) << priority;
    q->count++;
}

void ready_queue_push_back(struct ready_queue *q, struct list *node,
                           unsigned priority)
{
    list_push_back(&q->level[priority], node);
    count_in(q, priority);
}

void ready_queue_push_front(struct ready_queue *q, struct list *node,
                            unsigned priority)
{
    list_push_front(&q->level[priority], node);
    count_in(q, priority);
}

void ready_queue_remove(struct ready_queue *q, struct list *node,
                        unsigned priority)
{
    list_remove(node);
    q->count--;
    if (list_empty(&q->level[priority]))
        q->bitmap &= ~(UINT32_C(1) << priority);
}

int ready_queue_best(const struct ready_queue *q)
{
    return q->bitmap ? 31 - __builtin_clz(q->bitmap) : -1;
}

struct list *ready_queue_first(const struct ready_queue *q)
{
    int best = ready_queue_best(q);

    return best < 0 ? NULL : q->level[best].next;
}

struct list *ready_queue_find(const struct ready_queue *q,
                              bool (*match)(struct list *node, void *arg),
                              void *arg)
{
    for (uint32_t left = q->bitmap; left;) {
        int p = 31 - __builtin_clz(left);

        list_for_each (node, (struct list *)&q->level[p])
            if (match(node, arg))
                return node;
        left &= ~(UINT32_C(1) << p);
    }
    return NULL;
}
