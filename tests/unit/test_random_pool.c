/* sources: kernel/core/random_pool.c kernel/core/chacha20.c
 * kernel/core/sha256.c */
/* The random number generator's state: when it is seeded, that it forgets, and
 * which words of a source count. */
#include "../../kernel/core/random_pool.h"
#include "check.h"

static void take(struct random_pool *p, uint8_t *out, size_t size)
{
    struct chacha20 c;

    random_pool_take(p, &c, size);
    chacha20_stream(&c, out, size);
}

static struct random_pool seeded(uint8_t with)
{
    uint8_t seed[32];
    struct random_pool p = {0};

    memset(seed, with, sizeof(seed));
    random_pool_add(&p, seed, sizeof(seed), 256);
    random_pool_reseed(&p);
    return p;
}

TEST(it_is_ready_when_enough_came_at_once_and_not_before)
{
    struct random_pool p = {0};

    for (int i = 0; i < 10; i++) {
        random_pool_add(&p, &i, sizeof(i), 25);
        random_pool_reseed(&p); /* drop by drop */
        CHECK(!p.ready);
    }
    for (int i = 0; i < 11; i++) {
        CHECK(!random_pool_full(&p));
        random_pool_add(&p, &i, sizeof(i), 25);
    }
    CHECK(random_pool_full(&p));
    random_pool_reseed(&p);
    CHECK(p.ready);
    CHECK_EQ(p.bits, 0);
}

TEST(a_source_cannot_claim_more_than_it_gave)
{
    struct random_pool p = {0};

    random_pool_add(&p, "abcd", 4, 100000);
    CHECK_EQ(p.bits, 32);
    for (int i = 0; i < 100; i++)
        random_pool_add(&p, "abcd", 4, 32);
    CHECK_EQ(p.bits, 256);
    random_pool_add(&p, NULL, 0, UINT32_MAX);
    CHECK_EQ(p.bits, 256);
}

TEST(the_same_seed_gives_the_same_and_another_does_not)
{
    struct random_pool a = seeded(1), b = seeded(1), c = seeded(2);
    uint8_t x[100], y[100], z[100];

    take(&a, x, sizeof(x));
    take(&b, y, sizeof(y));
    take(&c, z, sizeof(z));
    CHECK(memcmp(x, y, sizeof(x)) == 0);
    CHECK(memcmp(x, z, sizeof(x)) != 0);
}

TEST(no_two_outputs_are_the_same)
{
    struct random_pool p = seeded(1);
    uint8_t out[64][48];

    for (unsigned i = 0; i < 64; i++) {
        take(&p, out[i], sizeof(out[i]));
        for (unsigned j = 0; j < i; j++)
            CHECK(memcmp(out[i], out[j], sizeof(out[i])) != 0);
    }
}

/* What was given must not be found in, or made from, what is kept: the key
 * after a take is not the one before, and it is not part of the output. */
TEST(the_key_is_gone_once_it_was_used)
{
    struct random_pool p = seeded(3), before;
    uint8_t out[256];

    before = p;
    take(&p, out, sizeof(out));
    CHECK(memcmp(before.key, p.key, sizeof(p.key)) != 0);
    for (size_t i = 0; i + sizeof(p.key) <= sizeof(out); i++)
        CHECK(memcmp(out + i, p.key, sizeof(p.key)) != 0);
    CHECK_EQ(p.given, 256);
}

TEST(a_new_seed_changes_what_follows)
{
    struct random_pool a = seeded(1), b = a;
    uint8_t x[32], y[32];

    random_pool_add(&b, "new", 3, 24);
    take(&a, x, sizeof(x));
    take(&b, y, sizeof(y));
    CHECK(memcmp(x, y, sizeof(x)) == 0); /* not yet in the key */
    random_pool_reseed(&a);
    random_pool_reseed(&b);
    CHECK_EQ(b.given, 0);
    take(&a, x, sizeof(x));
    take(&b, y, sizeof(y));
    CHECK(memcmp(x, y, sizeof(x)) != 0);
}

/* Reseeding takes nothing away: the old key counts, too. */
TEST(a_bad_seed_does_not_make_it_worse)
{
    struct random_pool a = seeded(1), b = seeded(2);
    uint8_t x[32], y[32];

    memset(a.pool, 0, sizeof(a.pool));
    memset(b.pool, 0, sizeof(b.pool));
    random_pool_reseed(&a);
    random_pool_reseed(&b);
    take(&a, x, sizeof(x));
    take(&b, y, sizeof(y));
    CHECK(memcmp(x, y, sizeof(x)) != 0);
}

TEST(bits_are_as_often_set_as_not)
{
    struct random_pool p = seeded(9);
    static uint8_t out[1 << 16];
    unsigned ones = 0, counts[256] = {0};

    take(&p, out, sizeof(out));
    for (size_t i = 0; i < sizeof(out); i++) {
        ones += (unsigned)__builtin_popcount(out[i]);
        counts[out[i]]++;
    }
    /* Six sigma of 2^19 bits; 256 of each byte, sigma 16. */
    CHECK(ones > (1 << 18) - 2172 && ones < (1 << 18) + 2172);
    for (unsigned i = 0; i < 256; i++)
        CHECK(counts[i] > 256 - 100 && counts[i] < 256 + 100);
}

TEST(words_of_zeros_and_ones_and_repeated_ones_do_not_count)
{
    struct random_health h = {0};

    CHECK(random_health_ok(&h, 5));
    CHECK(!random_health_ok(&h, 0));
    CHECK(random_health_ok(&h, 6));
    CHECK(!random_health_ok(&h, UINT64_MAX));
    CHECK(random_health_ok(&h, 7));
    CHECK(!random_health_ok(&h, 7));
    CHECK(random_health_ok(&h, 8));
    CHECK(!h.dead);
}

TEST(a_source_that_is_stuck_is_not_asked_again)
{
    static const uint64_t stuck[] = {0, UINT64_MAX, 0x1234567890abcdef};

    for (unsigned i = 0; i < 3; i++) {
        struct random_health h = {0};
        unsigned good = 0;

        for (unsigned n = 0; n < 10; n++)
            good += random_health_ok(&h, stuck[i]);
        CHECK(h.dead);
        CHECK(good <= 1);
        CHECK(!random_health_ok(&h, 42)); /* not any more */
    }
}

CHECK_MAIN
