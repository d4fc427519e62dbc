/* sources: kernel/core/device.c kernel/core/device_policy.c
 * kernel/core/device_report.c */
/*
 * The device tree with a bus and drivers of the test's own: who gets what, what
 * a failed probe leaves behind, what the policy can and cannot do.
 */
#include "check.h"

#include "../../kernel/core/device_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <rayos/device.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/sync.h>

/* --- the host in place of the kernel --- */

static int locks_held, blocks_out;
static char this_thread[1]; /* stands for this thread */

struct thread *thread_current(void)
{
    return (struct thread *)this_thread;
}

void mutex_lock(struct mutex *m)
{
    (void)m;
    CHECK_EQ(locks_held, 0); /* taken twice: the kernel would hang */
    locks_held++;
}

void mutex_unlock(struct mutex *m)
{
    (void)m;
    locks_held--;
}

void *kzalloc(size_t size)
{
    blocks_out++;
    return calloc(1, size);
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)level, (void)module, (void)fmt;
}

static unsigned events[5]; /* by their code */

void device_event(const struct device *d, enum device_event_code code)
{
    (void)d;
    events[code]++;
}

/* --- a bus, two drivers --- */

static char trace[256];
static int alpha_answer, quiesced;
static bool alpha_makes_child;

static void note(const char *what, const char *name)
{
    size_t n = strlen(trace);

    snprintf(trace + n, sizeof(trace) - n, "%s(%s) ", what, name);
}

/* ids is the first letter of the names that it drives. */
static bool fake_match(const struct device *d, const struct driver *drv)
{
    return d->name[0] == *(const char *)drv->ids;
}

static void fake_quiesce(struct device *d)
{
    (void)d;
    quiesced++;
}

static void fake_describe(const struct device *d, struct device_report *r)
{
    device_report_text(r, "letter", d->name);
    device_report_hex(r, "hex", 255);
}

static const struct bus fake_bus = {
    .name = "fake",
    .match = fake_match,
    .quiesce = fake_quiesce,
    .describe = fake_describe,
};

static struct device child;

static int alpha_probe(struct device *d)
{
    note("alpha", d->name);
    if (alpha_answer)
        return alpha_answer;
    if (alpha_makes_child) {
        memset(&child, 0, sizeof(child));
        strcpy(child.name, "beta-child");
        child.bus = &fake_bus;
        child.parent = d;
        CHECK_EQ(device_add(&child), 0); /* takes the lock again */
    }
    d->driver_data = trace;
    return 0;
}

static void alpha_remove(struct device *d)
{
    note("-alpha", d->name);
    if (alpha_makes_child)
        device_remove(&child);
}

static void alpha_describe(const struct device *d, struct device_report *r)
{
    device_report_number(r, "binds", d->binds);
}

static int beta_probe(struct device *d)
{
    note("beta", d->name);
    return 0;
}

static void beta_remove(struct device *d)
{
    note("-beta", d->name);
}

/* One object, so that their order is certain. */
static const struct driver drivers[]
    __attribute__((used, section("rayos_drivers"), aligned(8))) = {
        {
            .name = "alpha",
            .bus = &fake_bus,
            .ids = "a",
            .probe = alpha_probe,
            .remove = alpha_remove,
            .describe = alpha_describe,
        },
        {
            .name = "beta",
            .bus = &fake_bus,
            .ids = "b",
            .probe = beta_probe,
            .remove = beta_remove,
        },
        {
            .name = "second_alpha",
            .bus = &fake_bus,
            .ids = "a",
            .probe = beta_probe,
            .remove = beta_remove,
        },
};

static struct device make(const char *name, struct device *parent)
{
    struct device d = {.bus = &fake_bus, .parent = parent};

    strcpy(d.name, name);
    return d;
}

static void start(void)
{
    memset(events, 0, sizeof(events));
    trace[0] = '\0';
    alpha_answer = 0;
    quiesced = 0;
    alpha_makes_child = false;
}

TEST(a_device_is_bound_to_the_first_driver_that_matches)
{
    struct device d = make("a1", NULL), other = make("x1", NULL);

    start();
    CHECK_EQ(device_add(&d), 0);
    CHECK_EQ(device_add(&other), 0);
    CHECK_STR(trace, "alpha(a1) ");
    CHECK_EQ(d.state, DEVICE_BOUND);
    CHECK_STR(d.driver->name, "alpha");
    CHECK_EQ(d.binds, 1);
    CHECK_EQ(other.state, DEVICE_UNBOUND);
    CHECK(other.id > d.id);
    device_remove(&d);
    device_remove(&other);
    CHECK_STR(trace, "alpha(a1) -alpha(a1) ");
    CHECK_EQ(device_unbind("a1"), -ENODEV);
    CHECK_EQ(locks_held, 0);
    CHECK_EQ(events[DEVICE_EVENT_ADDED], 2);
    CHECK_EQ(events[DEVICE_EVENT_REMOVED], 2);
    CHECK_EQ(events[DEVICE_EVENT_BOUND], 1);
    CHECK_EQ(events[DEVICE_EVENT_UNBOUND], 1);
    CHECK_EQ(events[DEVICE_EVENT_FAILED], 0);
}

TEST(a_name_that_is_taken_is_refused)
{
    struct device d = make("x1", NULL), again = make("x1", NULL);

    start();
    CHECK_EQ(device_add(&d), 0);
    CHECK_EQ(device_add(&again), -EEXIST);
    device_remove(&d);
}

TEST(a_failed_probe_leaves_the_device_failed_and_quiet)
{
    struct device d = make("a1", NULL);

    start();
    alpha_answer = -EIO;
    CHECK_EQ(device_add(&d), 0);
    CHECK_EQ(d.state, DEVICE_FAILED);
    CHECK_EQ(d.error, -EIO);
    CHECK_EQ(events[DEVICE_EVENT_FAILED], 1);
    CHECK_EQ(events[DEVICE_EVENT_BOUND], 0);
    CHECK_EQ(quiesced, 1);
    CHECK(!d.driver_data);
    CHECK_EQ(device_unbind("a1"), -EINVAL);
    alpha_answer = 0;
    CHECK_EQ(device_bind("a1", NULL), 0); /* it may be tried again */
    CHECK_EQ(d.state, DEVICE_BOUND);
    CHECK_EQ(d.error, 0);
    device_remove(&d);
}

TEST(a_driver_that_looked_closer_and_declines_makes_room_for_the_next)
{
    struct device d = make("a1", NULL);

    start();
    alpha_answer = -ENODEV;
    CHECK_EQ(device_add(&d), 0);
    CHECK_STR(d.driver->name, "second_alpha");
    device_remove(&d);
}

TEST(bind_and_unbind_say_what_is_wrong)
{
    struct device d = make("a1", NULL);

    start();
    CHECK_EQ(device_add(&d), 0);
    CHECK_EQ(device_bind("a1", NULL), -EBUSY);
    CHECK_EQ(device_unbind("a1"), 0);
    CHECK_EQ(device_unbind("a1"), -EINVAL);
    CHECK_EQ(device_bind("a1", "gamma"), -ENOENT);
    CHECK_EQ(device_bind("a1", "beta"), -ENOTSUP);
    CHECK_EQ(device_bind("nobody", NULL), -ENODEV);
    CHECK_EQ(device_bind("a1", "second_alpha"), 0);
    CHECK_STR(d.driver->name, "second_alpha");
    device_remove(&d);
}

TEST(a_probe_may_add_children_and_remove_takes_them_away)
{
    struct device d = make("a1", NULL);
    struct device_policy_status before, after;

    start();
    device_policy_get(&before);
    alpha_makes_child = true;
    CHECK_EQ(device_add(&d), 0);
    CHECK_STR(trace, "alpha(a1) beta(beta-child) ");
    CHECK(child.parent == &d);
    CHECK_EQ(device_unbind("a1"), 0);
    CHECK_STR(trace,
              "alpha(a1) beta(beta-child) -alpha(a1) -beta(beta-child) ");
    CHECK_EQ(device_bind("beta-child", NULL), -ENODEV);
    device_remove(&d);
    device_policy_get(&after);
    CHECK_EQ(before.loads, after.loads);
}

TEST(decisions_outlive_the_device_and_meet_it_when_it_comes_again)
{
    struct device d = make("a1", NULL);

    start();
    alpha_makes_child = true;
    CHECK_EQ(device_add(&d), 0);
    CHECK_EQ(device_assign("beta-child", DEVICE_GUEST, "linux", NULL, "mine"),
             0);
    CHECK_EQ(child.state, DEVICE_UNBOUND);
    CHECK_STR(child.reserved_for, "linux");
    CHECK_EQ(device_unbind("a1"), 0);
    CHECK_EQ(device_bind("a1", NULL), 0);
    CHECK_EQ(child.owner, DEVICE_GUEST);
    CHECK_STR(child.why, "mine");
    CHECK_EQ(child.state, DEVICE_UNBOUND);
    CHECK_EQ(device_bind("beta-child", NULL), -EBUSY); /* not ours */
    CHECK_EQ(device_assign("beta-child", DEVICE_OURS, NULL, NULL, ""), 0);
    CHECK_EQ(child.state, DEVICE_BOUND);
    CHECK_STR(child.reserved_for, "");
    device_remove(&d);
}

TEST(another_driver_is_taken_only_where_the_policy_names_one)
{
    struct device d = make("a2", NULL);

    start();
    CHECK_EQ(device_add(&d), 0);
    CHECK_EQ(device_assign("a2", DEVICE_OURS, NULL, NULL, "any"), 0);
    CHECK_EQ(d.binds, 1); /* nothing was undone */
    CHECK_EQ(device_assign("a2", DEVICE_OURS, NULL, "second_alpha", "x"), 0);
    CHECK_STR(d.driver->name, "second_alpha");
    CHECK_EQ(device_assign("a2", DEVICE_OURS, NULL, "beta", "x"), -ENOTSUP);
    CHECK_EQ(device_assign("a2", DEVICE_LEFT, NULL, "none", "x"), -ENOENT);
    CHECK_STR(d.driver->name, "second_alpha");
    CHECK_EQ(device_assign("a2", DEVICE_LEFT, NULL, NULL, "x"), 0);
    CHECK_EQ(d.state, DEVICE_UNBOUND);
    device_remove(&d);
}

TEST(assigning_many_is_all_or_nothing)
{
    struct device a = make("a3", NULL), b = make("b3", NULL);
    struct device_assignment list[] = {
        {.name = "a3", .owner = DEVICE_LEFT, .why = "no"},
        {.name = "b3", .owner = DEVICE_LEFT, .why = "no"},
        {.name = "a3", .owner = DEVICE_OURS, .driver = "beta"},
    };
    size_t bad = 99;

    start();
    CHECK_EQ(device_add(&a), 0);
    CHECK_EQ(device_add(&b), 0);
    CHECK_EQ(device_assign_all(list, 3, &bad), -ENOTSUP);
    CHECK_EQ(bad, 2);
    CHECK_EQ(a.state, DEVICE_BOUND);
    CHECK_EQ(a.owner, DEVICE_OURS);
    CHECK_EQ(b.state, DEVICE_BOUND);
    CHECK_EQ(device_assign_all(list, 2, &bad), 0);
    CHECK_EQ(a.state, DEVICE_UNBOUND);
    CHECK_EQ(b.state, DEVICE_UNBOUND);
    CHECK_EQ(b.owner, DEVICE_LEFT);
    device_remove(&a);
    device_remove(&b);
}

static int collect(struct device *d, void *arg)
{
    note("see", d->name);
    return strcmp(d->name, arg) == 0 ? 7 : 0;
}

TEST(a_walk_sees_parents_before_children_and_stops_when_told)
{
    struct device p = make("p", NULL), q = make("q", NULL);
    struct device pa = make("p.a", &p), pb = make("p.b", &p);
    struct device paa = make("p.a.a", &pa);

    start();
    device_add(&p);
    device_add(&q);
    device_add(&pa);
    device_add(&pb);
    device_add(&paa);
    CHECK_EQ(device_for_each(collect, "none"), 0);
    CHECK_STR(trace, "see(p) see(p.a) see(p.a.a) see(p.b) see(q) ");
    trace[0] = '\0';
    CHECK_EQ(device_for_each(collect, "p.a"), 7);
    CHECK_STR(trace, "see(p) see(p.a) ");
    device_remove(&p); /* and all below */
    trace[0] = '\0';
    CHECK_EQ(device_for_each(collect, "none"), 0);
    CHECK_STR(trace, "see(q) ");
    device_remove(&q);
}

static void on_number(struct device_report *r, const char *name, uint64_t value,
                      bool hex)
{
    char text[64];

    (void)r;
    snprintf(text, sizeof(text), hex ? "%s=0x%x" : "%s=%u", name,
             (unsigned)value);
    note("", text);
}

static void on_text(struct device_report *r, const char *name, const char *text)
{
    (void)r;
    note(name, text);
}

TEST(the_bus_describes_first_then_the_driver_that_is_bound)
{
    struct device d = make("a4", NULL);
    struct device_report r = {.number = on_number, .text = on_text};

    start();
    device_add(&d);
    trace[0] = '\0';
    device_describe(&d, &r);
    CHECK_STR(trace, "letter(a4) (hex=0xff) (binds=1) ");
    device_unbind("a4");
    trace[0] = '\0';
    device_describe(&d, &r);
    CHECK_STR(trace, "letter(a4) (hex=0xff) ");
    device_remove(&d);
}

TEST(a_hundred_rounds_of_binding_take_no_memory)
{
    struct device d = make("a5", NULL);
    int before;

    start();
    device_add(&d);
    device_assign("a5", DEVICE_OURS, NULL, NULL, "x");
    before = blocks_out;
    for (int i = 0; i < 100; i++) {
        trace[0] = '\0';
        CHECK_EQ(device_unbind("a5"), 0);
        CHECK_EQ(device_bind("a5", NULL), 0);
        CHECK_EQ(device_assign("a5", DEVICE_LEFT, NULL, NULL, "x"), 0);
        CHECK_EQ(device_assign("a5", DEVICE_OURS, NULL, NULL, "x"), 0);
    }
    CHECK_EQ(blocks_out, before);
    CHECK_EQ(d.binds, 201);
    device_remove(&d);
}

TEST(a_policy_that_fails_is_noted_and_leaves_in_force_what_was)
{
    struct device_policy_status s;

    device_policy_get(&s);
    CHECK(!s.in_force);
    device_policy_note("line 1: no");
    device_policy_get(&s);
    CHECK(!s.in_force);
    CHECK_STR(s.error, "line 1: no");
    device_policy_note(NULL);
    device_policy_note("line 2: no");
    device_policy_get(&s);
    CHECK(s.in_force);
    CHECK_EQ(s.loads, 1);
    CHECK_EQ(s.failures, 2);
    CHECK_STR(s.error, "line 2: no");
}

/* The last: nothing is bound afterwards. */
TEST(at_the_end_all_are_unbound_children_first_for_good)
{
    struct device d = make("a6", NULL), b = make("b6", NULL);

    start();
    alpha_makes_child = true;
    device_add(&d);
    device_add(&b);
    trace[0] = '\0';
    device_unbind_all();
    CHECK_STR(trace, "-beta(b6) -beta(beta-child) -alpha(a6) ");
    CHECK_EQ(device_bind("a6", NULL), -EBUSY);
    device_remove(&d);
    device_remove(&b);
    CHECK_EQ(locks_held, 0);
}

CHECK_MAIN
