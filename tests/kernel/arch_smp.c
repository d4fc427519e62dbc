/* Self-tests: calls on all CPUs, TLB flushes, interrupt vectors. */
#include <errno.h>

#include <arch/apic.h>
#include <rayos/irq.h>
#include <rayos/mm.h>
#include <rayos/sync.h>
#include <rayos/smp.h>

#include "selftest.h"

#define CALLS 50

static _Atomic uint32_t calls, wrong_context;
static _Atomic uint64_t cpus_seen;

static void count_call(void *arg)
{
    (void)arg;
    calls++;
    cpus_seen |= UINT64_C(1) << cpu_id();
    if (!in_interrupt() || arch_irq_enabled())
        wrong_context++;
}

static void call_often(void *arg)
{
    (void)arg;
    for (int i = 0; i < CALLS; i++)
        smp_call_all(count_call, NULL);
}

SELFTEST(smp_call_crossing, "all CPUs call all CPUs at once; each call runs "
                            "once on each, in interrupt context")
{
    uint32_t n = cpu_count();
    struct thread *t[MAX_CPUS];

    calls = wrong_context = 0;
    cpus_seen = 0;
    for (uint32_t i = 0; i < n; i++)
        t[i] = selftest_thread(8, i, call_often, NULL);
    for (uint32_t i = 0; i < n; i++)
        selftest_join(t[i]);
    EXPECT_EQ(calls, n * n * CALLS);
    EXPECT_EQ(wrong_context, 0);
    EXPECT_EQ(cpus_seen, UINT64_MAX >> (64 - n));
}

/* --- a call that wakes somebody --- */

static struct semaphore wake_me;
static _Atomic bool woken_first, caller_saw_it;

static void wait_to_be_woken(void *arg)
{
    (void)arg;
    EXPECT_EQ(sem_wait(&wake_me, selftest_deadline()), 0);
    woken_first = true;
}

static void wake_here(void *arg)
{
    if (cpu_self() == arg)
        sem_post(&wake_me);
}

static void call_that_wakes(void *arg)
{
    smp_call_all(wake_here, cpu_self());
    caller_saw_it = woken_first;
    (void)arg;
}

SELFTEST(smp_call_preempts, "whom a call wakes on the caller's own CPU runs "
                            "before the call returns, if it is more important")
{
    struct thread *waiter, *caller;

    sem_init(&wake_me, 0);
    woken_first = caller_saw_it = false;
    waiter = selftest_thread(10, 0, wait_to_be_woken, NULL);
    if (!EXPECT(waiter))
        return;
    EXPECT_SOON(waiter->state == THREAD_BLOCKED);
    caller = selftest_thread(8, 0, call_that_wakes, NULL);
    if (caller)
        selftest_join(caller);
    selftest_join(waiter);
    EXPECT(caller_saw_it);
}

/* --- mappings that go are gone everywhere --- */

static uint64_t *shared_page;
static uint64_t page_sum; /* atomic */

static void read_page(void *arg)
{
    (void)arg;
    __atomic_fetch_add(&page_sum, *(volatile uint64_t *)shared_page,
                       __ATOMIC_RELAXED);
}

SELFTEST(tlb_flush_everywhere, "a page that is mapped anew at an old address "
                               "is seen by every CPU")
{
    uint32_t n = cpu_count();

    for (uint64_t round = 1; round <= CALLS; round++) {
        shared_page = kspace_alloc(PAGE_SIZE, KSPACE_RW);
        if (!EXPECT(shared_page))
            return;
        *shared_page = round;
        page_sum = 0;
        smp_call_all(read_page, NULL);
        EXPECT_EQ(page_sum, round * n);
        kspace_free(shared_page);
    }
}

/* --- vectors --- */

static void count_interrupt(void *arg)
{
    __atomic_fetch_add((uint32_t *)arg, 1, __ATOMIC_RELAXED);
}

SELFTEST(irq_vector_life, "a vector's handler runs for each interrupt on each "
                          "CPU, is counted, and is gone when it is freed")
{
    uint32_t hits = 0, n = cpu_count();
    int vector = irq_vector_alloc("selftest", count_interrupt, &hits);
    struct irq_info info;

    if (!EXPECT(vector >= 0))
        return;
    for (uint32_t i = 0; i < n; i++)
        lapic_send_ipi(cpu_get(i)->apic_id, (uint8_t)vector);
    EXPECT_SOON(__atomic_load_n(&hits, __ATOMIC_RELAXED) == n);
    EXPECT(irq_get_info(vector, &info));
    EXPECT_EQ(info.count, n);
    EXPECT_EQ(info.gsi, -1);
    irq_vector_free(vector);
    EXPECT(!irq_get_info(vector, &info));
    /* Nobody's vector is ended too, else the timer would stay silent. */
    for (uint32_t i = 0; i < n; i++)
        lapic_send_ipi(cpu_get(i)->apic_id, (uint8_t)vector);
    thread_sleep(5 * NS_PER_MS);
    EXPECT_EQ(__atomic_load_n(&hits, __ATOMIC_RELAXED), n);
}

SELFTEST(irq_lines_are_checked, "a line that no controller has, or that is "
                                "taken, is refused")
{
    uint32_t hits = 0;
    int first = irq_request_isa(5, "selftest", count_interrupt, &hits);

    EXPECT_EQ(irq_request_isa(16, "selftest", count_interrupt, &hits), -ENODEV);
    EXPECT_EQ(irq_request_gsi(100000, 0, "selftest", count_interrupt, &hits),
              -ENODEV);
    if (!EXPECT(first >= 0))
        return;
    EXPECT_EQ(irq_request_isa(5, "selftest", count_interrupt, &hits), -EBUSY);
    irq_release(first);
    first = irq_request_isa(5, "selftest", count_interrupt, &hits);
    if (EXPECT(first >= 0))
        irq_release(first);
}
