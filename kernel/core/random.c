/*
 * Random numbers: the one generator of the machine, what feeds it, and when it
 * is seeded anew. Any context but NMI: one spin lock, held for a few blocks of
 * SHA-256 or ChaCha20; long outputs are made outside of it.
 */
#include <rayos/random.h>

#include <stdatomic.h>
#include <string.h>

#include <arch/cpu.h>
#include <arch/random.h>
#include <rayos/boot.h>
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/percpu.h>
#include <rayos/spinlock.h>
#include <rayos/unit.h>
#include <rayos/workq.h>

#include "random_pool.h"

/* A key is used for so much, or so long; the first ones shorter. */
#define RESEED_BYTES (UINT64_C(1) << 20)
#define RESEED_TIME  (60 * NS_PER_SEC)
/* Of one key of its own, so that a request never wraps the block counter. */
#define REQUEST_MAX (UINT64_C(1) << 20)

/* Words asked of the CPU at a time, and what each counts. RDRAND may give many
 * words of one seed: it counts half. */
#define CPU_WORDS   8
#define RDSEED_BITS 64
#define RDRAND_BITS 32

/* Interrupts whose timing makes one delivery to the pool, and what that counts:
 * a quarter of a bit each. A round ends when the pool could be full of it. */
#define TIMING_BATCH 64
#define TIMING_BITS  16
#define TIMING_ROUND RANDOM_READY_BITS

#define SOURCES_MAX 12

static struct spinlock lock = SPINLOCK_INIT;
static struct random_pool pool;                   /* lock */
static nstime_t seeded_at;                        /* lock */
static bool seeded;                               /* lock: for the first time */
static uint32_t timing_round_bits;                /* lock: in this round */
static struct random_source sources[SOURCES_MAX]; /* lock */
static size_t source_count;                       /* lock */
static uint64_t pool_changes; /* lock: of what is in the pool */

bool random_timing_on = true; /* atomic enough: a late look does no harm */

/* --- sources; lock held --- */

static struct random_source *source_named(const char *name)
{
    for (size_t i = 0; i < source_count; i++)
        if (strcmp(sources[i].name, name) == 0)
            return &sources[i];
    if (source_count == SOURCES_MAX)
        return NULL;
    sources[source_count].name = name;
    return &sources[source_count++];
}

/* The pool has got something new. */
static void added(const char *name, size_t size, uint32_t bits)
{
    struct random_source *s = source_named(name);

    pool_changes++;
    if (s) {
        s->bytes += size;
        s->bits += bits;
    }
}

static void add(const char *name, const void *data, size_t size, uint32_t bits)
{
    random_pool_add(&pool, data, size, bits);
    added(name, size, bits);
}

struct cpu_source {
    const char *name;
    bool (*read)(uint64_t *out);
    uint32_t bits;
    struct random_health health;
};

static struct cpu_source cpu_sources[] = {
    /* lock */
    {.name = "rdseed", .read = arch_rdseed, .bits = RDSEED_BITS},
    {.name = "rdrand", .read = arch_rdrand, .bits = RDRAND_BITS},
};

/* true: it gave something. */
static bool gather_from(struct cpu_source *s)
{
    bool was_dead = s->health.dead;
    uint64_t words[CPU_WORDS];
    size_t n = 0;

    for (unsigned i = 0; i < CPU_WORDS && !s->health.dead; i++)
        if (s->read(&words[n]) && random_health_ok(&s->health, words[n]))
            n++;
    if (s->health.dead && !was_dead)
        log_error("random", "%s gives the same again and again: not used",
                  s->name);
    if (n)
        add(s->name, words, n * sizeof(words[0]), (uint32_t)n * s->bits);
    chacha20_wipe(words, sizeof(words));
    return n;
}

static bool gather_from_cpu(void)
{
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(cpu_sources); i++)
        any |= gather_from(&cpu_sources[i]);
    return any;
}

/* --- seeding; lock held --- */

static void reseed(void)
{
    random_pool_reseed(&pool);
    pool_changes++;
    seeded = true;
    seeded_at = clock_now();
}

/* What a machine without a source in its CPU starts from: little that nobody
 * could guess, so it counts nothing. */
static void add_moment(void)
{
    uint64_t moment[] = {arch_tsc(), clock_now(),
                         (uint64_t)boot_info_get()->wall_clock};

    add("boot", moment, sizeof(moment), 0);
}

/* Called before bytes are taken. */
static void prepare(void)
{
    bool due = !pool.ready || pool.given >= RESEED_BYTES ||
               clock_now() - seeded_at >= RESEED_TIME;

    if (!due)
        return;
    if (!seeded)
        add_moment();
    if (!random_pool_full(&pool) && !gather_from_cpu() && pool.ready &&
        !random_timing_on) {
        /* Only interrupts can tell something new. */
        timing_round_bits = 0;
        random_timing_on = true;
    }
    if (!seeded || random_pool_full(&pool))
        reseed();
}

/* --- taking --- */

void random_bytes(void *out, size_t size)
{
    uint8_t *p = out;

    while (size > 0) {
        size_t n = size < REQUEST_MAX ? size : REQUEST_MAX;
        struct chacha20 stream;
        irqflags_t flags = spin_lock(&lock);

        prepare();
        random_pool_take(&pool, &stream, n);
        spin_unlock(&lock, flags);
        chacha20_stream(&stream, p, n);
        chacha20_wipe(&stream, sizeof(stream));
        p += n;
        size -= n;
    }
}

uint64_t random_u64(void)
{
    uint64_t value;

    random_bytes(&value, sizeof(value));
    return value;
}

bool random_ready(void)
{
    irqflags_t flags = spin_lock(&lock);
    bool ready = pool.ready;

    spin_unlock(&lock, flags);
    return ready;
}

/* --- adding --- */

/* The first seed is not put off until somebody asks. Lock held. */
static void seed_if_first(void)
{
    if (!pool.ready && random_pool_full(&pool))
        reseed();
}

void random_add_from(const char *source, const void *data, size_t size,
                     uint32_t bits)
{
    irqflags_t flags = spin_lock(&lock);

    if (bits > size * 8)
        bits = (uint32_t)(size * 8);
    add(source, data, size, bits);
    seed_if_first();
    spin_unlock(&lock, flags);
}

void random_add(const void *data, size_t size, uint32_t bits)
{
    random_add_from("devices", data, size, bits);
}

bool random_source_at(size_t i, struct random_source *out)
{
    irqflags_t flags = spin_lock(&lock);
    bool there = i < source_count;

    if (there)
        *out = sources[i];
    spin_unlock(&lock, flags);
    return there;
}

/* --- the timing of interrupts --- */

/* One for each CPU, written by that CPU with interrupts off. */
struct timing {
    uint64_t words[4];
    uint64_t last, delta;
    uint32_t count;
    struct work work; /* takes what was sent to the pool */
    _Atomic bool sending;
    uint64_t sent[4]; /* the work's while it is sending */
} __attribute__((aligned(64)));

static struct timing timings[MAX_CPUS];

/* As random_add_from, but hashing with interrupts on. What comes of it is the
 * pool if nobody else has changed that in between. Thread context. */
static void add_slowly(const char *name, const void *data, size_t size,
                       uint32_t bits)
{
    struct random_pool copy;
    irqflags_t flags;
    uint64_t seen;
    bool done;

    do {
        flags = spin_lock(&lock);
        copy = pool;
        seen = pool_changes;
        spin_unlock(&lock, flags);
        random_pool_add(&copy, data, size, bits);
        flags = spin_lock(&lock);
        done = pool_changes == seen;
        if (done) {
            memcpy(pool.pool, copy.pool, sizeof(pool.pool));
            pool.bits = copy.bits;
            added(name, size, bits);
            seed_if_first();
        }
        spin_unlock(&lock, flags);
    } while (!done);
    chacha20_wipe(&copy, sizeof(copy));
}

/* Lock held. */
static void timing_count(void)
{
    timing_round_bits += TIMING_BITS;
    /* What came before the first seed may have been spent on that. */
    if (pool.ready && timing_round_bits >= TIMING_ROUND)
        random_timing_on = false;
}

static void timing_work(struct work *w)
{
    struct timing *t = container_of(w, struct timing, work);
    irqflags_t flags;

    add_slowly("interrupts", t->sent, sizeof(t->sent), TIMING_BITS);
    atomic_store_explicit(&t->sending, false, memory_order_release);
    flags = spin_lock(&lock);
    timing_count();
    spin_unlock(&lock, flags);
}

/* A hash takes longer than an interrupt may: a thread does it. */
static void timing_deliver(struct timing *t)
{
    if (!t->work.fn || atomic_load_explicit(&t->sending, memory_order_acquire))
        return;
    memcpy(t->sent, t->words, sizeof(t->sent));
    atomic_store_explicit(&t->sending, true, memory_order_relaxed);
    work_submit(workq_system(), &t->work);
}

void random_timing_add(uint64_t vector)
{
    struct timing *t = &timings[cpu_id()];
    uint64_t *w = &t->words[t->count % ARRAY_SIZE(t->words)];
    uint64_t now = arch_tsc(), delta = now - t->last;
    bool clockwork = delta == t->delta;

    *w = (*w << 19 | *w >> 45) ^ now ^ vector << 56;
    t->last = now;
    t->delta = delta;
    if (clockwork || ++t->count < TIMING_BATCH)
        return;
    t->count = 0;
    timing_deliver(t);
}

static int random_start(void)
{
    const struct boot_info *boot = boot_info_get();

    random_add_from("boot", boot, sizeof(*boot), 0);
    for (unsigned i = 0; i < MAX_CPUS; i++)
        work_init(&timings[i].work, timing_work);
    random_u64(); /* seeds it */
    log_info("random", "ChaCha20, %s",
             random_ready() ? "seeded" : "waiting for entropy");
    return 0;
}

UNIT(random, .start = random_start);
