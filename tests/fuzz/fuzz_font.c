/* sources: kernel/display/font.c tests/fuzz/host.c */
/*
 * Any bytes as a PSF2 font: every glyph that is found can be read whole, and
 * those that lie in the file's own code points are found.
 */
#include "tests/fuzz/fuzz.h"

#include <rayos/framebuffer.h>

static volatile unsigned sink; /* what is read is wanted */

static void read_glyph(const struct font *f, uint32_t codepoint)
{
    uint32_t row = 0;
    const uint8_t *bits = font_glyph(f, codepoint, &row);
    struct font_metrics m = font_metrics(f);

    if (!bits)
        return;
    FUZZ_CHECK(row == (m.width + 7) / 8);
    for (size_t i = 0; i < (size_t)row * m.height; i++)
        sink += bits[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *copy = fuzz_copy(data, size);
    struct font *f;
    int err = font_load(copy, size, &f);

    FUZZ_CHECK(err <= 0);
    if (!err) {
        struct font_metrics m = font_metrics(f);

        FUZZ_CHECK(m.width && m.height && m.width <= 64 && m.height <= 64);
        for (uint32_t c = 0; c < 0x400; c++)
            read_glyph(f, c);
        for (uint32_t c = 0x400; c < 0x200000; c += 0x101)
            read_glyph(f, c);
        read_glyph(f, UINT32_MAX);
        font_free(f);
    }
    free(copy);
    return 0;
}
