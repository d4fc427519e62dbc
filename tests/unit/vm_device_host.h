/*
 * A VM with one device on the host, under a clock that the test moves: what the
 * device has registered, its interrupt lines and its timers. Include it in one
 * file of a program.
 */
#ifndef RAYOS_TEST_VM_DEVICE_HOST_H
#define RAYOS_TEST_VM_DEVICE_HOST_H

#include <stdlib.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/timer.h>
#include <rayos/waitq.h>

#include "vmm/vm.h"

#define HOST_GSIS   24
#define HOST_TIMERS 8

static struct vm host_vm;
static struct vm_device *host_device;
static struct vm_region *host_region; /* of ports or memory */
static bool host_line[HOST_GSIS];
static unsigned host_rises[HOST_GSIS];
static unsigned host_strange; /* interrupts that no pin has */
static nstime_t host_now;
static struct timer *host_timers[HOST_TIMERS]; /* that are armed */
static int host_blocks;

extern const struct vm_device_type __start_rayos_vm_devices[];

/* --- the kernel below --- */

nstime_t clock_now(void)
{
    return host_now;
}

void *kzalloc(size_t size)
{
    host_blocks++;
    return calloc(1, size);
}

void *kalloc(size_t size)
{
    host_blocks++;
    return malloc(size);
}

void kfree(void *p)
{
    host_blocks -= p != NULL;
    free(p);
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.fn = fn};
}

bool timer_cancel(struct timer *t)
{
    for (unsigned i = 0; i < HOST_TIMERS; i++) {
        if (host_timers[i] == t) {
            host_timers[i] = NULL;
            return true;
        }
    }
    return false;
}

void timer_cancel_sync(struct timer *t)
{
    timer_cancel(t);
}

void timer_start(struct timer *t, nstime_t deadline)
{
    unsigned i = 0;

    timer_cancel(t);
    t->deadline = deadline;
    while (host_timers[i])
        if (++i == HOST_TIMERS)
            abort();
    host_timers[i] = t;
}

void waitq_init(struct waitq *wq)
{
    list_init(&wq->waiters);
}

bool waitq_wake_all(struct waitq *wq)
{
    (void)wq;
    return false;
}

/* One thread only: nobody would come. */
int waitq_wait(struct waitq *wq, struct spinlock *lock, nstime_t deadline)
{
    (void)wq, (void)lock, (void)deadline;
    return -ETIMEDOUT;
}

int waitq_wait_uncancellable(struct waitq *wq, struct spinlock *lock,
                             nstime_t deadline)
{
    (void)wq, (void)lock, (void)deadline;
    abort();
}

/* --- the VM --- */

void vm_set_irq(struct vm *vm, uint32_t gsi, bool level)
{
    (void)vm;
    if (gsi >= HOST_GSIS) {
        host_strange++;
        return;
    }
    host_rises[gsi] += level && !host_line[gsi];
    host_line[gsi] = level;
}

void vm_add_device(struct vm *vm, struct vm_device *d)
{
    (void)vm;
    host_device = d;
}

static int host_add(struct vm_region *r)
{
    host_region = r;
    return 0;
}

int vm_add_mmio(struct vm *vm, struct vm_region *r)
{
    (void)vm;
    return host_add(r);
}

int vm_add_ports(struct vm *vm, struct vm_region *r)
{
    (void)vm;
    return host_add(r);
}

/* --- for the test --- */

static void host_begin(void)
{
    host_vm = (struct vm){0};
    memset(host_line, 0, sizeof(host_line));
    memset(host_rises, 0, sizeof(host_rises));
    memset(host_timers, 0, sizeof(host_timers));
    host_strange = 0;
    host_now = NS_PER_SEC;
    if (__start_rayos_vm_devices[0].create(&host_vm))
        abort();
}

static void host_end(void)
{
    host_device->ops->destroy(host_device);
}

static uint64_t host_read(uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    host_region->read(NULL, host_region->device, offset, size, &value);
    return value;
}

static void host_write(uint64_t offset, unsigned size, uint64_t value)
{
    host_region->write(NULL, host_region->device, offset, size, value);
}

/* The next timer that is due by `until`; NULL: none. */
static struct timer *host_next_timer(nstime_t until)
{
    struct timer *next = NULL;

    for (unsigned i = 0; i < HOST_TIMERS; i++)
        if (host_timers[i] && host_timers[i]->deadline <= until &&
            (!next || host_timers[i]->deadline < next->deadline))
            next = host_timers[i];
    return next;
}

/* Time passes; how many timers came, `most` at most. */
static __attribute__((unused)) unsigned host_pass(nstime_t ns, unsigned most)
{
    nstime_t until = host_now + ns;
    unsigned count = 0;
    struct timer *t;

    while (count < most && (t = host_next_timer(until))) {
        if (t->deadline > host_now)
            host_now = t->deadline;
        timer_cancel(t);
        t->fn(t);
        count++;
    }
    host_now = until;
    return count;
}

#endif
