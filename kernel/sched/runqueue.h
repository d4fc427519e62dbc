/*
 * The order of ready threads: one FIFO list per priority and a bitmap of the
 * lists that are not empty. Pure: knows list nodes and priorities, no threads,
 * no locks (whoever owns the queue has one). Every operation but
 * ready_queue_find takes constant time.
 */
#ifndef SCHED_RUNQUEUE_H
#define SCHED_RUNQUEUE_H

#include <rayos/list.h>
#include <rayos/types.h>

#define READY_LEVELS 32

struct ready_queue {
    uint32_t bitmap; /* bit p: level[p] is not empty */
    uint32_t count;  /* nodes in all levels */
    struct list level[READY_LEVELS];
};

void ready_queue_init(struct ready_queue *q);

/* Behind, or before, all of its priority. `node` must not be in a list. */
void ready_queue_push_back(struct ready_queue *q, struct list *node,
                           unsigned priority);
void ready_queue_push_front(struct ready_queue *q, struct list *node,
                            unsigned priority);
/* `priority` is the one that it was put in with. */
void ready_queue_remove(struct ready_queue *q, struct list *node,
                        unsigned priority);

/* The highest priority that is there, -1 when the queue is empty. */
int ready_queue_best(const struct ready_queue *q);
/* Who runs next: first of the highest priority, left in place; NULL. */
struct list *ready_queue_first(const struct ready_queue *q);
/* First in running order that `match` accepts; NULL. */
struct list *ready_queue_find(const struct ready_queue *q,
                              bool (*match)(struct list *node, void *arg),
                              void *arg);

#endif
