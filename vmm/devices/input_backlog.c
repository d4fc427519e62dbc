/* Events on their way to a guest: see input_backlog.h. Pure. */
#include "vmm/devices/input_backlog.h"

#include <string.h>

#include <rayos/input.h>

void backlog_reset(struct input_backlog *b)
{
    memset(b, 0, sizeof(*b));
}

static struct backlog_event *at(struct input_backlog *b, uint32_t i)
{
    return &b->ring[(b->first + i) % BACKLOG_SIZE];
}

/* Room for one more event, its SYN, and releases of `held` keys? */
static bool has_room(const struct input_backlog *b, uint32_t held)
{
    return b->count + b->open + 2 + 2 * held <= BACKLOG_SIZE;
}

static void put(struct input_backlog *b, uint16_t type, uint16_t code,
                int32_t value)
{
    *at(b, b->count + b->open++) = (struct backlog_event){type, code,
                                                          (uint32_t)value};
}

static void add_key(struct input_backlog *b, uint16_t code, int32_t value)
{
    uint32_t *word = &b->down[code / 32], bit = 1u << code % 32;
    bool is_down = *word & bit;

    if (value == KEY_RELEASED && is_down) {
        *word &= ~bit;
        b->held--;
        put(b, INPUT_KEY, code, value);
    } else if (value == KEY_PRESSED && !is_down && has_room(b, b->held + 1)) {
        *word |= bit;
        b->held++;
        put(b, INPUT_KEY, code, value);
    } else if (value == KEY_REPEATED && is_down && has_room(b, b->held)) {
        put(b, INPUT_KEY, code, value);
    } else {
        b->dropped++;
    }
}

static bool is_motion(struct input_backlog *b)
{
    for (uint32_t i = 0; i < b->open; i++)
        if (at(b, b->count + i)->type != INPUT_ABS)
            return false;
    return true;
}

/* The batch only says another place than the one before it, which nobody has
 * seen: it takes that one's place. */
static bool merge(struct input_backlog *b)
{
    uint32_t before = b->count - b->motion;

    if (b->motion != b->open + 1)
        return false;
    for (uint32_t i = 0; i < b->open; i++)
        if (at(b, before + i)->code != at(b, b->count + i)->code)
            return false;
    for (uint32_t i = 0; i < b->open; i++)
        at(b, before + i)->value = at(b, b->count + i)->value;
    b->open = 0;
    return true;
}

static void end_batch(struct input_backlog *b)
{
    bool motion;

    if (!b->open)
        return;
    motion = is_motion(b);
    if (motion && merge(b))
        return;
    put(b, INPUT_SYN, 0, 0);
    b->count += b->open;
    b->motion = motion ? b->open : 0;
    b->open = 0;
}

void backlog_add(struct input_backlog *b, uint16_t type, uint16_t code,
                 int32_t value)
{
    if (type == INPUT_SYN)
        end_batch(b);
    else if (type == INPUT_KEY && code < KEY_COUNT)
        add_key(b, code, value);
    else if (type != INPUT_KEY && has_room(b, b->held))
        put(b, type, code, value);
    else
        b->dropped++;
}

const struct backlog_event *backlog_first(const struct input_backlog *b)
{
    return b->count ? &b->ring[b->first % BACKLOG_SIZE] : NULL;
}

void backlog_pop(struct input_backlog *b)
{
    b->first = (b->first + 1) % BACKLOG_SIZE;
    b->count--;
    if (b->motion > b->count)
        b->motion = 0;
}
