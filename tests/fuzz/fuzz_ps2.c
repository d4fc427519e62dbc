/* sources: drivers/input/ps2_exchange.c drivers/input/ps2_packet.c */
/*
 * Any bytes from the two ports of a keyboard controller: a command never sends
 * or keeps more than it has, and ends; packets are decoded within their
 * ranges, and after a pause the decoder reads the next packet rightly.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>

#include "drivers/input/ps2_exchange.h"
#include "drivers/input/ps2_packet.h"

static void command(struct fuzz_input *in)
{
    struct ps2_exchange x;
    uint8_t out[PS2_OUT_MAX], count = fuzz_byte(in), wanted = fuzz_byte(in);
    unsigned sends = 1;

    fuzz_take(in, out, sizeof(out));
    if (ps2_exchange_begin(&x, out, count % (PS2_OUT_MAX + 2),
                           wanted % (PS2_ANSWERS_MAX + 2)))
        return;
    for (int i = 0; i < 64; i++) {
        enum ps2_verdict v = ps2_exchange_feed(&x, fuzz_byte(in));

        FUZZ_CHECK(x.got <= x.wanted);
        FUZZ_CHECK(v != PS2_SEND || x.sent < x.count);
        FUZZ_CHECK((v == PS2_FINISHED) <= (x.state == PS2_DONE));
        sends += v == PS2_SEND;
        if (x.state == PS2_DONE)
            FUZZ_CHECK(v == PS2_FINISHED || v == PS2_NOT_MINE);
    }
    FUZZ_CHECK(sends <= 3u * x.count);
}

static void packets(struct fuzz_input *in)
{
    struct ps2_packet_state s;
    struct ps2_motion m;
    uint8_t size = fuzz_byte(in) % 2 ? 3 : 4;
    const uint8_t good[4] = {0x0a, 4, 5, 1};
    nstime_t now = 0;
    bool complete = false;

    ps2_packet_init(&s, size);
    while (in->left) {
        now += (nstime_t)fuzz_byte(in) * 4 * NS_PER_MS;
        ps2_packet_feed(&s, fuzz_byte(in), now, &m);
        FUZZ_CHECK(s.got < size);
    }
    now += NS_PER_SEC;
    for (unsigned i = 0; i < size; i++)
        complete = ps2_packet_feed(&s, good[i], now, &m);
    FUZZ_CHECK(complete && m.x == 4 && m.y == 5 && m.buttons == 2);
    FUZZ_CHECK(m.wheel == (size == 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};

    if (fuzz_byte(&in) % 2)
        command(&in);
    else
        packets(&in);
    return 0;
}
