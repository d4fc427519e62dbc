/* Self-tests: reflexes that act on the screen and the keyboard, and in
 * interrupt context. */
#include <string.h>

#include <rayos/clock.h>
#include <rayos/input.h>
#include <rayos/irq.h>
#include <rayos/reflex.h>
#include <rayos/surface.h>

#include "selftest.h"

#define RULE "selftest rule"

/* One action, without arguments, over events of one code of which a field,
 * compared with a number, is as it should be. */
struct image {
    struct reflex_header header;
    struct reflex_entry entry;
    struct reflex_insn insns[8];
    struct reflex_call call;
};

static void install_when(const char *type, uint32_t code, int32_t field,
                         struct reflex_insn compare, const char *action)
{
    struct image m = {
        .header = {.magic = REFLEX_MAGIC,
                   .size = sizeof(m),
                   .name = RULE,
                   .entries = 1,
                   .insns = ARRAY_SIZE(m.insns),
                   .calls = 1,
                   .priority = 255},
        .entry = {.code = code, .by_code = 1},
        .insns = {{REFLEX_FIELD, 0, 0, 0, field},
                  {REFLEX_IMM, 1, 0, 0, 1},
                  compare,
                  {REFLEX_JNZ, 0, 0, 0, 2},
                  {REFLEX_END, 0, 0, 0, 0},
                  {REFLEX_HIT, 0, 0, 0, 0},
                  {REFLEX_ACT, 0, 0, 0, 0},
                  {REFLEX_END, 0, 0, 0, 0}},
    };
    const void *images[] = {&m};
    const size_t sizes[] = {sizeof(m)};
    char why[REFLEX_WHY_MAX] = "";
    size_t bad;

    strncpy(m.entry.type, type, sizeof(m.entry.type) - 1);
    strncpy(m.call.action, action, sizeof(m.call.action) - 1);
    EXPECT_EQ(reflex_change(images, sizes, 1, NULL, &bad, why), 0);
}

/* Over events whose field 1, the value, is 1. */
static void install(const char *type, uint32_t code, const char *action)
{
    install_when(type, code, 1, (struct reflex_insn){REFLEX_EQ, 0, 0, 1, 0},
                 action);
}

static void remove_rule(void)
{
    char why[REFLEX_WHY_MAX];
    size_t bad;

    EXPECT_EQ(reflex_change(NULL, NULL, 0, RULE, &bad, why), 0);
}

/* --- a presented surface --- */

static _Atomic uint32_t keys_seen;

static void stream_event(struct input_stream *s, const struct input_event *e)
{
    (void)s;
    keys_seen += e->type == INPUT_KEY;
}

static void press(uint16_t code)
{
    input_inject(INPUT_KEY, code, 1);
    input_inject(INPUT_SYN, 0, 0);
    input_inject(INPUT_KEY, code, 0);
    input_inject(INPUT_SYN, 0, 0);
}

static bool shown(const struct surface *s)
{
    struct surface_view v;

    surface_get_view(s, &v);
    return v.shown;
}

static void check_presented(struct surface *s, struct input_stream *stream)
{
    struct input_stream *before = input_focus();

    install("input_key", KEY_F11, "toggle_presented");
    input_set_focus(stream);
    keys_seen = 0;
    press(KEY_A);
    EXPECT_EQ(keys_seen, 2);
    press(KEY_F11); /* hides it, and nobody gets the key */
    EXPECT(!shown(s));
    EXPECT(input_focus() != stream);
    EXPECT_EQ(keys_seen, 2);
    press(KEY_F11);
    EXPECT(shown(s));
    EXPECT(input_focus() == stream);
    install("input_key", KEY_F11, "take_back");
    press(KEY_F11);
    EXPECT(!shown(s));
    EXPECT(input_focus() != stream);
    press(KEY_F11); /* nothing is presented: all stays as it is */
    EXPECT(!shown(s));
    input_set_focus(before);
    remove_rule();
}

SELFTEST(reflex_presented, "a key that a rule watches hides and shows what is "
                           "presented, and the keyboard goes with it")
{
    static struct input_stream stream = {.name = "selftest",
                                         .event = stream_event};
    struct surface *terminal = surface_find("terminal");
    struct surface *s;

    if (!terminal) /* no screen in this machine */
        return;
    surface_put(terminal);
    s = surface_create("selftest", 64, 64, NULL, NULL);
    if (!EXPECT(s))
        return;
    surface_set_input(
        s, &(struct surface_input){.stream = &stream, .focus = true});
    surface_set_view(s, &(struct surface_view){.shown = true,
                                               .place = {0, 0, 64, 64},
                                               .z = 50,
                                               .opacity = 255});
    check_presented(s, &stream);
    surface_destroy(s);
    input_stream_remove(&stream);
}

/* --- context --- */

static const struct event_field test_fields[] = {
    EVENT_FIELD(code, EVENT_U32, "which test"),
    EVENT_FIELD(value, EVENT_I64, "1 to be acted on"),
    {0}};

EVENT_TYPE(selftest, .doc = "raised by a self-test of the kernel's",
           .fields = test_fields);

static _Atomic bool at_once_right, on_thread_right;

static int action_test_at_once(const struct reflex_args *a)
{
    (void)a;
    at_once_right = in_interrupt() && !arch_irq_enabled();
    return 0;
}

static int action_test_on_thread(const struct reflex_args *a)
{
    (void)a;
    on_thread_right = !in_interrupt() && arch_irq_enabled() &&
                      thread_current()->priority == PRIO_REFLEX;
    return 0;
}

REFLEX_ACTION(test_at_once, .doc = "note the context, for self-tests",
              .args = "", .any_context = true, .run = action_test_at_once);
REFLEX_ACTION(test_on_thread, .doc = "note the context, for self-tests",
              .args = "", .run = action_test_on_thread);

static void raise_test(struct timer *t)
{
    (void)t;
    event_raise(&event_type_selftest, &(struct event){.code = 1, .value = 1});
}

SELFTEST(reflex_context, "actions that are safe run in the interrupt that "
                         "raised the event, others on the reflex thread")
{
    struct timer t;

    at_once_right = on_thread_right = false;
    timer_init(&t, raise_test);
    install("selftest", 1, "test_at_once");
    timer_start(&t, clock_now());
    EXPECT_SOON(at_once_right);
    install("selftest", 1, "test_on_thread");
    timer_start(&t, clock_now());
    EXPECT_SOON(on_thread_right);
    timer_cancel_sync(&t);
    remove_rule();
}

/* --- a storm from interrupts --- */

#define STORM 20000

SELFTEST(reflex_storm, "a storm of events in interrupt context is counted "
                       "right while rules are exchanged")
{
    uint64_t before = event_type_selftest.state->raised;

    install("selftest", 1, "test_at_once");
    for (int i = 0; i < STORM; i++) {
        irqflags_t flags = arch_irq_save();

        raise_test(NULL);
        arch_irq_restore(flags);
        if (i % 2000 == 0)
            install("selftest", 1, i % 4000 ? "test_at_once" : "escalate");
    }
    EXPECT_EQ(event_type_selftest.state->raised - before, STORM);
    remove_rule();
}

/* --- interrupts --- */

#define INTERRUPTS 2000
#define FIELD_RATE 2 /* of irq_rate */

static void count_interrupt(void *arg)
{
    ++*(_Atomic uint32_t *)arg;
}

SELFTEST(reflex_irq_rate, "rules see how often an interrupt comes")
{
    _Atomic uint32_t came = 0;
    int vector = irq_vector_alloc("selftest", count_interrupt, &came);

    if (!EXPECT(vector >= 0))
        return;
    at_once_right = false;
    install_when("irq_rate", (uint32_t)vector, FIELD_RATE,
                 (struct reflex_insn){REFLEX_LT, 0, 1, 0, 0}, "test_at_once");
    for (uint32_t i = 0; i < INTERRUPTS; i++) {
        irqflags_t flags = arch_irq_save();

        irq_raise_self(vector);
        arch_irq_restore(flags);
        EXPECT_SOON(came > i);
    }
    EXPECT(at_once_right);
    remove_rule();
    irq_vector_free(vector);
}
