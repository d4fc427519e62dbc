/* sources: kernel/core/tty.c kernel/core/tty_line.c kernel/core/ring.c */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/tty.h>

#include "check.h"

/* --- the host in place of the kernel --- */

static nstime_t now = 1000;

nstime_t clock_now(void)
{
    return now;
}

static int wakeups;
static const char
    *arriving; /* what the reader's wait brings in; NULL: cancel */
static struct tty *waiting_tty;

void mutex_init(struct mutex *m)
{
    memset(m, 0, sizeof(*m));
}

void mutex_lock(struct mutex *m)
{
    (void)m;
}

int mutex_lock_until(struct mutex *m, nstime_t deadline)
{
    (void)m, (void)deadline;
    return 0;
}

void mutex_unlock(struct mutex *m)
{
    (void)m;
}

void waitq_init(struct waitq *wq)
{
    list_init(&wq->waiters);
}

bool waitq_wake_all(struct waitq *wq)
{
    (void)wq;
    wakeups++;
    return false;
}

/* A reader that waits gets the next byte of `arriving`, as an interrupt would
 * bring it. */
int waitq_wait(struct waitq *wq, struct spinlock *lock, nstime_t deadline)
{
    (void)wq;
    if (!arriving || !*arriving)
        return deadline == TIME_NEVER ? -ECANCELED : -ETIMEDOUT;
    spin_unlock(lock, 0);
    tty_input(waiting_tty, arriving++, 1);
    spin_lock(lock);
    return 0;
}

/* --- a driver that remembers --- */

static char written[4096];
static size_t written_length;
static int write_error;

static ssize_t record(struct tty *t, const void *data, size_t size)
{
    (void)t;
    if (write_error)
        return write_error;
    memcpy(written + written_length, data, size);
    written_length += size;
    written[written_length] = '\0';
    return (ssize_t)size;
}

static void record_polled(struct tty *t, const void *data, size_t size)
{
    record(t, data, size);
}

static int pauses, resumptions;

static void record_throttle(struct tty *t, bool on)
{
    CHECK(spin_is_locked(&t->lock));
    pauses += on;
    resumptions += !on;
}

static const struct tty_ops ops = {.write = record,
                                   .write_polled = record_polled,
                                   .throttle = record_throttle};
static struct tty tty;

static int interrupts;

static void count_interrupt(struct tty *t, void *arg)
{
    CHECK(t == &tty && arg == &interrupts);
    interrupts++;
}

static void setup(void)
{
    static bool registered;
    char scrap[64];

    if (!registered)
        CHECK_EQ(tty_register(&tty, "tty7", &ops, NULL), 0);
    registered = true;
    waiting_tty = &tty;
    tty_set_interrupt(&tty, count_interrupt, &interrupts);
    tty_set_interruptible(&tty, false);
    arriving = NULL;
    while (tty_read_raw(&tty, scrap, sizeof(scrap), 0) > 0)
        ;
    tty_line_reset(&tty.line);
    written_length = 0;
    written[0] = '\0';
    write_error = 0;
    interrupts = 0;
}

TEST(a_tty_is_found_by_its_name)
{
    static struct tty second;

    setup();
    CHECK(tty_find("tty7") == &tty);
    CHECK(tty_find("tty") == NULL);
    CHECK(tty_at(0) == &tty);
    CHECK(tty_at(1) == NULL);
    CHECK_EQ(tty_register(&second, "tty7", &ops, NULL), -EEXIST);
}

TEST(raw_bytes_come_as_they_were_typed)
{
    char buf[8] = "";

    setup();
    tty_input(&tty, "a\x03\r", 3);
    CHECK_EQ(tty_read_raw(&tty, buf, 2, TIME_NEVER), 2);
    CHECK_STR(buf, "a\x03");
    CHECK_EQ(tty_read_raw(&tty, buf, 8, TIME_NEVER), 1);
    CHECK_EQ(buf[0], '\r');
    CHECK_EQ(tty_read_raw(&tty, buf, 8, 5), -ETIMEDOUT);
    CHECK_EQ(tty_read_raw(&tty, buf, 8, TIME_NEVER), -ECANCELED);
    CHECK_EQ(tty_read_raw(&tty, buf, 0, TIME_NEVER), 0);
    CHECK_EQ(interrupts, 0);
}

TEST(ctrl_c_interrupts_and_drops_what_came_before)
{
    char buf[8] = "";

    setup();
    tty_set_interruptible(&tty, true);
    tty_input(&tty, "old", 3);
    tty_input(&tty, "er\x03mid\x03new", 10);
    CHECK_EQ(interrupts, 1);
    CHECK_EQ(tty_read_raw(&tty, buf, 8, 5), 3);
    CHECK_STR(buf, "new");
    tty_input(&tty, "\x03", 1);
    CHECK_EQ(interrupts, 2);
    CHECK_EQ(tty_read_raw(&tty, buf, 8, 5), -ETIMEDOUT);
}

TEST(too_much_input_is_dropped_and_counted)
{
    static char flood[TTY_INPUT_SIZE + 100];

    setup();
    memset(flood, 'x', sizeof(flood));
    uint64_t before = tty.input.dropped;

    tty_input(&tty, flood, sizeof(flood));
    CHECK_EQ(tty.input.dropped - before, 100);
    CHECK_EQ(tty_read_raw(&tty, flood, sizeof(flood), 0), TTY_INPUT_SIZE);
}

TEST(the_far_end_pauses_before_there_is_no_room_and_goes_on_later)
{
    static char data[TTY_INPUT_SIZE];

    setup();
    pauses = resumptions = 0;
    tty_input(&tty, data, TTY_INPUT_SIZE - TTY_PAUSE_ROOM - 1);
    CHECK_EQ(pauses, 0);
    tty_input(&tty, data, 1);
    CHECK_EQ(pauses, 1);
    tty_input(&tty, data, 1); /* what was under way already */
    CHECK_EQ(pauses, 1);
    /* Not at the first byte read, or it would pause and go on all the time. */
    CHECK_EQ(tty_read_raw(&tty, data, 100, 0), 100);
    CHECK_EQ(resumptions, 0);
    CHECK_EQ(tty_read_raw(&tty, data, TTY_INPUT_SIZE / 2, 0),
             TTY_INPUT_SIZE / 2);
    CHECK_EQ(pauses, 1);
    CHECK_EQ(resumptions, 1);
}

/* A program that does not read must not keep Ctrl-C away. */
TEST(the_far_end_never_pauses_while_it_may_interrupt)
{
    static char data[TTY_INPUT_SIZE];

    setup();
    pauses = resumptions = 0;
    tty_input(&tty, data, sizeof(data));
    CHECK_EQ(pauses, 1);
    tty_set_interruptible(&tty, true);
    CHECK_EQ(resumptions, 1);
    interrupts = 0;
    tty_input(&tty, data, sizeof(data));
    CHECK_EQ(pauses, 1);
    tty_input(&tty, "\x03", 1);
    CHECK_EQ(interrupts, 1);
}

TEST(the_time_from_ctrl_c_to_the_next_reading_is_kept)
{
    char buf[8];
    nstime_t took;

    setup();
    tty_set_interruptible(&tty, true);
    now = 5000;
    tty_input(&tty, "\x03", 1);
    now = 6000; /* what is interrupted may still read as it ends */
    CHECK_EQ(tty_read_raw(&tty, buf, 8, 0), -ETIMEDOUT);
    tty_set_interruptible(&tty, false);
    now = 7000;
    CHECK_EQ(tty_read_raw(&tty, buf, 8, 0), -ETIMEDOUT);
    now = 9000;
    CHECK_EQ(tty_read_raw(&tty, buf, 8, 0), -ETIMEDOUT);
    CHECK(tty_answer_time(&tty, &took));
    CHECK_EQ(took, 2000);
}

TEST(a_reader_is_told_that_the_hardware_is_gone)
{
    char buf[8];

    setup();
    tty_input(&tty, "ab", 2);
    tty_set_present(&tty, false);
    CHECK_EQ(tty_read_raw(&tty, buf, 8, TIME_NEVER), 2); /* had come before */
    CHECK_EQ(tty_read_raw(&tty, buf, 8, TIME_NEVER), -ENODEV);
    CHECK_EQ(tty_read_cooked(&tty, buf, 8), -ENODEV);
    write_error = -ENODEV;
    CHECK_EQ(tty_write(&tty, "x", 1), -ENODEV);
    write_error = 0;
    tty_set_present(&tty, true);
    arriving = "c";
    CHECK_EQ(tty_read_raw(&tty, buf, 8, TIME_NEVER), 1);
    CHECK_EQ(buf[0], 'c');
}

TEST(cooked_lines_are_fetched_in_pieces)
{
    char buf[8] = "";

    setup();
    arriving = "hellp\x7fo\rrest";
    CHECK_EQ(tty_read_cooked(&tty, buf, 4), 4);
    CHECK_STR(buf, "hell");
    memset(buf, 0, sizeof(buf));
    CHECK_EQ(tty_read_cooked(&tty, buf, 8), 2);
    CHECK_STR(buf, "o\n");
    CHECK_STR(arriving, "rest");
    CHECK_STR(written, "hellp\b \bo\r\n");
}

TEST(cooked_reading_ends_at_ctrl_d_ctrl_c_and_cancellation)
{
    char buf[8];

    setup();
    arriving = "\x04";
    CHECK_EQ(tty_read_cooked(&tty, buf, 8), 0);
    arriving = "abc\x03xy\r";
    CHECK_EQ(tty_read_cooked(&tty, buf, 8), -EINTR);
    CHECK_EQ(tty_read_cooked(&tty, buf, 8), 3);
    arriving = "half";
    CHECK_EQ(tty_read_cooked(&tty, buf, 8), -ECANCELED);
    arriving = "\r";
    CHECK_EQ(tty_read_cooked(&tty, buf, 8), 1);
}

TEST(newlines_are_sent_with_a_return)
{
    static char long_text[1000], expected[2001];

    setup();
    CHECK_EQ(tty_write(&tty, "a\n\nb", 4), 4);
    CHECK_STR(written, "a\r\n\r\nb");
    written_length = 0;
    memset(long_text, '\n', sizeof(long_text));
    for (size_t i = 0; i < sizeof(long_text); i++)
        memcpy(expected + 2 * i, "\r\n", 2);
    CHECK_EQ(tty_write(&tty, long_text, sizeof(long_text)), 1000);
    CHECK_STR(written, expected);
    write_error = -ECANCELED;
    CHECK_EQ(tty_write(&tty, "x", 1), -ECANCELED);
    CHECK_EQ(tty_write(&tty, "", 0), 0);
}

TEST(a_panic_reaches_every_tty_that_can_poll)
{
    setup();
    tty_panic_write("dead\n", 5);
    CHECK_STR(written, "dead\r\n");
}

CHECK_MAIN
