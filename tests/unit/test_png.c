/* sources: lua/png.c */
#include "check.h"

#include <string.h>

#include "lua/png.h"

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

TEST(one_black_pixel_is_known_byte_by_byte)
{
    static const uint8_t black[3];
    /* Fixed block: literal 0, a match of 3 at distance 1, the end. */
    static const uint8_t idat[] = {0x78, 0x01, 0x63, 0x00, 0x02,
                                   0x00, 0x00, 0x04, 0x00, 0x01};
    uint8_t out[256];
    size_t size = png_encode(black, 1, 1, out);

    CHECK(size <= png_bound(1, 1));
    CHECK(!memcmp(out, "\x89PNG\r\n\x1a\n", 8));
    CHECK_EQ(be32(out + 8), 13);
    CHECK_EQ(be32(out + 16), 1);
    CHECK_EQ(be32(out + 33), sizeof(idat));
    CHECK(!memcmp(out + 37, "IDAT", 4));
    CHECK(!memcmp(out + 41, idat, sizeof(idat)));
    /* An empty IEND always has this check. */
    CHECK_EQ(be32(out + size - 4), 0xae426082);
}

TEST(the_bound_holds_for_noise)
{
    static uint8_t noise[64 * 64 * 3], out[20000];
    uint32_t x = 1;

    CHECK(png_bound(64, 64) <= sizeof(out));
    for (size_t i = 0; i < sizeof(noise); i++) {
        x = x * 1664525u + 1013904223u;
        noise[i] = (uint8_t)(x >> 24);
    }
    CHECK(png_encode(noise, 64, 64, out) <= png_bound(64, 64));
}

CHECK_MAIN
