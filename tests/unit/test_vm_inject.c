/* sources: vmm/inject.c */
/* Attempts to deliver: how many, how far apart, and how it ends. */
#include "check.h"

#include "vmm/inject.h"

TEST(a_first_success_waits_for_nothing)
{
    struct retry r;

    retry_init(&r);
    CHECK(retry_may_try(&r, 0));
    retry_delivered(&r);
    CHECK_EQ(r.delivered, 1);
    CHECK_EQ(r.retried, 0);
    CHECK_EQ(r.attempts_most, 0);
}

TEST(delays_double_up_to_a_millisecond_and_the_sixteenth_failure_is_the_last)
{
    static const nstime_t delays[RETRY_ATTEMPTS_MAX - 1] = {
        2000,   4000,    8000,    16000,   32000,   64000,   128000, 256000,
        512000, 1000000, 1000000, 1000000, 1000000, 1000000, 1000000};
    struct retry r;
    nstime_t now = 5000;

    retry_init(&r);
    for (int i = 0; i < RETRY_ATTEMPTS_MAX - 1; i++) {
        CHECK_EQ(retry_not_delivered(&r, now), RETRY_LATER);
        CHECK_EQ(r.due - now, delays[i]);
        CHECK(!retry_may_try(&r, r.due - 1));
        CHECK(retry_may_try(&r, r.due));
        now = r.due;
    }
    CHECK_EQ(retry_not_delivered(&r, now), RETRY_FAILED);
    CHECK_EQ(r.failed, 1);
    CHECK_EQ(r.retried, RETRY_ATTEMPTS_MAX - 1);
    CHECK_EQ(r.attempts_most, RETRY_ATTEMPTS_MAX);
    CHECK_EQ(r.delivered, 0);
}

TEST(after_a_delivery_or_a_failure_all_begins_anew)
{
    struct retry r;

    retry_init(&r);
    retry_not_delivered(&r, 0);
    retry_not_delivered(&r, 2000);
    retry_delivered(&r);
    CHECK(retry_may_try(&r, 2001));
    CHECK_EQ(retry_not_delivered(&r, 10000), RETRY_LATER);
    CHECK_EQ(r.due, 12000);
    CHECK_EQ(r.attempts_most, 2);
    for (int i = 1; i < RETRY_ATTEMPTS_MAX; i++)
        retry_not_delivered(&r, 0);
    CHECK_EQ(r.failed, 1);
    CHECK(retry_may_try(&r, 0));
}

CHECK_MAIN
