/* Counting semaphores. sem_wait in thread context, sem_post in any context but
 * NMI. */
#include <rayos/sync.h>

void sem_init(struct semaphore *s, uint32_t count)
{
    *s = (struct semaphore){.count = count};
    waitq_init(&s->wq);
}

int sem_wait(struct semaphore *s, nstime_t deadline)
{
    irqflags_t flags = spin_lock(&s->lock);
    int err = 0;

    while (!s->count && !err)
        err = waitq_wait(&s->wq, &s->lock, deadline);
    /* What came together with the time-out counts as come. */
    if (s->count) {
        s->count--;
        err = 0;
    }
    spin_unlock(&s->lock, flags);
    return err;
}

void sem_post(struct semaphore *s)
{
    irqflags_t flags = spin_lock(&s->lock);

    s->count++;
    waitq_wake_one(&s->wq);
    spin_unlock(&s->lock, flags);
}
