/*
 * One counter of the 8254. Pure: everything is computed from the moment at
 * which it was loaded.
 */
#include "vmm/devices/pit_channel.h"
#include "vmm/devices/ratio.h"

enum {
    MODE_TERMINAL_COUNT = 0,
    MODE_ONE_SHOT = 1,
    MODE_RATE = 2,
    MODE_SQUARE = 3,
    MODE_STROBE_SOFTWARE = 4,
    MODE_STROBE_HARDWARE = 5
};

#define CONTROL_BCD          0x01
#define CONTROL_MODE_SHIFT   1
#define CONTROL_ACCESS_SHIFT 4

#define ACCESS_LOW  1
#define ACCESS_HIGH 2
#define ACCESS_BOTH 3

#define STATUS_OUTPUT 0x80
#define STATUS_NULL   0x40 /* the count written is not yet in the counter */

#define COUNT_BINARY 0x10000
#define COUNT_BCD    10000

static uint32_t from_bcd(uint16_t v)
{
    return (v & 15) + (v >> 4 & 15) * 10u + (v >> 8 & 15) * 100u +
           (v >> 12) * 1000u;
}

static uint16_t to_bcd(uint32_t v)
{
    return (uint16_t)(v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 |
                      v / 1000 % 10 << 12);
}

static bool periodic(const struct pit_channel *c)
{
    return c->mode == MODE_RATE || c->mode == MODE_SQUARE;
}

static bool by_gate(const struct pit_channel *c)
{
    return c->mode == MODE_ONE_SHOT || c->mode == MODE_STROBE_HARDWARE;
}

static bool counting(const struct pit_channel *c)
{
    return c->loaded && (!by_gate(c) || c->triggered);
}

/* Ticks since it was loaded, without those while the gate was low. */
static uint64_t elapsed(const struct pit_channel *c, nstime_t now)
{
    if (!counting(c))
        return 0;
    if (!c->gate && !by_gate(c))
        return c->held;
    return c->held + ratio_ticks(now - c->start, PIT_HZ);
}

static uint32_t count(const struct pit_channel *c, nstime_t now)
{
    uint64_t t = elapsed(c, now);
    uint32_t n = c->reload;

    switch (c->mode) {
    case MODE_RATE:
        return n - (uint32_t)(t % n);
    case MODE_SQUARE: /* by two, twice a period */
        return n - (uint32_t)(2 * t % n & ~UINT64_C(1));
    default: /* goes on through zero */
        return (uint32_t)((n - t) & (COUNT_BINARY - 1));
    }
}

bool pit_channel_output(const struct pit_channel *c, nstime_t now)
{
    uint64_t t = elapsed(c, now);
    uint32_t n = c->reload;

    if (!counting(c))
        return c->mode != MODE_TERMINAL_COUNT;
    switch (c->mode) {
    case MODE_TERMINAL_COUNT:
    case MODE_ONE_SHOT:
        return t >= n;
    case MODE_RATE:
        return !c->gate || t % n != n - 1;
    case MODE_SQUARE:
        return !c->gate || t % n < (n + 1) / 2;
    default:
        return t != n;
    }
}

nstime_t pit_channel_next_edge(const struct pit_channel *c, nstime_t now)
{
    uint64_t t = elapsed(c, now), tick;

    if (!counting(c) || (!c->gate && !by_gate(c)))
        return TIME_NEVER;
    if (periodic(c))
        tick = (t / c->reload + 1) * c->reload;
    else
        tick = c->reload + (c->mode >= MODE_STROBE_SOFTWARE);
    if (tick <= t)
        return TIME_NEVER;
    return c->start + ratio_ns(tick - c->held, PIT_HZ);
}

void pit_channel_reset(struct pit_channel *c, bool gate)
{
    *c = (struct pit_channel){
        .access = ACCESS_BOTH, .gate = gate, .reload = COUNT_BINARY};
}

void pit_channel_set_mode(struct pit_channel *c, uint8_t control, nstime_t now)
{
    uint8_t mode = control >> CONTROL_MODE_SHIFT & 7;
    bool gate = c->gate;

    pit_channel_reset(c, gate);
    c->access = control >> CONTROL_ACCESS_SHIFT & 3;
    c->mode = mode > MODE_STROBE_HARDWARE ? mode & 3 : mode;
    c->bcd = control & CONTROL_BCD;
    c->start = now;
}

static bool load(struct pit_channel *c, uint16_t value, nstime_t now)
{
    uint32_t n = c->bcd ? from_bcd(value) : value;
    bool was = c->loaded;

    if (!n)
        n = c->bcd ? COUNT_BCD : COUNT_BINARY;
    /* Shorter ones do not exist (8254: minimum count of modes 2 and 3). */
    if (periodic(c) && n < 2)
        n = 2;
    c->loaded = true;
    /* Modes 1 and 5 take it with the next trigger, 2 and 3 with the next
     * period: taken at once here when nothing runs, which nobody can tell. */
    c->reload = n;
    if (by_gate(c) && was && c->triggered)
        return false;
    c->start = now;
    c->held = 0;
    return !by_gate(c);
}

bool pit_channel_write(struct pit_channel *c, uint8_t value, nstime_t now)
{
    switch (c->access) {
    case ACCESS_LOW:
        return load(c, value, now);
    case ACCESS_HIGH:
        return load(c, (uint16_t)(value << 8), now);
    default:
        c->write_high = !c->write_high;
        if (c->write_high) {
            c->low = value;
            return false;
        }
        return load(c, (uint16_t)(value << 8 | c->low), now);
    }
}

static uint16_t count_code(const struct pit_channel *c, nstime_t now)
{
    uint32_t n = count(c, now);

    return c->bcd ? to_bcd(n) : (uint16_t)n;
}

uint8_t pit_channel_read(struct pit_channel *c, nstime_t now)
{
    uint16_t value = c->count_latched ? c->latch : count_code(c, now);
    bool high = c->access == ACCESS_HIGH ||
                (c->access == ACCESS_BOTH && c->read_high);

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    if (c->access == ACCESS_BOTH)
        c->read_high = !c->read_high;
    if (c->access != ACCESS_BOTH || high)
        c->count_latched = false;
    return (uint8_t)(high ? value >> 8 : value);
}

void pit_channel_latch_count(struct pit_channel *c, nstime_t now)
{
    if (c->count_latched)
        return; /* until it has been read */
    c->latch = count_code(c, now);
    c->count_latched = true;
}

void pit_channel_latch_status(struct pit_channel *c, nstime_t now)
{
    if (c->status_latched)
        return;
    c->status = (pit_channel_output(c, now) ? STATUS_OUTPUT : 0) |
                (c->loaded ? 0 : STATUS_NULL) |
                (uint8_t)(c->access << CONTROL_ACCESS_SHIFT) |
                (uint8_t)(c->mode << CONTROL_MODE_SHIFT) |
                (c->bcd ? CONTROL_BCD : 0);
    c->status_latched = true;
}

bool pit_channel_set_gate(struct pit_channel *c, bool gate, nstime_t now)
{
    bool rose = gate && !c->gate, fell = !gate && c->gate;

    if (fell && !by_gate(c))
        c->held = periodic(c) ? 0 : elapsed(c, now);
    c->gate = gate;
    if (!rose)
        return false;
    if (by_gate(c)) {
        c->triggered = c->loaded;
        c->held = 0;
    }
    c->start = now;
    return c->loaded;
}
