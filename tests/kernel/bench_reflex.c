/* Benchmarks: from an interrupt, through an event and a rule, to a C action;
 * and what an event costs with many rules installed. */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/reflex.h>

#include "bench.h"

#define INTERVAL NS_PER_MS
#define RULE     "bench "

static const struct event_field bench_fields[] = {
    EVENT_FIELD(code, EVENT_U32, "which rule"),
    EVENT_FIELD(value, EVENT_I64, "1 to be acted on"),
    {0}};

EVENT_TYPE(bench_reflex, .doc = "raised by a benchmark of the kernel's",
           .fields = bench_fields);

static volatile uint64_t done_at; /* TSC */

static int action_bench_done(const struct reflex_args *a)
{
    (void)a;
    done_at = arch_tsc();
    return 0;
}

REFLEX_ACTION(bench_done, .doc = "note the time, for benchmarks", .args = "",
              .any_context = true, .run = action_bench_done);

/* --- an image, as the compiler makes it for `value == 1` --- */

struct image {
    struct reflex_header header;
    struct reflex_entry entry;
    struct reflex_insn insns[8];
    struct reflex_call call;
};

static void image_fill(struct image *m, uint32_t number)
{
    *m = (struct image){
        .header = {.magic = REFLEX_MAGIC,
                   .size = sizeof(*m),
                   .name = RULE,
                   .entries = 1,
                   .insns = ARRAY_SIZE(m->insns),
                   .calls = 1,
                   .priority = 100},
        .entry = {.type = "bench_reflex", .code = number, .by_code = 1},
        .insns = {{REFLEX_FIELD, 0, 0, 0, 1},
                  {REFLEX_IMM, 1, 0, 0, 1},
                  {REFLEX_EQ, 0, 0, 1, 0},
                  {REFLEX_JNZ, 0, 0, 0, 2},
                  {REFLEX_END, 0, 0, 0, 0},
                  {REFLEX_HIT, 0, 0, 0, 0},
                  {REFLEX_ACT, 0, 0, 0, 0},
                  {REFLEX_END, 0, 0, 0, 0}},
        .call = {.action = "bench_done"},
    };
    for (unsigned at = strlen(RULE), digits = 0; digits < 5; digits++) {
        m->header.name[at + 4 - digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Make these rules, numbered from 1, and no others of ours, part of the set. */
static int rules_install(uint32_t count)
{
    struct image *images = kzalloc(count * sizeof(*images));
    const void **list = kzalloc(count * sizeof(*list));
    size_t *sizes = kzalloc(count * sizeof(*sizes)), bad;
    char why[REFLEX_WHY_MAX];
    int err = -ENOMEM;

    if (images && list && sizes) {
        for (uint32_t i = 0; i < count; i++) {
            image_fill(&images[i], i + 1);
            list[i] = &images[i];
            sizes[i] = sizeof(images[i]);
        }
        err = reflex_change(list, sizes, count, NULL, &bad, why);
    }
    kfree(images);
    kfree(list);
    kfree(sizes);
    return err;
}

static void rules_remove(uint32_t count)
{
    char why[REFLEX_WHY_MAX];
    struct image m;
    size_t bad;

    for (uint32_t i = 1; i <= count; i++) {
        image_fill(&m, i);
        reflex_change(NULL, NULL, 0, m.header.name, &bad, why);
    }
}

/* --- latency --- */

static void raise_from_interrupt(struct timer *t)
{
    (void)t;
    event_raise(&event_type_bench_reflex,
                &(struct event){.code = 1, .value = 1});
}

/* Until the action has been: in real time the host may stop this CPU for longer
 * than an interval, so that both deadlines are over before the interrupt. */
static int wait_for_action(nstime_t due)
{
    int err = thread_sleep_until(due + INTERVAL / 2);

    for (unsigned i = 0; !err && !done_at && i < 1000; i++)
        err = thread_sleep(INTERVAL);
    return err ? err : done_at ? 0 : -EIO;
}

static int measure_latency(uint32_t rounds, struct bench_result *result)
{
    nstime_t due = clock_now();
    struct timer t;
    int err = rules_install(1);

    timer_init(&t, raise_from_interrupt);
    for (uint32_t i = 0; !err && i < rounds; i++) {
        due += INTERVAL;
        done_at = 0;
        timer_start(&t, due);
        err = wait_for_action(due);
        if (!err)
            bench_record(result, done_at - clock_to_tsc(due));
    }
    timer_cancel_sync(&t);
    rules_remove(1);
    return err;
}

BENCH(reflex_latency, "from a timer's deadline to the end of a rule's action, "
                      "the machine being idle before")
{
    return measure_latency(rounds, result);
}

static int measure_loaded(uint32_t rounds, bool flood,
                          struct bench_result *result)
{
    int err = bench_load_start(flood);

    if (!err)
        err = measure_latency(rounds, result);
    bench_load_stop();
    return err;
}

BENCH(reflex_latency_loaded, "the same while threads allocate and switch")
{
    return measure_loaded(rounds, false, result);
}

BENCH(reflex_latency_flooded, "the same while threads allocate and switch, and "
                              "others read and write a disk")
{
    return measure_loaded(rounds, true, result);
}

/* --- many rules --- */

static int measure_rules(uint32_t count, uint32_t rounds,
                         struct bench_result *result)
{
    int err = rules_install(count);

    for (uint32_t i = 0; !err && i < rounds; i++) {
        struct event e = {.code = 1, .value = 1};
        uint64_t start = arch_tsc();

        event_raise(&event_type_bench_reflex, &e);
        bench_record(result, arch_tsc() - start);
    }
    rules_remove(count);
    return err;
}

BENCH(reflex_rules_1, "an event that meets the only rule, which acts")
{
    return measure_rules(1, rounds, result);
}

BENCH(reflex_rules_10, "the same with 10 rules, 9 of them over other codes")
{
    return measure_rules(10, rounds, result);
}

BENCH(reflex_rules_100, "the same with 100 rules")
{
    return measure_rules(100, rounds, result);
}

BENCH(reflex_rules_1000, "the same with 1,000 rules")
{
    return measure_rules(1000, rounds, result);
}

static const struct event_field unheard_fields[] = {
    EVENT_FIELD(code, EVENT_U32, "which one"), {0}};

EVENT_TYPE(bench_unheard, .doc = "raised by a benchmark, and nobody listens",
           .fields = unheard_fields);

BENCH(event_unheard, "16 events that nobody wants")
{
    for (uint32_t i = 0; i < rounds; i++) {
        struct event e = {.code = i};
        uint64_t start = arch_tsc();

        for (int k = 0; k < 16; k++)
            event_raise(&event_type_bench_unheard, &e);
        bench_record(result, arch_tsc() - start);
    }
    return 0;
}
