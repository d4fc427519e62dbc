/* sources: kernel/core/input_router.c */
#include <stdlib.h>
#include <string.h>

#include "kernel/core/input_router.h"

#include "check.h"

#define DEVICES 2
#define STREAMS 3
#define KEYS    40 /* codes that the random test uses, some of them buttons */

/* What a stream has been told, as its owner would understand it. */
struct view {
    struct input_stream stream;
    bool held[KEY_COUNT];
    unsigned presses, releases, repeats, motions, syncs;
    struct input_event last;
};

static struct input_router router;
static struct input_device devices[DEVICES];
static struct view views[STREAMS];
static nstime_t now;
/* Who may be told something at the moment; `leaving` only releases. */
static struct input_stream *leaving, *injected;
static void (*during_event)(struct view *v, const struct input_event *e);

static void view_event(struct input_stream *s, const struct input_event *e)
{
    struct view *v = container_of(s, struct view, stream);

    v->last = *e;
    if (e->type == INPUT_SYN) {
        v->syncs++;
    } else if (e->type != INPUT_KEY) {
        v->motions++;
        CHECK(s == router.focus);
    } else {
        CHECK(s == router.focus || s == injected ||
              (s == leaving && e->value == KEY_RELEASED));
        CHECK_EQ(v->held[e->code], e->value != KEY_PRESSED);
        v->held[e->code] = e->value != KEY_RELEASED;
        v->presses += e->value == KEY_PRESSED;
        v->releases += e->value == KEY_RELEASED;
        v->repeats += e->value == KEY_REPEATED;
    }
    if (during_event)
        during_event(v, e);
}

static unsigned held_count(const struct view *v)
{
    unsigned n = 0;

    for (size_t i = 0; i < KEY_COUNT; i++)
        n += v->held[i];
    return n;
}

static void start(void)
{
    static const char *const names[STREAMS] = {"one", "two", "three"};

    router = (struct input_router)ROUTER_INIT(router);
    memset(devices, 0, sizeof(devices));
    memset(views, 0, sizeof(views));
    during_event = NULL;
    leaving = NULL;
    now = 1000;
    for (size_t i = 0; i < DEVICES; i++)
        router_add_device(&router, &devices[i]);
    for (size_t i = 0; i < STREAMS; i++)
        views[i].stream = (struct input_stream){.name = names[i],
                                                .event = view_event};
}

static bool report(struct input_device *d, uint16_t type, uint16_t code,
                   int32_t value, bool consumed)
{
    struct input_event e = {.time = now,
                            .device = d->id,
                            .type = type,
                            .code = code,
                            .value = value};

    if (!router_accept(d, type, code, value))
        return false;
    router_route(&router, d, &e, consumed);
    return true;
}

static bool key(unsigned device, uint16_t code, int32_t value)
{
    return report(&devices[device], INPUT_KEY, code, value, false);
}

static void focus(struct view *v)
{
    leaving = router.focus;
    router_set_focus(&router, v ? &v->stream : NULL, now);
    leaving = NULL;
}

TEST(a_key_reaches_the_focused_stream_and_no_other)
{
    start();
    key(0, KEY_A, KEY_PRESSED);
    key(0, KEY_A, KEY_RELEASED);
    focus(&views[1]);
    CHECK(key(0, KEY_B, KEY_PRESSED));
    CHECK(views[1].held[KEY_B]);
    CHECK(key(0, KEY_B, KEY_RELEASED));
    CHECK_EQ(views[0].presses + views[2].presses, 0);
    CHECK_EQ(views[1].presses, 1);
    CHECK_EQ(views[1].releases, 1);
    CHECK_EQ(views[1].last.device, devices[0].id);
}

TEST(repeats_and_what_is_not_a_change_are_refused)
{
    start();
    focus(&views[0]);
    CHECK(!key(0, KEY_A, KEY_RELEASED));
    CHECK(key(0, KEY_A, KEY_PRESSED));
    CHECK(!key(0, KEY_A, KEY_PRESSED));
    CHECK(!key(0, KEY_A, KEY_REPEATED));
    CHECK(!key(0, 0, KEY_PRESSED));
    CHECK(!key(0, KEY_COUNT, KEY_PRESSED));
    CHECK(!key(0, 0xffff, KEY_PRESSED));
    CHECK(!key(0, KEY_B, -1));
    CHECK(!report(&devices[0], INPUT_REL, REL_X, 0, false));
    CHECK(!report(&devices[0], INPUT_REL, REL_COUNT, 1, false));
    CHECK(!report(&devices[0], INPUT_ABS, ABS_COUNT, 1, false));
    CHECK(!report(&devices[0], 0x15, 1, 1, false));
    CHECK_EQ(views[0].presses, 1);
}

TEST(a_change_of_focus_releases_and_the_held_key_is_silent_after_it)
{
    start();
    focus(&views[0]);
    key(0, KEY_LEFTCTRL, KEY_PRESSED);
    key(0, KEY_A, KEY_PRESSED);
    focus(&views[1]);
    CHECK_EQ(held_count(&views[0]), 0);
    CHECK_EQ(views[0].releases, 2);
    CHECK_EQ(views[0].last.type, INPUT_SYN);
    key(0, KEY_A, KEY_RELEASED);
    CHECK_EQ(views[1].releases, 0);
    focus(&views[0]);
    key(0, KEY_LEFTCTRL, KEY_RELEASED);
    CHECK_EQ(views[0].releases, 2);
    key(0, KEY_A, KEY_PRESSED);
    CHECK_EQ(views[0].presses, 3);
}

TEST(the_same_key_on_two_keyboards_is_one)
{
    start();
    focus(&views[0]);
    key(0, KEY_LEFTSHIFT, KEY_PRESSED);
    key(1, KEY_LEFTSHIFT, KEY_PRESSED);
    key(0, KEY_LEFTSHIFT, KEY_RELEASED);
    CHECK(views[0].held[KEY_LEFTSHIFT]);
    key(1, KEY_LEFTSHIFT, KEY_RELEASED);
    CHECK(!views[0].held[KEY_LEFTSHIFT]);
    CHECK_EQ(views[0].presses, 1);
    CHECK_EQ(views[0].releases, 1);
}

TEST(a_device_that_goes_releases_what_it_holds)
{
    start();
    focus(&views[0]);
    key(0, KEY_A, KEY_PRESSED);
    key(1, KEY_A, KEY_PRESSED);
    key(0, KEY_B, KEY_PRESSED);
    router_remove_device(&router, &devices[0], now);
    CHECK(views[0].held[KEY_A]);
    CHECK(!views[0].held[KEY_B]);
    router_remove_device(&router, &devices[1], now);
    CHECK_EQ(held_count(&views[0]), 0);
}

TEST(a_consumed_press_and_its_release_reach_nobody)
{
    start();
    focus(&views[0]);
    CHECK(report(&devices[0], INPUT_KEY, KEY_F12, KEY_PRESSED, true));
    CHECK(report(&devices[0], INPUT_KEY, KEY_F12, KEY_RELEASED, false));
    CHECK_EQ(views[0].presses + views[0].releases, 0);
    /* A rule that takes releases only must not make a key stick. */
    report(&devices[0], INPUT_KEY, KEY_F11, KEY_PRESSED, false);
    report(&devices[0], INPUT_KEY, KEY_F11, KEY_RELEASED, true);
    CHECK_EQ(held_count(&views[0]), 0);
    CHECK_EQ(views[0].releases, 1);
}

/* The reflex runs between the two halves. */
TEST(a_press_goes_to_whom_its_reflex_gave_the_focus)
{
    struct input_event e = {
        .type = INPUT_KEY, .code = KEY_F1, .value = KEY_PRESSED};

    start();
    focus(&views[0]);
    CHECK(router_accept(&devices[0], INPUT_KEY, KEY_F1, KEY_PRESSED));
    focus(&views[1]);
    router_route(&router, &devices[0], &e, false);
    CHECK(views[1].held[KEY_F1]);
    key(0, KEY_F1, KEY_RELEASED);
    CHECK_EQ(held_count(&views[1]), 0);
    /* Released before the press came to its second half: neither is seen. */
    CHECK(router_accept(&devices[0], INPUT_KEY, KEY_F1, KEY_PRESSED));
    key(0, KEY_F1, KEY_RELEASED);
    router_route(&router, &devices[0], &e, false);
    CHECK_EQ(views[1].presses, 1);
}

TEST(one_sync_follows_what_a_stream_was_told)
{
    start();
    focus(&views[0]);
    report(&devices[0], INPUT_SYN, 0, 0, false);
    CHECK_EQ(views[0].syncs, 0);
    report(&devices[0], INPUT_REL, REL_X, 3, false);
    report(&devices[0], INPUT_REL, REL_Y, -3, false);
    report(&devices[0], INPUT_SYN, 0, 0, false);
    report(&devices[0], INPUT_SYN, 0, 0, false);
    CHECK_EQ(views[0].motions, 2);
    CHECK_EQ(views[0].syncs, 1);
}

TEST(one_key_repeats_until_it_is_up)
{
    struct input_event e;

    start();
    focus(&views[0]);
    CHECK(router.repeat.due == TIME_NEVER);
    key(0, KEY_A, KEY_PRESSED);
    CHECK_EQ(router.repeat.due, now + 250 * NS_PER_MS);
    now = router.repeat.due - 1;
    CHECK(!router_repeat_due(&router, now, &e));
    now++;
    CHECK(router_repeat_due(&router, now, &e));
    router_repeat(&router, &e);
    CHECK_EQ(views[0].repeats, 1);
    CHECK_EQ(router.repeat.due, now + 33 * NS_PER_MS);
    key(0, KEY_B, KEY_PRESSED);
    now = router.repeat.due;
    CHECK(router_repeat_due(&router, now, &e));
    CHECK_EQ(e.code, KEY_B);
    key(0, KEY_B, KEY_RELEASED);
    router_repeat(&router, &e); /* went up meanwhile */
    CHECK_EQ(views[0].repeats, 1);
    CHECK(router.repeat.due == TIME_NEVER);
    CHECK(views[0].held[KEY_A]);
}

TEST(nothing_repeats_after_a_change_of_focus_or_for_modifiers_and_buttons)
{
    static const uint16_t silent[] = {KEY_LEFTSHIFT, KEY_RIGHTALT, KEY_CAPSLOCK,
                                      BTN_LEFT};

    start();
    focus(&views[0]);
    key(0, KEY_A, KEY_PRESSED);
    focus(&views[1]);
    CHECK(router.repeat.due == TIME_NEVER);
    for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
        key(0, silent[i], KEY_PRESSED);
    CHECK(router.repeat.due == TIME_NEVER);
    key(1, KEY_B, KEY_PRESSED);
    router_remove_device(&router, &devices[1], now);
    CHECK(router.repeat.due == TIME_NEVER);
    router.delay = 0;
    key(0, KEY_C, KEY_PRESSED);
    CHECK(router.repeat.due == TIME_NEVER);
}

TEST(injection_into_a_stream_leaves_the_focused_one_alone)
{
    struct input_event e = {
        .type = INPUT_KEY, .code = KEY_A, .value = KEY_PRESSED};

    start();
    focus(&views[0]);
    injected = &views[1].stream;
    router_inject_into(&router, injected, &e);
    CHECK(views[1].held[KEY_A]);
    CHECK_EQ(views[0].presses, 0);
    router_remove_stream(&router, injected, now);
    CHECK_EQ(held_count(&views[1]), 0);
    injected = NULL;
    CHECK(router.focus == &views[0].stream);
}

TEST(the_focus_of_a_stream_that_goes_away_falls_to_the_first)
{
    start();
    focus(&views[1]);
    focus(&views[0]);
    focus(&views[2]);
    key(0, KEY_A, KEY_PRESSED);
    leaving = &views[2].stream;
    router_remove_stream(&router, &views[2].stream, now);
    leaving = NULL;
    CHECK(router.focus == &views[1].stream);
    CHECK_EQ(held_count(&views[2]) + held_count(&views[1]), 0);
    key(0, KEY_A, KEY_RELEASED);
    key(0, KEY_A, KEY_PRESSED);
    CHECK_EQ(views[1].presses, 1);
    router_remove_stream(&router, &views[0].stream, now);
    CHECK(router.focus == &views[1].stream);
    CHECK(views[1].held[KEY_A]);
}

TEST(a_stream_that_goes_away_is_released_and_forgotten)
{
    start();
    focus(&views[0]);
    key(0, KEY_A, KEY_PRESSED);
    leaving = &views[0].stream;
    router_remove_stream(&router, &views[0].stream, now);
    CHECK_EQ(held_count(&views[0]), 0);
    CHECK(!router.focus);
    CHECK(list_empty(&router.streams));
    key(0, KEY_B, KEY_PRESSED);
    CHECK_EQ(views[0].presses, 1);
}

/* --- the pointer's function --- */

static bool pointer_keeps;
static unsigned pointer_calls;
static struct view *pointer_focus; /* a click goes here */

static bool pointer(const struct input_event *e)
{
    CHECK(e->type == INPUT_REL || e->type == INPUT_ABS ||
          (e->type == INPUT_KEY && e->code >= BTN_MISC));
    pointer_calls++;
    if (pointer_focus && e->type == INPUT_KEY && e->value)
        focus(pointer_focus);
    return pointer_keeps;
}

TEST(the_pointer_is_asked_first_and_a_button_never_sticks)
{
    start();
    pointer_calls = 0;
    pointer_focus = NULL;
    router.pointer = pointer;
    focus(&views[0]);
    pointer_keeps = true;
    key(0, KEY_A, KEY_PRESSED);
    report(&devices[0], INPUT_REL, REL_X, 1, false);
    key(0, BTN_LEFT, KEY_PRESSED);
    CHECK_EQ(pointer_calls, 2);
    CHECK_EQ(views[0].motions, 0);
    CHECK_EQ(held_count(&views[0]), 1);
    pointer_keeps = false;
    key(0, BTN_LEFT, KEY_RELEASED); /* its press was kept */
    CHECK_EQ(views[0].releases, 0);
    key(0, BTN_LEFT, KEY_PRESSED);
    pointer_keeps = true;
    key(0, BTN_LEFT, KEY_RELEASED);
    CHECK(!views[0].held[BTN_LEFT]);
    CHECK_EQ(pointer_calls, 5);
}

TEST(a_click_may_change_the_focus_before_it_is_given)
{
    start();
    router.pointer = pointer;
    pointer_keeps = false;
    pointer_focus = &views[2];
    focus(&views[0]);
    key(0, KEY_A, KEY_PRESSED);
    key(0, BTN_LEFT, KEY_PRESSED);
    CHECK_EQ(held_count(&views[0]), 0);
    CHECK(views[2].held[BTN_LEFT]);
    CHECK_EQ(held_count(&views[2]), 1);
    key(0, BTN_LEFT, KEY_RELEASED);
    CHECK_EQ(held_count(&views[2]), 0);
}

/* A stream that hands the focus on when it is told of a key. */
static void hand_on(struct view *v, const struct input_event *e)
{
    if (e->type == INPUT_KEY && e->code == KEY_TAB && e->value == KEY_PRESSED)
        focus(&views[(v - views + 1) % STREAMS]);
}

TEST(a_stream_may_give_the_focus_away_while_it_is_told)
{
    start();
    focus(&views[0]);
    during_event = hand_on;
    for (unsigned i = 0; i < 9; i++) {
        key(0, KEY_TAB, KEY_PRESSED);
        CHECK(router.focus == &views[(i + 1) % STREAMS].stream);
        CHECK_EQ(held_count(&views[i % STREAMS]), 0);
        key(0, KEY_TAB, KEY_RELEASED);
    }
    for (unsigned i = 0; i < STREAMS; i++)
        CHECK_EQ(views[i].presses, 3);
}

/* --- 10,000 random steps beside a model --- */

/* live[d][k]: its press was given to the stream that has the focus now. */
struct model {
    bool present[DEVICES], down[DEVICES][KEYS], live[DEVICES][KEYS];
    bool consumed[DEVICES][KEYS];
    struct view *focus;
    uint64_t strokes; /* presses that somebody had to see */
};

static uint32_t seed;

static unsigned random_below(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static uint16_t code_of(unsigned k)
{
    return (uint16_t)(k < KEYS - 4 ? KEY_ESC + k : BTN_LEFT + k - (KEYS - 4));
}

static bool live_anywhere(const struct model *m, unsigned k)
{
    for (unsigned d = 0; d < DEVICES; d++)
        if (m->live[d][k])
            return true;
    return false;
}

static void model_focus(struct model *m)
{
    unsigned n = random_below(STREAMS + 1);
    struct view *v = n < STREAMS ? &views[n] : NULL;

    if (v != m->focus)
        memset(m->live, 0, sizeof(m->live));
    m->focus = v;
    focus(v);
}

static void model_plug(struct model *m, unsigned d)
{
    if (m->present[d])
        router_remove_device(&router, &devices[d], now);
    else
        router_add_device(&router, &devices[d]);
    m->present[d] = !m->present[d];
    memset(m->down[d], 0, sizeof(m->down[d]));
    memset(m->live[d], 0, sizeof(m->live[d]));
    memset(m->consumed[d], 0, sizeof(m->consumed[d]));
}

static void model_press(struct model *m, unsigned d, unsigned k)
{
    bool consumed = random_below(16) == 0;
    bool seen_before = live_anywhere(m, k);

    CHECK_EQ(report(&devices[d], INPUT_KEY, code_of(k), KEY_PRESSED, consumed),
             !m->down[d][k]);
    if (m->down[d][k])
        return;
    m->down[d][k] = true;
    m->consumed[d][k] = consumed;
    m->live[d][k] = m->focus && !consumed;
    m->strokes += m->live[d][k] && !seen_before;
}

static void model_release(struct model *m, unsigned d, unsigned k)
{
    CHECK_EQ(key(d, code_of(k), KEY_RELEASED), m->down[d][k]);
    m->down[d][k] = m->live[d][k] = m->consumed[d][k] = false;
}

static void model_step(struct model *m)
{
    unsigned what = random_below(100), d = random_below(DEVICES);
    unsigned k = random_below(KEYS);
    struct input_event e;

    now += 20 * NS_PER_MS;
    if (what < 8)
        model_focus(m);
    else if (what < 10)
        model_plug(m, d);
    else if (what < 20 && router_repeat_due(&router, now, &e))
        router_repeat(&router, &e);
    else if (!m->present[d])
        return;
    else if (what < 60)
        model_press(m, d, k);
    else
        model_release(m, d, k);
}

/* Every stream knows exactly what the model says. */
static unsigned model_differences(const struct model *m)
{
    unsigned bad = 0;

    for (unsigned k = 0; k < KEYS; k++)
        for (unsigned s = 0; s < STREAMS; s++)
            bad += views[s].held[code_of(k)] !=
                   (m->focus == &views[s] && live_anywhere(m, k));
    return bad;
}

TEST(ten_thousand_random_steps_leave_no_key_stuck_lost_or_misled)
{
    int before = check_failures;

    for (uint32_t run = 0; run < 5; run++) {
        struct model m = {.present = {true, true}};
        uint64_t presses = 0, releases = 0;

        start();
        seed = 1 + run;
        for (unsigned i = 0; i < 10000; i++) {
            model_step(&m);
            CHECK_EQ(model_differences(&m), 0);
            if (check_failures > before + 20)
                return;
        }
        focus(NULL);
        for (unsigned s = 0; s < STREAMS; s++) {
            CHECK_EQ(held_count(&views[s]), 0);
            presses += views[s].presses;
            releases += views[s].releases;
        }
        CHECK_EQ(presses, m.strokes);
        CHECK_EQ(releases, presses);
        CHECK(m.strokes > 1000);
    }
}

CHECK_MAIN
