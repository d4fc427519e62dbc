/* sources: kernel/core/ring.c */
/* Bytes come out in order, once; what does not fit is counted. */
#include "check.h"

#include <pthread.h>
#include <sched.h>

#include <rayos/ring.h>

static uint8_t memory[16];
static struct ring r;

TEST(a_new_ring_is_empty)
{
    uint8_t out[4];

    ring_init(&r, memory, 16);
    CHECK_EQ(ring_used(&r), 0);
    CHECK_EQ(ring_free(&r), 16);
    CHECK_EQ(ring_read(&r, out, 4), 0);
}

TEST(all_of_its_size_can_be_used)
{
    uint8_t out[20];

    ring_init(&r, memory, 16);
    CHECK_EQ(ring_write(&r, "0123456789abcdefXYZ", 19), 16);
    CHECK_EQ(r.dropped, 3);
    CHECK(!ring_put(&r, 'q'));
    CHECK_EQ(r.dropped, 3);
    CHECK_EQ(ring_read(&r, out, 20), 16);
    CHECK(memcmp(out, "0123456789abcdef", 16) == 0);
}

TEST(bytes_keep_their_order_over_the_end_and_over_the_wrap_of_the_counters)
{
    uint8_t in = 0, out = 0;

    ring_init(&r, memory, 16);
    r.head = r.tail = UINT32_MAX - 100;
    for (int i = 0; i < 1000; i++) {
        uint8_t data[16], n = (uint8_t)(i * 7 % 14);

        for (uint8_t k = 0; k < n; k++)
            data[k] = in++;
        CHECK_EQ(ring_write(&r, data, n), n);
        CHECK(ring_put(&r, in++));
        CHECK_EQ(ring_used(&r), n + 1);
        CHECK_EQ(ring_read(&r, data, 16), n + 1);
        for (uint8_t k = 0; k <= n; k++)
            CHECK_EQ(data[k], out++);
    }
    CHECK_EQ(r.dropped, 0);
}

#define STREAM 200000

static void *produce(void *arg)
{
    for (uint32_t i = 0; i < STREAM; i++)
        while (!ring_put(arg, (uint8_t)(i * 31)))
            sched_yield();
    return NULL;
}

TEST(a_producer_and_a_consumer_need_no_lock)
{
    pthread_t thread;
    uint32_t got = 0;

    ring_init(&r, memory, 16);
    pthread_create(&thread, NULL, produce, &r);
    while (got < STREAM) {
        uint8_t data[8];
        uint32_t n = ring_read(&r, data, 8);

        for (uint32_t k = 0; k < n; k++, got++)
            if (data[k] != (uint8_t)(got * 31)) {
                CHECK_FAIL("byte %u is wrong", got);
                got = STREAM;
            }
        if (!n)
            sched_yield();
    }
    pthread_join(thread, NULL);
}

CHECK_MAIN
