/* What a virtio input device says about itself: see input_config.h. Pure. */
#include "vmm/devices/input_config.h"

#include <string.h>

#include <rayos/input.h>

#define BUS_VIRTUAL 0x06 /* as in Linux's input.h */
#define VENDOR      0x5241

/* Codes first to last of a type. */
struct range {
    uint16_t type, first, last;
};

static const struct range keyboard_ranges[] = {
    {INPUT_KEY, KEY_ESC, BTN_MISC - 1},
    {INPUT_LED, LED_NUML, LED_SCROLLL},
};
static const struct range tablet_ranges[] = {
    {INPUT_KEY, BTN_LEFT, BTN_TASK},
    {INPUT_REL, REL_HWHEEL, REL_HWHEEL},
    {INPUT_REL, REL_WHEEL, REL_WHEEL},
    {INPUT_ABS, ABS_X, ABS_Y},
};

const struct input_kind input_kind_keyboard = {"RayOS keyboard", 1, false};
const struct input_kind input_kind_tablet = {"RayOS tablet", 2, true};

static const struct range *ranges_of(const struct input_kind *k, size_t *count)
{
    *count = k->pointer ? ARRAY_SIZE(tablet_ranges)
                        : ARRAY_SIZE(keyboard_ranges);
    return k->pointer ? tablet_ranges : keyboard_ranges;
}

bool input_kind_has(const struct input_kind *k, uint16_t type, uint16_t code)
{
    size_t count;
    const struct range *r = ranges_of(k, &count);

    for (size_t i = 0; i < count; i++)
        if (r[i].type == type && code >= r[i].first && code <= r[i].last)
            return true;
    return type == INPUT_SYN;
}

static void put16(uint8_t *out, uint16_t v)
{
    memcpy(out, &v, sizeof(v));
}

static void put32(uint8_t *out, uint32_t v)
{
    memcpy(out, &v, sizeof(v));
}

static uint8_t answer_text(const char *text, uint8_t *out)
{
    size_t n = strlen(text);

    memcpy(out, text, n);
    return (uint8_t)n;
}

/* struct virtio_input_devids: bus, vendor, product, version */
static uint8_t answer_ids(const struct input_kind *k, uint8_t *out)
{
    put16(out, BUS_VIRTUAL);
    put16(out + 2, VENDOR);
    put16(out + 4, k->product);
    put16(out + 6, 1);
    return 8;
}

/* A bit for each code; the length is that of the last byte that is not 0. */
static uint8_t answer_events(const struct input_kind *k, uint8_t type,
                             uint8_t *out)
{
    size_t count, size = 0;
    const struct range *r = ranges_of(k, &count);

    for (size_t i = 0; i < count; i++) {
        if (r[i].type != type)
            continue;
        for (uint16_t code = r[i].first; code <= r[i].last; code++) {
            out[code / 8] |= (uint8_t)(1 << code % 8);
            size = code / 8u + 1 > size ? code / 8u + 1 : size;
        }
    }
    return (uint8_t)size;
}

/* struct virtio_input_absinfo: min, max, fuzz, flat, resolution */
static uint8_t answer_absolute(const struct input_kind *k, uint8_t axis,
                               uint8_t *out)
{
    if (!input_kind_has(k, INPUT_ABS, axis))
        return 0;
    put32(out + 4, INPUT_TABLET_MAX);
    return 20;
}

uint8_t input_config_answer(const struct input_kind *k, uint8_t select,
                            uint8_t subsel, uint8_t *out)
{
    memset(out, 0, INPUT_CONFIG_ANSWER);
    if (select == INPUT_CONFIG_EVENTS)
        return answer_events(k, subsel, out);
    if (select == INPUT_CONFIG_ABSOLUTE)
        return answer_absolute(k, subsel, out);
    if (subsel)
        return 0;
    if (select == INPUT_CONFIG_NAME)
        return answer_text(k->name, out);
    if (select == INPUT_CONFIG_IDS)
        return answer_ids(k, out);
    return 0;
}
