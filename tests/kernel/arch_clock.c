/* Self-tests: the clock, and fix-ups of faults. */
#include <arch/extable.h>
#include <arch/trap.h>
#include <rayos/clock.h>
#include <rayos/spinlock.h>

#include "selftest.h"

#define READINGS 2000

static struct spinlock lock = SPINLOCK_INIT;
static nstime_t newest; /* lock */
static _Atomic uint32_t went_back;

static void read_clock(void *arg)
{
    (void)arg;
    for (int i = 0; i < READINGS; i++) {
        irqflags_t flags = spin_lock(&lock);
        nstime_t now = clock_now();

        if (now < newest)
            went_back++;
        newest = now;
        spin_unlock(&lock, flags);
    }
}

SELFTEST(clock_never_goes_back, "the clock goes forward whatever CPU reads it")
{
    struct thread *t[MAX_CPUS];
    uint32_t n = cpu_count();

    newest = 0;
    went_back = 0;
    for (uint32_t i = 0; i < n; i++)
        t[i] = selftest_thread(8, i, read_clock, NULL);
    for (uint32_t i = 0; i < n; i++)
        selftest_join(t[i]);
    EXPECT_EQ(went_back, 0);
}

SELFTEST(clock_inverse, "the TSC value of a deadline is the first at which the "
                        "clock has reached it")
{
    nstime_t day = UINT64_C(86400) * NS_PER_SEC;

    for (nstime_t t = 1; t < 100 * 365 * day; t = t * 5 / 3 + 7) {
        uint64_t tsc = clock_to_tsc(t);

        EXPECT(clock_from_tsc(tsc) >= t);
        EXPECT(clock_from_tsc(tsc - 1) < t);
    }
    EXPECT_EQ(clock_to_tsc(TIME_NEVER), UINT64_MAX);
}

SELFTEST(clock_delay_is_long_enough, "a busy wait takes its time and not much "
                                     "more")
{
    nstime_t start = clock_now(), took;

    clock_delay(200 * NS_PER_US);
    took = clock_now() - start;
    EXPECT(took >= 200 * NS_PER_US);
    EXPECT(took < NS_PER_SEC);
}

/* Read a word that may not be there. */
static bool try_read(uintptr_t addr)
{
    uint32_t ok = 0, value;

    __asm__ volatile("1: movl (%2), %1\n\t"
                     "movl $1, %0\n"
                     "2:\n" EXTABLE("1b", "2b")
                     : "+&r"(ok), "=&r"(value)
                     : "r"(addr));
    return ok;
}

SELFTEST(faults_are_fixed_up, "an instruction with a fix-up survives #PF and "
                              "#GP, and leaves no other trace")
{
    uint64_t value;

    EXPECT(try_read((uintptr_t)&newest));
    EXPECT(!try_read(16));
    EXPECT(!try_read(UINT64_C(0x1234567812345678))); /* not canonical */
    EXPECT(arch_rdmsr_safe(0x1b, &value));           /* IA32_APIC_BASE */
    EXPECT(value != 0);
    EXPECT(arch_irq_enabled());
}
