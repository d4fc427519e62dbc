/* Work queues: functions that an interrupt hands to a thread. */
#ifndef RAYOS_WORKQ_H
#define RAYOS_WORKQ_H

#include <rayos/list.h>
#include <rayos/types.h>

struct workq;

struct work {
    void (*fn)(struct work *w); /* thread context; may submit itself again */
    struct list node;           /* lock: the queue's */
    bool queued;                /* lock: the queue's */
};

/* One thread of that priority. -ENOMEM. Thread context. */
int workq_create(const char *name, uint8_t priority, struct workq **out);
/* Waits until all submitted work is done, then ends the thread. Thread context.
 */
void workq_destroy(struct workq *q);
void work_init(struct work *w, void (*fn)(struct work *w));
/* false: it is queued already. Any context but NMI. */
bool work_submit(struct workq *q, struct work *w);
/* Wait until everything submitted before is done. Thread context. */
void workq_flush(struct workq *q);
/* The kernel's common queue, PRIO_IO. */
struct workq *workq_system(void);

#endif
