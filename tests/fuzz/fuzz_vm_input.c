/* sources: vmm/devices/input_backlog.c vmm/devices/input_config.c */
/*
 * Any events, taken at any speed: the guest never sees a release without its
 * press or two presses of a key, and no key is down at the end. And any
 * question to the configuration.
 */
#include "tests/fuzz/fuzz.h"

#include <rayos/input.h>

#include "vmm/devices/input_backlog.h"
#include "vmm/devices/input_config.h"

static struct input_backlog b;
static bool guest[KEY_COUNT];

static void take(unsigned n)
{
    const struct backlog_event *e;

    for (; n && (e = backlog_first(&b)); n--, backlog_pop(&b)) {
        if (e->type != INPUT_KEY)
            continue;
        FUZZ_CHECK(e->code < KEY_COUNT);
        FUZZ_CHECK(e->value == KEY_PRESSED ? !guest[e->code] : guest[e->code]);
        guest[e->code] = e->value != KEY_RELEASED;
    }
}

static void ask(struct fuzz_input *in)
{
    uint8_t out[INPUT_CONFIG_ANSWER], select = fuzz_byte(in);
    const struct input_kind *k = select & 0x80 ? &input_kind_keyboard
                                               : &input_kind_tablet;
    uint8_t n = input_config_answer(k, select & 0x7f, fuzz_byte(in), out);

    FUZZ_CHECK(n <= INPUT_CONFIG_ANSWER);
    for (unsigned i = n; i < INPUT_CONFIG_ANSWER; i++)
        FUZZ_CHECK(!out[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};

    backlog_reset(&b);
    memset(guest, 0, sizeof(guest));
    while (in.left) {
        uint8_t step = fuzz_byte(&in);
        uint16_t code;

        fuzz_take(&in, &code, sizeof(code));
        if (step < 16)
            ask(&in);
        else if (step < 64)
            take(step % 32);
        else if (step < 96)
            backlog_add(&b, INPUT_SYN, 0, 0);
        else
            backlog_add(&b, step % 4 ? INPUT_KEY : INPUT_ABS, code % 1024,
                        step % 5);
        FUZZ_CHECK(b.count + b.open <= BACKLOG_SIZE);
    }
    for (uint16_t code = 0; code < KEY_COUNT; code++)
        backlog_add(&b, INPUT_KEY, code, KEY_RELEASED);
    backlog_add(&b, INPUT_SYN, 0, 0);
    take(BACKLOG_SIZE);
    for (int i = 0; i < KEY_COUNT; i++)
        FUZZ_CHECK(!guest[i]);
    return 0;
}
