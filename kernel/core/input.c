/*
 * The input router: see rayos/input.h. input_router.c decides, this file gives
 * it what it needs of the kernel: a lock, the timer of repeats, a thread for
 * LEDs, events. Any context but NMI, but where the header says thread context.
 *
 * Streams and the pointer's function run under the lock, which their CPU may
 * take again, for they may change the focus. Reflexes run before it is taken.
 */
#include <rayos/input.h>

#include <rayos/clock.h>
#include <rayos/fmt.h>
#include <rayos/percpu.h>
#include <rayos/spinlock.h>
#include <rayos/sync.h>
#include <rayos/timer.h>
#include <rayos/workq.h>

#include "input_event.h"
#include "input_router.h"

static struct input_router router = ROUTER_INIT(router); /* lock */
static struct spinlock lock;
static uint32_t owner; /* atomic: of `lock`, CPU number + 1 */
static unsigned depth; /* lock: how often the owner has taken it */

static void repeat_fire(struct timer *t);
static struct timer repeat_timer = {.fn = repeat_fire};
static nstime_t repeat_armed = TIME_NEVER; /* lock */

static struct mutex registry = MUTEX_INIT(
    registry); /* devices come and go, LEDs are told */
static void leds_tell(struct work *w);
static struct work leds_work = {.fn = leds_tell,
                                .node = LIST_INIT(leds_work.node)};

static irqflags_t router_lock(void)
{
    irqflags_t flags = arch_irq_save();
    uint32_t self = cpu_id() + 1;

    /* Nobody else stores this CPU's number, and it is not preempted. */
    if (__atomic_load_n(&owner, __ATOMIC_RELAXED) != self) {
        spin_lock(&lock);
        __atomic_store_n(&owner, self, __ATOMIC_RELAXED);
    }
    depth++;
    return flags;
}

static void router_unlock(irqflags_t flags)
{
    if (--depth) {
        arch_irq_restore(flags);
        return;
    }
    if (router.repeat.due < repeat_armed) {
        repeat_armed = router.repeat.due;
        timer_start(&repeat_timer, repeat_armed);
    }
    __atomic_store_n(&owner, 0, __ATOMIC_RELAXED);
    spin_unlock(&lock, flags);
}

/* --- reports --- */

static void report(struct input_device *d, uint16_t type, uint16_t code,
                   int32_t value)
{
    struct input_event e = {.time = clock_now(),
                            .device = d->id,
                            .type = type,
                            .code = code,
                            .value = value};
    irqflags_t flags = router_lock();
    bool accepted = router_accept(d, type, code, value), consumed;

    router_unlock(flags);
    if (!accepted)
        return;
    consumed = input_event_raise(&e);
    flags = router_lock();
    router_route(&router, d, &e, consumed);
    router_unlock(flags);
}

void input_report(struct input_device *d, uint16_t type, uint16_t code,
                  int32_t value)
{
    report(d, type, code, value);
}

void input_inject(uint16_t type, uint16_t code, int32_t value)
{
    report(&router.injector, type, code, value);
}

void input_inject_into(struct input_stream *s, uint16_t type, uint16_t code,
                       int32_t value)
{
    struct input_event e = {
        .time = clock_now(), .type = type, .code = code, .value = value};
    irqflags_t flags = router_lock();

    router_inject_into(&router, s, &e);
    router_unlock(flags);
}

/* Interrupt context. An earlier deadline than is due now is that of a key which
 * is up again. */
static void repeat_fire(struct timer *t)
{
    struct input_event e;
    irqflags_t flags = router_lock();
    bool due = router_repeat_due(&router, clock_now(), &e), consumed;

    (void)t;
    repeat_armed = TIME_NEVER;
    router_unlock(flags);
    if (!due)
        return;
    consumed = input_event_raise(&e);
    if (consumed)
        return;
    flags = router_lock();
    router_repeat(&router, &e);
    router_unlock(flags);
}

/* --- streams --- */

void input_set_focus(struct input_stream *s)
{
    irqflags_t flags = router_lock();

    router_set_focus(&router, s, clock_now());
    router_unlock(flags);
    work_submit(workq_system(), &leds_work);
}

struct input_stream *input_focus(void)
{
    return __atomic_load_n(&router.focus, __ATOMIC_ACQUIRE);
}

void input_stream_remove(struct input_stream *s)
{
    irqflags_t flags = router_lock();

    router_remove_stream(&router, s, clock_now());
    router_unlock(flags);
    work_submit(workq_system(), &leds_work);
}

void input_set_pointer(input_pointer_t fn)
{
    irqflags_t flags = router_lock();

    router.pointer = fn;
    router_unlock(flags);
}

/* --- devices --- */

int input_register(struct input_device *d)
{
    irqflags_t flags;

    mutex_lock(&registry);
    flags = router_lock();
    router_add_device(&router, d);
    router_unlock(flags);
    mutex_unlock(&registry);
    work_submit(workq_system(), &leds_work);
    return 0;
}

void input_unregister(struct input_device *d)
{
    irqflags_t flags;

    /* What it holds is released to the world as by hand: rules see it, too. */
    for (uint16_t code = 1; code < KEY_COUNT; code++)
        if (input_bit(d->down, code))
            report(d, INPUT_KEY, code, KEY_RELEASED);
    mutex_lock(&registry);
    flags = router_lock();
    router_remove_device(&router, d, clock_now());
    router_unlock(flags);
    mutex_unlock(&registry);
}

/* --- LEDs --- */

void input_set_leds(struct input_stream *s, unsigned leds)
{
    __atomic_store_n(&s->leds, leds, __ATOMIC_RELAXED);
    work_submit(workq_system(), &leds_work);
}

unsigned input_leds(void)
{
    irqflags_t flags = router_lock();
    unsigned leds = router.focus
                        ? __atomic_load_n(&router.focus->leds, __ATOMIC_RELAXED)
                        : 0;

    router_unlock(flags);
    return leds;
}

/* Thread context. All are told, also those that are so already: a keyboard that
 * was plugged in again may have lost it. */
static void leds_tell(struct work *w)
{
    unsigned leds = input_leds();

    (void)w;
    mutex_lock(&registry);
    list_for_each (n, &router.devices) {
        struct input_device *d = container_of(n, struct input_device, node);

        if (d->has_leds && d->set_leds)
            d->set_leds(d, leds);
    }
    mutex_unlock(&registry);
}

/* --- settings and listings --- */

void input_set_repeat(nstime_t delay, nstime_t interval)
{
    irqflags_t flags = router_lock();

    router.delay = delay;
    router.interval = interval;
    router_unlock(flags);
}

void input_get_repeat(nstime_t *delay, nstime_t *interval)
{
    irqflags_t flags = router_lock();

    *delay = router.delay;
    *interval = router.interval;
    router_unlock(flags);
}

bool input_device_at(size_t i, struct input_device *copy)
{
    irqflags_t flags = router_lock();
    bool found = false;

    list_for_each (n, &router.devices) {
        if (i--)
            continue;
        *copy = *container_of(n, struct input_device, node);
        found = true;
        break;
    }
    router_unlock(flags);
    return found;
}

static void describe_stream(const struct input_stream *s,
                            struct input_stream_info *out)
{
    *out = (struct input_stream_info){
        .id = s->id, .events = s->events, .focused = s == router.focus};
    fmt_snprintf(out->name, sizeof(out->name), "%s", s->name);
    for (uint16_t code = 0; code < KEY_COUNT; code++)
        out->held += input_bit(s->down, code);
}

bool input_stream_at(size_t i, struct input_stream_info *out)
{
    irqflags_t flags = router_lock();
    bool found = false;

    list_for_each (n, &router.streams) {
        if (i--)
            continue;
        describe_stream(container_of(n, struct input_stream, node), out);
        found = true;
        break;
    }
    router_unlock(flags);
    return found;
}
