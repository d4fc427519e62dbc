/* sources: kernel/net/switch.c */
/* A learning switch: who gets what, what is learned and forgotten, counters. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "check.h"
#include "mutex_host.h"

#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/switch.h>

static nstime_t now;
static _Atomic int blocks;
static unsigned warnings;

nstime_t clock_now(void)
{
    return now;
}

void *kzalloc(size_t size)
{
    blocks++;
    return calloc(1, size);
}

void kfree(void *p)
{
    blocks -= p != NULL;
    free(p);
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)module, (void)fmt;
    warnings += level == LOG_WARN;
}

int fmt_snprintf(char *out, size_t size, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(out, size, format, args);
    va_end(args);
    return n;
}

/* --- three ports --- */

struct station {
    struct switch_port port;
    unsigned heard;
    bool full;
    size_t last;
};

static struct station a, b, c;

static bool deliver(struct switch_port *p, const void *frame, size_t n)
{
    struct station *s = (struct station *)p;

    (void)frame;
    if (s->full)
        return false;
    s->heard++;
    s->last = n;
    return true;
}

static void begin(void)
{
    struct station *all[] = {&a, &b, &c};
    const char *names[] = {"a", "b", "c"};

    now = 1000 * NS_PER_SEC;
    for (unsigned i = 0; i < 3; i++) {
        *all[i] = (struct station){
            .port = {.name = names[i], .deliver = deliver, .spoof = true}};
        CHECK_EQ(switch_connect(&all[i]->port, "lan"), 0);
    }
}

static void end(void)
{
    switch_disconnect(&a.port);
    switch_disconnect(&b.port);
    switch_disconnect(&c.port);
    CHECK_EQ(blocks, 0);
}

/* From address `from` to address `to`, both one byte; 0xff: to all. */
static void say(struct station *s, uint8_t from, uint8_t to, size_t n)
{
    uint8_t frame[SWITCH_FRAME_MAX + 1] = {0};

    memset(frame, to == 0xff ? 0xff : 0, MAC_SIZE);
    frame[5] = to;
    frame[11] = from;
    switch_send(&s->port, frame, n);
}

static bool heard(unsigned x, unsigned y, unsigned z)
{
    return a.heard == x && b.heard == y && c.heard == z;
}

TEST(unknown_to_all_known_to_one)
{
    begin();
    say(&a, 1, 2, 60);
    CHECK(heard(0, 1, 1));
    say(&b, 2, 1, 60);
    CHECK(heard(1, 1, 1));
    say(&a, 1, 2, 60);
    CHECK(heard(1, 2, 1));
    say(&a, 1, 0xff, 60);
    CHECK(heard(1, 3, 2));
    say(&b, 2, 2, 60); /* to itself */
    CHECK(heard(1, 3, 2));
    end();
}

TEST(who_moves_or_is_silent_is_found_again)
{
    begin();
    say(&b, 2, 9, 60);
    say(&c, 2, 9, 60); /* the address is at c now */
    CHECK(heard(2, 1, 1));
    say(&a, 1, 2, 60);
    CHECK(heard(2, 1, 2));
    now += 301 * NS_PER_SEC;
    say(&a, 1, 2, 60);
    CHECK(heard(2, 2, 3));
    switch_disconnect(&c.port);
    say(&a, 1, 2, 60);
    CHECK(heard(2, 3, 3));
    end();
}

TEST(lengths_and_room_are_counted)
{
    struct switch_info info;

    begin();
    say(&a, 1, 0xff, SWITCH_FRAME_MIN - 1);
    say(&a, 1, 0xff, SWITCH_FRAME_MAX + 1);
    CHECK(heard(0, 0, 0));
    b.full = true;
    say(&a, 1, 0xff, SWITCH_FRAME_MAX);
    CHECK(heard(0, 0, 1));
    CHECK_EQ(c.last, SWITCH_FRAME_MAX);
    CHECK(switch_port_at(0, &info));
    CHECK_STR(info.name, "lan");
    CHECK_STR(info.port, "a");
    CHECK_EQ(info.counters.refused, 2);
    CHECK_EQ(info.counters.sent_bytes, SWITCH_FRAME_MAX);
    CHECK(switch_port_at(1, &info));
    CHECK_EQ(info.counters.dropped, 1);
    CHECK(!switch_port_at(3, &info));
    end();
}

TEST(a_thousand_addresses_do_not_forget_the_others_in_use)
{
    begin();
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t frame[60] = {
            0, 0, 0, 0, 0, 2, 4, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};

        now++;
        switch_send(&a.port, frame, sizeof(frame));
        now++;
        say(&b, 2, 0, 60);
    }
    a.heard = b.heard = c.heard = 0;
    say(&c, 3, 2, 60);
    CHECK(heard(0, 1, 0));
    end();
}

TEST(networks_are_apart_and_names_are_checked)
{
    struct station d = {
        .port = {.name = "d", .deliver = deliver, .spoof = true}};

    begin();
    CHECK_EQ(switch_connect(&d.port, ""), -EINVAL);
    CHECK_EQ(switch_connect(&d.port, "a name that is longer than it may be"),
             -EINVAL);
    CHECK_EQ(switch_connect(&d.port, "other"), 0);
    say(&a, 1, 0xff, 60);
    CHECK_EQ(d.heard, 0);
    switch_disconnect(&d.port);
    say(&d, 1, 0xff, 60);
    CHECK_EQ(d.port.counters.refused, 1);
    CHECK(heard(0, 1, 1));
    end();
}

TEST(who_is_not_a_bridge_sends_from_his_address_only)
{
    struct switch_info info;

    begin();
    warnings = 0;
    a.port.spoof = false;
    a.port.mac[5] = 1;
    say(&a, 1, 0xff, 60);
    CHECK(heard(0, 1, 1));
    for (unsigned i = 0; i < 5; i++)
        say(&a, 2, 0xff, 60);
    CHECK(heard(0, 1, 1));
    CHECK_EQ(warnings, 1);
    CHECK(switch_port_at(0, &info));
    CHECK_EQ(info.counters.spoofed, 5);
    CHECK_EQ(info.counters.sent, 1);
    say(&b, 2, 0xff, 60);
    say(&c, 3, 2, 60); /* it is where it was: nothing was learned of a */
    CHECK(heard(1, 2, 2));
    end();
}

/* --- locks --- */

static struct station other;

static bool ask_the_other_network(struct switch_port *p, const void *f,
                                  size_t n)
{
    (void)p, (void)f, (void)n;
    CHECK_EQ(mutex_host_held, 1);
    say(&other, 1, 0xff, 60); /* as another thread would now */
    return true;
}

TEST(networks_do_not_wait_for_each_other)
{
    begin();
    other = (struct station){
        .port = {.name = "o", .deliver = deliver, .spoof = true}};
    CHECK_EQ(switch_connect(&other.port, "other"), 0);
    b.port.deliver = ask_the_other_network;
    say(&a, 1, 0xff, 60);
    CHECK_EQ(other.port.counters.sent, 1);
    switch_disconnect(&other.port);
    end();
}

/* Somebody else's turn, in the middle of it. */
static bool deliver_slowly(struct switch_port *p, const void *f, size_t n)
{
    sched_yield();
    return deliver(p, f, n);
}

static void *come_send_and_go(void *name)
{
    for (unsigned i = 0; i < 10000; i++) {
        struct station s = {
            .port = {.name = name, .deliver = deliver_slowly, .spoof = true}};
        struct switch_info info;

        if (switch_connect(&s.port, i % 2 ? "odd" : "even"))
            return name;
        say(&s, (uint8_t)i, 0xff, 60);
        say(&s, (uint8_t)i, 7, 60);
        switch_port_at(i % 4, &info);
        switch_disconnect(&s.port);
    }
    return NULL;
}

/* With the address sanitizer: what is free is not looked at. */
TEST(ports_come_and_go_while_others_send)
{
    pthread_t threads[4];
    void *failed;

    for (unsigned i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, come_send_and_go, "t");
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], &failed);
        CHECK(!failed);
    }
    CHECK_EQ(blocks, 0);
}

CHECK_MAIN
