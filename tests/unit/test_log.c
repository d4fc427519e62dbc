/* sources: kernel/core/log.c kernel/core/fmt.c */
/*
 * Records come back as they were written, the oldest go first, and readers and
 * writers in any context do not disturb each other.
 */
#include "check.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/percpu.h>

static _Thread_local uint32_t this_cpu = 3;
static nstime_t now = 1000;

uint32_t cpu_id(void)
{
    return this_cpu;
}

nstime_t clock_now(void)
{
    return now;
}

TEST(an_empty_log_has_no_record)
{
    struct log_record r;
    uint64_t seq = 0;

    CHECK_EQ(log_newest(), 0);
    CHECK(!log_read(&seq, &r));
    CHECK_EQ(seq, 0);
}

TEST(a_record_says_who_when_and_what)
{
    struct log_record r;
    uint64_t seq = 0;

    now = 5 * NS_PER_SEC;
    log_warn("mm", "%d frames of %s", 7, "memory");
    CHECK(log_read(&seq, &r));
    CHECK_EQ(seq, 1);
    CHECK_EQ(r.seq, 1);
    CHECK_EQ(r.time, 5 * NS_PER_SEC);
    CHECK_EQ(r.cpu, 3);
    CHECK_EQ(r.level, LOG_WARN);
    CHECK_STR(r.module, "mm");
    CHECK_STR(r.text, "7 frames of memory");
    CHECK_EQ(r.length, 18);
    seq++;
    CHECK(!log_read(&seq, &r));
}

TEST(long_names_and_texts_are_cut)
{
    char text[400];
    struct log_record r;
    uint64_t seq;

    memset(text, 'x', sizeof(text));
    text[399] = '\0';
    log_info("a-very-long-module", "%s", text);
    seq = log_newest();
    CHECK(log_read(&seq, &r));
    CHECK_STR(r.module, "a-very-long");
    CHECK_EQ(r.length, LOG_TEXT_MAX - 1);
    CHECK_EQ(strlen(r.text), LOG_TEXT_MAX - 1);
}

TEST(the_oldest_records_go_first)
{
    struct log_record r;
    uint64_t first, seq = 1;
    char text[16];

    for (int i = 0; i < 3000; i++)
        log_debug("t", "%d", i);
    CHECK(log_read(&seq, &r));
    first = seq;
    CHECK_EQ(first, log_newest() - 1023);
    for (int i = 3000 - 1024; i < 3000; i++, seq++) {
        CHECK(log_read(&seq, &r));
        sprintf(text, "%d", i);
        CHECK_STR(r.text, text);
    }
    CHECK(!log_read(&seq, &r));
}

static int given;
static char given_text[LOG_TEXT_MAX];

static void sink(const struct log_record *r)
{
    given++;
    strcpy(given_text, r->text);
}

TEST(the_sink_gets_records_of_its_level_and_above)
{
    log_set_sink(sink, LOG_WARN);
    log_info("t", "no");
    log_warn("t", "yes");
    log_error("t", "and yes");
    CHECK_EQ(given, 2);
    CHECK_STR(given_text, "and yes");
    log_set_sink(NULL, LOG_DEBUG);
    log_error("t", "nobody");
    CHECK_EQ(given, 2);
}

TEST(levels_have_names)
{
    CHECK_STR(log_level_name(LOG_DEBUG), "debug");
    CHECK_STR(log_level_name(LOG_ERROR), "error");
    CHECK_STR(log_level_name((enum log_level)9), "?");
}

/* Each record's text is one letter repeated, and its length. */
static void *write_many(void *arg)
{
    char text[LOG_TEXT_MAX];

    this_cpu = (uint32_t)(uintptr_t)arg;
    for (int i = 0; i < 20000; i++) {
        int n = 1 + i % 200;

        memset(text, 'a' + (int)this_cpu, (size_t)n);
        text[n] = '\0';
        log_write(LOG_INFO, "w", "%s", text);
    }
    return NULL;
}

static bool is_whole(const struct log_record *r)
{
    if (strlen(r->text) != r->length)
        return false;
    for (int i = 0; i < r->length; i++)
        if (r->text[i] != 'a' + r->cpu)
            return false;
    return true;
}

TEST(readers_never_see_half_a_record)
{
    uint64_t start = log_newest() + 1, seq = start, read = 0;
    pthread_t threads[3];
    struct log_record r;

    for (uintptr_t i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, write_many, (void *)i);
    while (log_newest() < start + 3 * 20000 - 1 || log_read(&seq, &r)) {
        if (!log_read(&seq, &r))
            continue;
        if (r.seq != seq || !is_whole(&r)) {
            CHECK_FAIL("record %llu is damaged", (unsigned long long)seq);
            break;
        }
        read++;
        seq++;
    }
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK(read > 0);
    CHECK_EQ(log_newest(), start + 3 * 20000 - 1);
}

CHECK_MAIN
