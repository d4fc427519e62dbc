/*
 * What self-tests are written with. A failed expectation is recorded with file
 * and line, from whatever thread or interrupt it comes, and the test goes on:
 * it must always come to its end by itself, so every wait has a time-out.
 *
 *	SELFTEST(sem_counts, "a semaphore lets through as many as were posted")
 *	{
 *	    ...
 *	    EXPECT_EQ(sem_wait(&s, selftest_deadline()), 0);
 *	}
 *
 * Tests run on a thread of SELFTEST_PRIORITY: what they start for comparison
 * runs below that, so that the test stays in control.
 */
#ifndef TESTS_KERNEL_SELFTEST_H
#define TESTS_KERNEL_SELFTEST_H

#include <rayos/percpu.h>
#include <rayos/selftest.h>
#include <rayos/thread.h>

#define SELFTEST_PRIORITY 15

/* Nothing that a test waits for takes that long, even in an emulator on a busy
 * host: it is for what never comes. */
#define SELFTEST_PATIENCE (30 * NS_PER_SEC)

#define SELFTEST(ident, text)                                             \
    static void selftest_body_##ident(void);                              \
    static const struct selftest selftest_##ident                         \
        __attribute__((used, section("rayos_selftests"), aligned(8))) = { \
            #ident, text, selftest_body_##ident};                         \
    static void selftest_body_##ident(void)

/* Each gives whether it was so. Any context but NMI. */
#define EXPECT(cond) selftest_expect((cond), #cond, __FILE__, __LINE__)
#define EXPECT_EQ(a, b)                                                    \
    selftest_expect_eq((int64_t)(a), (int64_t)(b), #a " == " #b, __FILE__, \
                       __LINE__)
/* Wait for it, with short sleeps. Thread context. */
#define EXPECT_SOON(cond)                             \
    do {                                              \
        nstime_t selftest_end = selftest_deadline();  \
        while (!(cond) && clock_now() < selftest_end) \
            thread_sleep(NS_PER_MS);                  \
        EXPECT(cond);                                 \
    } while (0)

bool selftest_expect(bool so, const char *what, const char *file, int line);
bool selftest_expect_eq(int64_t a, int64_t b, const char *what,
                        const char *file, int line);

/* SELFTEST_PATIENCE from now. */
static inline nstime_t selftest_deadline(void)
{
    return clock_now() + SELFTEST_PATIENCE;
}

/* A thread of the test, not cancelled, to be given to selftest_join; NULL is
 * recorded as a failure. `cpu`: an id or CPU_ANY. */
struct thread *selftest_thread(uint8_t priority, uint32_t cpu,
                               void (*entry)(void *arg), void *arg);
/* Wait for its end and let go of it; NULL does nothing. */
void selftest_join(struct thread *t);

#endif
