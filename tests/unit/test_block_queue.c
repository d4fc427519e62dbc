/* sources: kernel/fs/block_queue.c */
/* Requests of a block device: checked, cut, queued, timed, tried again, and
 * each answered exactly once. The disk, the clock and the work queue are fakes.
 */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include <rayos/clock.h>
#include <rayos/log.h>

#include "kernel/fs/block_queue.h"

#define SECTORS 1000
#define SECOND  NS_PER_SEC

/* --- the kernel around it --- */

static nstime_t now;
static struct timer *armed;
static bool work_waits;
static struct block_device disk;

nstime_t clock_now(void)
{
    return now;
}

void irq_window(void)
{
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.fn = fn};
}

void timer_start(struct timer *t, nstime_t deadline)
{
    t->deadline = deadline;
    armed = t;
}

void timer_cancel_sync(struct timer *t)
{
    (void)t;
    armed = NULL;
}

void work_init(struct work *w, void (*fn)(struct work *w))
{
    *w = (struct work){.fn = fn};
}

void block_reset_submit(struct block_device *b)
{
    CHECK(b == &disk && !work_waits);
    work_waits = true;
}

static void run_work(void)
{
    if (work_waits) {
        work_waits = false;
        disk.reset_work.fn(&disk.reset_work);
    }
}

void block_reset_flush(void)
{
    run_work();
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)level, (void)module, (void)fmt;
}

static unsigned errors_told;

void block_event(const struct block_device *b, enum block_event what, int err)
{
    (void)b, (void)err;
    errors_told += what == BLOCK_ERROR;
}

static nstime_t slow_told;

void block_event_slow(const struct block_device *b, nstime_t took)
{
    (void)b;
    slow_told = took;
}

/* Let time pass; the timer comes when it is due. */
static void pass(nstime_t ns)
{
    nstime_t end = now + ns;

    while (armed && armed->deadline <= end) {
        struct timer *t = armed;

        now = now > t->deadline ? now : t->deadline;
        armed = NULL;
        t->fn(t);
        run_work();
    }
    now = end;
}

/* --- the disk --- */

#define LOG_MAX 64

static struct block_request *has[LOG_MAX]; /* what the driver has, in order */
static unsigned has_count, room, cancels, restarts;
static int restart_error, submit_error;
static struct block_piece pieces[LOG_MAX]; /* that it was asked for */
static unsigned piece_count;

static unsigned prepared, kicks; /* requests that are; calls */

static void fake_prepare(struct block_device *b, struct block_request *r)
{
    CHECK(b == &disk && !spin_is_locked(&b->lock));
    r->driver = &prepared;
    prepared++;
}

static void fake_forget(struct block_device *b, struct block_request *r)
{
    CHECK(spin_is_locked(&b->lock));
    prepared -= r->driver != NULL;
    r->driver = NULL;
}

static void fake_kick(struct block_device *b)
{
    CHECK(spin_is_locked(&b->lock));
    kicks++;
}

static int fake_submit(struct block_device *b, struct block_request *r)
{
    CHECK(b == &disk);
    fake_forget(b, r);
    if (submit_error)
        return submit_error;
    if (has_count == room)
        return -ENOSPC;
    has[has_count++] = r;
    pieces[piece_count++ % LOG_MAX] = r->piece;
    return 0;
}

static struct block_request *take(unsigned i)
{
    struct block_request *r = has[i];

    has_count--;
    memmove(&has[i], &has[i + 1], (has_count - i) * sizeof(*has));
    return r;
}

/* The driver's interrupt: the i-th that it has is done. */
static void complete(unsigned i, int status)
{
    block_complete(take(i), status);
}

static void fake_cancel(struct block_device *b)
{
    (void)b;
    cancels++;
    while (has_count)
        complete(0, -EAGAIN);
}

static int fake_restart(struct block_device *b)
{
    (void)b;
    restarts++;
    return restart_error;
}

static const struct block_ops ops = {
    .prepare = fake_prepare,
    .forget = fake_forget,
    .submit = fake_submit,
    .kick = fake_kick,
    .cancel = fake_cancel,
    .restart = fake_restart,
};

static void start(void)
{
    disk = (struct block_device){
        .name = "fake",
        .ops = &ops,
        .sectors = SECTORS,
        .logical_sector = BLOCK_SECTOR,
        .max_segments = 4,
        .max_sectors = 64,
        .can_flush = true,
    };
    now = 1000 * SECOND;
    armed = NULL;
    work_waits = false;
    has_count = piece_count = cancels = restarts = 0;
    prepared = kicks = 0;
    restart_error = submit_error = 0;
    room = 8;
    block_queue_set_timeout(10 * SECOND);
    block_queue_init(&disk);
}

/* --- requests --- */

#define UNDONE 1

static struct block_request requests[LOG_MAX];
static struct block_segment segments[16];
static unsigned answers;
static struct block_request *chained; /* submitted by the next answer */

static void done(struct block_request *r)
{
    CHECK_EQ(*(int *)r->arg, UNDONE);
    *(int *)r->arg = r->status;
    answers++;
    if (chained) {
        struct block_request *next = chained;

        chained = NULL;
        block_submit(&disk, next);
    }
}

static int results[LOG_MAX];

/* One of `count` segments of `each` bytes. */
static struct block_request *request(unsigned i, enum block_op op,
                                     uint64_t sector, uint32_t count,
                                     uint32_t each)
{
    for (uint32_t k = 0; k < count; k++)
        segments[k] = (struct block_segment){0x100000 * (k + 1), each};
    results[i] = UNDONE;
    requests[i] = (struct block_request){
        .op = op,
        .sector = sector,
        .sectors = count * each / BLOCK_SECTOR,
        .segments = segments,
        .segment_count = count,
        .done = done,
        .arg = &results[i],
    };
    return &requests[i];
}

static int submit(struct block_request *r)
{
    block_submit(&disk, r);
    CHECK_EQ(prepared, 0);
    return *(int *)r->arg;
}

static void submit_reads(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        block_submit(&disk, request(i, BLOCK_READ, i, 1, 512));
}

TEST(a_request_reaches_the_driver_and_is_answered_once)
{
    start();
    CHECK_EQ(submit(request(0, BLOCK_READ, 7, 2, 1024)), UNDONE);
    CHECK_EQ(has_count, 1);
    CHECK_EQ(pieces[0].sector, 7);
    CHECK_EQ(pieces[0].sectors, 4);
    now += 5;
    complete(0, 0);
    CHECK_EQ(results[0], 0);
    CHECK_EQ(disk.stats.reads, 1);
    CHECK_EQ(disk.stats.read_sectors, 4);
    CHECK_EQ(disk.stats.busy, 5);
}

/* Whatever becomes of it, and the device hears of what it is given. */
TEST(what_is_prepared_is_used_or_forgotten_and_then_kicked)
{
    start();
    room = 1;
    CHECK_EQ(submit(request(0, BLOCK_READ, 0, 1, 512)), UNDONE);
    CHECK_EQ(kicks, 1);
    CHECK_EQ(submit(request(1, BLOCK_READ, 1, 1, 512)), UNDONE); /* no room */
    CHECK_EQ(submit(request(2, BLOCK_READ, 2, 1, 512)), UNDONE); /* waits */
    CHECK_EQ(has_count, 1);
    kicks = 0;
    complete(0, 0);
    CHECK_EQ(has_count, 1);
    CHECK_EQ(kicks, 1);
    complete(0, 0);
    complete(0, 0);
    kicks = 0;
    submit_error = -EIO;
    CHECK_EQ(submit(request(3, BLOCK_READ, 3, 1, 512)), -EIO);
    submit_error = 0;
    disk.resetting = true;
    CHECK_EQ(submit(request(4, BLOCK_READ, 4, 1, 512)), UNDONE);
    disk.resetting = false;
    CHECK_EQ(has_count, 0);
}

TEST(what_takes_long_is_told)
{
    start();
    slow_told = 0;
    block_queue_set_slow(100);
    submit(request(0, BLOCK_READ, 0, 1, 512));
    now += 100;
    complete(0, 0);
    CHECK_EQ(slow_told, 0);
    submit(request(0, BLOCK_READ, 0, 1, 512));
    now += 101;
    complete(0, 0);
    CHECK_EQ(slow_told, 101);
    CHECK_EQ(results[0], 0);
    block_queue_set_slow(BLOCK_SLOW_NS);
}

TEST(what_is_not_on_the_disk_or_not_aligned_is_refused)
{
    struct block_request *r;

    start();
    CHECK_EQ(submit(request(0, BLOCK_READ, SECTORS, 1, 512)), -EINVAL);
    CHECK_EQ(submit(request(0, BLOCK_READ, SECTORS - 1, 1, 1024)), -EINVAL);
    CHECK_EQ(submit(request(0, BLOCK_READ, UINT64_MAX, 1, 512)), -EINVAL);
    CHECK_EQ(submit(request(0, BLOCK_READ, 0, 1, 100)), -EINVAL);
    CHECK_EQ(submit(request(0, BLOCK_READ, 0, 0, 512)), -EINVAL);
    r = request(0, BLOCK_READ, 0, 2, 512);
    r->sectors = 3;
    CHECK_EQ(submit(r), -EINVAL);
    r = request(0, BLOCK_READ, 0, 1, 512);
    segments[0].phys = 2;
    CHECK_EQ(submit(r), -EINVAL);
    disk.logical_sector = 4096;
    CHECK_EQ(submit(request(0, BLOCK_READ, 1, 1, 4096)), -EINVAL);
    CHECK_EQ(submit(request(0, BLOCK_READ, 8, 1, 512)), -EINVAL);
    CHECK_EQ(submit(request(0, BLOCK_READ, 8, 1, 4096)), UNDONE);
    CHECK_EQ(has_count, 1);
}

TEST(a_read_only_disk_is_read_only)
{
    start();
    disk.read_only = disk.can_discard = true;
    CHECK_EQ(submit(request(0, BLOCK_WRITE, 0, 1, 512)), -EROFS);
    CHECK_EQ(submit(request(0, BLOCK_DISCARD, 0, 1, 512)), -EROFS);
    CHECK_EQ(submit(request(0, BLOCK_READ, 0, 1, 512)), UNDONE);
}

TEST(what_the_device_cannot_is_done_or_refused)
{
    start();
    disk.can_flush = false;
    CHECK_EQ(submit(request(0, BLOCK_FLUSH, 0, 0, 0)), 0);
    CHECK_EQ(submit(request(0, BLOCK_DISCARD, 0, 1, 512)), -ENOTSUP);
    CHECK_EQ(has_count, 0);
}

TEST(a_partition_is_a_stretch_of_its_disk)
{
    struct block_device part;

    start();
    part = (struct block_device){.parent = &disk,
                                 .first_sector = 100,
                                 .sectors = 50,
                                 .logical_sector = BLOCK_SECTOR};
    block_submit(&part, request(0, BLOCK_WRITE, 49, 1, 512));
    CHECK_EQ(pieces[0].sector, 149);
    complete(0, 0);
    CHECK_EQ(results[0], 0);
    CHECK_EQ(part.stats.writes, 1);
    CHECK_EQ(disk.stats.writes, 1);
    block_submit(&part, request(0, BLOCK_WRITE, 49, 1, 1024));
    CHECK_EQ(results[0], -EINVAL);
    part.gone = true;
    block_submit(&part, request(0, BLOCK_WRITE, 0, 1, 512));
    CHECK_EQ(results[0], -ENODEV);
}

/* --- pieces --- */

/* Complete pieces until the request is answered; the sectors that the driver
 * was asked for, one after the other and each in its memory. */
static void check_pieces(uint64_t sector, uint32_t sectors)
{
    uint64_t offset = 0; /* in the request's memory */

    while (results[0] == UNDONE && has_count) {
        const struct block_piece *p = &has[0]->piece;
        uint64_t left = (uint64_t)p->sectors * BLOCK_SECTOR;

        CHECK_EQ(p->sector, sector + offset / BLOCK_SECTOR);
        CHECK(p->sectors <= disk.max_sectors);
        CHECK(p->segment_count <= disk.max_segments);
        CHECK(p->sectors * BLOCK_SECTOR % disk.logical_sector == 0);
        for (uint32_t i = 0; i < p->segment_count; i++) {
            struct block_segment s = block_piece_segment(p, i, &left);
            uint64_t k = 0, at = offset;

            while (at >= segments[k].length)
                at -= segments[k++].length;
            CHECK_EQ(s.phys, segments[k].phys + at);
            CHECK(s.length && s.length <= segments[k].length - at);
            offset += s.length;
        }
        CHECK_EQ(left, 0);
        complete(0, 0);
    }
    CHECK_EQ(results[0], 0);
    CHECK_EQ(offset, (uint64_t)sectors * BLOCK_SECTOR);
}

TEST(large_requests_go_in_pieces)
{
    for (uint32_t count = 1; count <= 16; count++)
        for (uint32_t each = 512; each <= 64 * 512; each += 7 * 512) {
            start();
            if (count * each / 512 > SECTORS)
                continue;
            submit(request(0, BLOCK_READ, 0, count, each));
            check_pieces(0, count * each / 512);
            CHECK_EQ(disk.stats.read_sectors, count * each / 512);
        }
}

TEST(pieces_keep_to_sectors_that_are_big)
{
    start();
    disk.logical_sector = 4096;
    disk.max_sectors = 20;
    submit(request(0, BLOCK_WRITE, 8, 8, 2560));
    check_pieces(8, 40);
}

TEST(an_error_in_the_middle_ends_the_request)
{
    start();
    submit(request(0, BLOCK_READ, 0, 1, 200 * 512));
    complete(0, 0);
    CHECK_EQ(has_count, 1);
    errors_told = 0;
    complete(0, -EIO);
    CHECK_EQ(errors_told, 1);
    CHECK_EQ(results[0], -EIO);
    CHECK_EQ(has_count, 0);
    CHECK_EQ(disk.stats.errors, 1);
}

TEST(discards_go_in_pieces_too)
{
    start();
    disk.can_discard = true;
    disk.max_discard = 100;
    request(0, BLOCK_DISCARD, 50, 0, 0)->sectors = 250;
    submit(&requests[0]);
    CHECK_EQ(has[0]->piece.sectors, 100);
    complete(0, 0);
    CHECK_EQ(has[0]->piece.sector, 150);
    complete(0, 0);
    CHECK_EQ(has[0]->piece.sector, 250);
    CHECK_EQ(has[0]->piece.sectors, 50);
    complete(0, 0);
    CHECK_EQ(results[0], 0);
}

/* --- room --- */

TEST(what_the_driver_has_no_room_for_waits_in_order)
{
    start();
    room = 2;
    answers = 0;
    submit_reads(6);
    CHECK_EQ(has_count, 2);
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(has[0]->sector, i);
        complete(0, 0);
        CHECK_EQ(results[i], 0);
    }
    CHECK_EQ(answers, 6);
}

TEST(an_answer_may_submit_the_next_request)
{
    start();
    room = 1;
    submit(request(0, BLOCK_READ, 0, 1, 512));
    chained = request(1, BLOCK_READ, 1, 1, 512);
    complete(0, 0);
    CHECK_EQ(has_count, 1);
    complete(0, 0);
    CHECK_EQ(results[1], 0);
}

TEST(a_driver_that_refuses_ends_the_request)
{
    start();
    submit_error = -EIO;
    CHECK_EQ(submit(request(0, BLOCK_READ, 0, 1, 512)), -EIO);
}

/* --- time-outs --- */

TEST(a_request_that_is_never_answered_is_tried_again_and_given_up)
{
    start();
    submit(request(0, BLOCK_READ, 0, 1, 512));
    for (unsigned tries = 1; tries < BLOCK_TRIES; tries++) {
        pass(9 * SECOND);
        CHECK_EQ(disk.stats.timeouts, tries - 1);
        pass(2 * SECOND);
        CHECK_EQ(disk.stats.timeouts, tries);
        CHECK_EQ(has_count, 1);
        CHECK_EQ(results[0], UNDONE);
        now -= 1 * SECOND; /* back to when it was tried again */
    }
    pass(11 * SECOND);
    CHECK_EQ(results[0], -ETIMEDOUT);
    CHECK_EQ(disk.stats.resets, BLOCK_TRIES);
    CHECK_EQ(disk.stats.retries, BLOCK_TRIES - 1);
    CHECK_EQ(disk.stats.errors, 1);
    CHECK_EQ(cancels, BLOCK_TRIES);
    pass(100 * SECOND);
    CHECK_EQ(disk.stats.resets, BLOCK_TRIES);
}

TEST(after_a_reset_the_second_try_may_succeed)
{
    start();
    submit_reads(3);
    pass(11 * SECOND);
    CHECK_EQ(disk.stats.resets, 1);
    CHECK_EQ(has_count, 3);
    while (has_count)
        complete(0, 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(results[i], 0);
    CHECK_EQ(disk.stats.errors, 0);
    CHECK_EQ(disk.stats.reads, 3);
}

TEST(a_slow_disk_that_does_answer_is_left_alone_for_longer)
{
    start();
    submit_reads(5);
    for (int i = 0; i < 3; i++) {
        pass(9 * SECOND);
        complete(1, 0); /* others than the oldest */
    }
    CHECK_EQ(disk.stats.resets, 0);
    pass(9 * SECOND);
    CHECK_EQ(disk.stats.resets, 0);
    pass(5 * SECOND); /* 41 seconds for the oldest */
    CHECK_EQ(disk.stats.resets, 1);
    CHECK_EQ(disk.stats.timeouts, 2);
}

TEST(one_that_is_innocent_is_not_blamed_for_a_reset)
{
    start();
    submit(request(0, BLOCK_READ, 0, 1, 512));
    pass(6 * SECOND);
    submit(request(1, BLOCK_READ, 1, 1, 512));
    pass(5 * SECOND);
    CHECK_EQ(disk.stats.resets, 1);
    CHECK_EQ(requests[0].tries, 1);
    CHECK_EQ(requests[1].tries, 0);
    CHECK_EQ(has_count, 2);
}

TEST(a_device_that_breaks_the_rules_again_and_again_fails_its_requests)
{
    start();
    submit(request(0, BLOCK_READ, 0, 1, 512));
    for (unsigned i = 0; i < BLOCK_TRIES; i++) {
        CHECK_EQ(results[0], UNDONE);
        block_needs_reset(&disk);
        block_needs_reset(&disk); /* one is enough */
        run_work();
    }
    CHECK_EQ(results[0], -EIO);
    CHECK_EQ(disk.stats.resets, BLOCK_TRIES);
    CHECK_EQ(disk.stats.timeouts, 0);
}

TEST(what_comes_during_a_reset_waits_for_its_end)
{
    start();
    submit(request(0, BLOCK_READ, 0, 1, 512));
    block_needs_reset(&disk);
    CHECK_EQ(submit(request(1, BLOCK_READ, 1, 1, 512)), UNDONE);
    CHECK_EQ(has_count, 1);
    run_work();
    CHECK_EQ(has_count, 2);
}

TEST(a_disk_that_does_not_come_back_fails_everything_at_once)
{
    start();
    restart_error = -EIO;
    submit_reads(2);
    block_needs_reset(&disk);
    submit(request(2, BLOCK_READ, 2, 1, 512));
    run_work();
    for (int i = 0; i < 3; i++)
        CHECK_EQ(results[i], -EIO);
    CHECK_EQ(submit(request(3, BLOCK_READ, 2, 1, 512)), -EIO);
}

/* --- the end --- */

TEST(when_the_disk_goes_everything_answers_so)
{
    start();
    room = 2;
    answers = 0;
    submit_reads(5);
    block_queue_close(&disk);
    CHECK_EQ(answers, 5);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(results[i], -ENODEV);
    CHECK_EQ(submit(request(5, BLOCK_READ, 2, 1, 512)), -ENODEV);
    CHECK_EQ(submit(request(5, BLOCK_FLUSH, 0, 0, 0)), -ENODEV);
    CHECK(armed == NULL);
    CHECK_EQ(restarts, 0);
}

TEST(a_disk_that_goes_during_its_reset_is_not_started_again)
{
    start();
    submit_reads(2);
    block_needs_reset(&disk);
    block_queue_close(&disk);
    CHECK_EQ(results[0], -ENODEV);
    CHECK_EQ(results[1], -ENODEV);
    CHECK_EQ(restarts, 0);
}

CHECK_MAIN
