/* sources: drivers/input/scancode.c kernel/core/keymap.c
 * kernel/core/keymap_table.c */
/*
 * Any bytes from the keyboard controller: events come in an order that a
 * keyboard could make, the key map writes no more than it may, and after all
 * keys are released no modifier stays.
 */
#include "tests/fuzz/fuzz.h"

#include <rayos/keymap.h>

#include "drivers/input/scancode.h"

struct follower {
    uint8_t down[KEY_COUNT];
    struct keymap_state keymap;
    unsigned events;
};

static void follow(void *arg, uint16_t code, int32_t value)
{
    struct follower *f = arg;
    struct input_event e = {.code = code, .value = value};
    char out[KEYMAP_OUT_MAX];

    FUZZ_CHECK(code > 0 && code < KEY_COUNT);
    FUZZ_CHECK(value == KEY_RELEASED || value == KEY_PRESSED ||
               value == KEY_REPEATED);
    FUZZ_CHECK(f->down[code] == (value != KEY_PRESSED));
    f->down[code] = value != KEY_RELEASED;
    f->events++;
    FUZZ_CHECK(keymap_translate(&f->keymap, &e, out) <= sizeof(out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scancode_state s = {0};
    struct follower f = {.events = 0};

    keymap_init(&f.keymap);
    for (size_t i = 0; i < size; i++) {
        f.events = 0;
        scancode_feed(&s, data[i], follow, &f);
        FUZZ_CHECK(f.events <= 2 || data[i] == 0x00 || data[i] == 0xff);
    }
    scancode_release_all(&s, follow, &f);
    for (size_t i = 0; i < KEY_COUNT; i++)
        FUZZ_CHECK(!f.down[i]);
    FUZZ_CHECK(
        !(keymap_modifiers(&f.keymap) & ~(KEYMAP_CAPS_LOCK | KEYMAP_NUM_LOCK)));
    return 0;
}
