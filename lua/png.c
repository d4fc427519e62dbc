/*
 * A small PNG writer: each line is stored as its difference to the one above
 * (filter 2), and runs of one byte become deflate matches at distance 1, in
 * one block with the fixed codes of RFC 1951, 3.2.6. Pure: any context.
 */
#include "lua/png.h"

#include <string.h>

/* RFC 1951, 3.2.5: length codes without extra bits, and the longest match. */
#define DEFLATE_END        256u
#define DEFLATE_LENGTH_3   257u
#define DEFLATE_LENGTH_258 285u
#define MATCH_MIN          3u
#define MATCH_PLAIN_MAX    10u
#define MATCH_MAX          258u

/* Signature, IHDR, IDAT's frame, zlib's header and check, IEND. */
#define PNG_FRAME 128u

#define ADLER_MODULUS 65521u /* RFC 1950, 8.2 */

struct png_writer {
    uint8_t *out;
    uint32_t bits, bit_count; /* not yet written */
    uint32_t adler_a, adler_b;
    uint32_t last, run; /* the byte that repeats, how often beyond the first */
};

size_t png_bound(uint32_t width, uint32_t height)
{
    size_t raw = ((size_t)width * 3 + 1) * height;

    return raw + raw / 8 + PNG_FRAME; /* 9 bits for a literal at worst */
}

/* --- deflate --- */

static void put_bits(struct png_writer *w, uint32_t value, uint32_t count)
{
    w->bits |= value << w->bit_count;
    w->bit_count += count;
    for (; w->bit_count >= 8; w->bit_count -= 8) {
        *w->out++ = (uint8_t)w->bits;
        w->bits >>= 8;
    }
}

/* Huffman codes go out from their most significant bit. */
static void put_code(struct png_writer *w, uint32_t code, uint32_t count)
{
    uint32_t reversed = 0;

    for (uint32_t i = 0; i < count; i++)
        reversed |= (code >> i & 1) << (count - 1 - i);
    put_bits(w, reversed, count);
}

/* A literal, length code or end, by the table of RFC 1951, 3.2.6. */
static void put_symbol(struct png_writer *w, uint32_t symbol)
{
    if (symbol < 144)
        put_code(w, 0x30 + symbol, 8);
    else if (symbol < 256)
        put_code(w, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        put_code(w, symbol - 256, 7);
    else
        put_code(w, 0xc0 + symbol - 280, 8);
}

static void flush_run(struct png_writer *w)
{
    while (w->run >= MATCH_MIN) {
        uint32_t n = w->run >= MATCH_MAX        ? MATCH_MAX
                     : w->run > MATCH_PLAIN_MAX ? MATCH_PLAIN_MAX
                                                : w->run;

        put_symbol(w, n == MATCH_MAX ? DEFLATE_LENGTH_258
                                     : DEFLATE_LENGTH_3 + n - MATCH_MIN);
        put_code(w, 0, 5); /* distance 1 */
        w->run -= n;
    }
    for (; w->run; w->run--)
        put_symbol(w, w->last);
}

static void put_byte(struct png_writer *w, uint8_t byte)
{
    w->adler_a += byte;
    if (w->adler_a >= ADLER_MODULUS)
        w->adler_a -= ADLER_MODULUS;
    w->adler_b += w->adler_a;
    if (w->adler_b >= ADLER_MODULUS)
        w->adler_b -= ADLER_MODULUS;
    if (byte == w->last) {
        w->run++;
        return;
    }
    flush_run(w);
    put_symbol(w, byte);
    w->last = byte;
}

/* --- the file --- */

static uint8_t *put_be32(uint8_t *out, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *out++ = (uint8_t)(value >> shift);
    return out;
}

/* The CRC of PNG's annex D. */
static uint32_t crc_of(const uint8_t *data, size_t size)
{
    uint32_t table[256], crc = 0xffffffffu;

    for (uint32_t i = 0; i < 256; i++) {
        table[i] = i;
        for (int bit = 0; bit < 8; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
    }
    while (size--)
        crc = table[(crc ^ *data++) & 0xff] ^ crc >> 8;
    return ~crc;
}

/* Put length and check around a chunk whose type and data stand at out + 4 and
 * go up to `end`; the place after it. */
static uint8_t *close_chunk(uint8_t *out, uint8_t *end)
{
    put_be32(out, (uint32_t)(end - out - 8));
    return put_be32(end, crc_of(out + 4, (size_t)(end - out - 4)));
}

static uint8_t *put_header(uint8_t *out, uint32_t width, uint32_t height)
{
    static const uint8_t signature[] = "\x89PNG\r\n\x1a\n";
    /* 8 bits, RGB, deflate, the standard filters, not interlaced */
    static const uint8_t kind[] = {8, 2, 0, 0, 0};
    uint8_t *chunk = out + 8;

    memcpy(out, signature, 8);
    memcpy(chunk + 4, "IHDR", 4);
    put_be32(chunk + 8, width);
    put_be32(chunk + 12, height);
    memcpy(chunk + 16, kind, sizeof(kind));
    return close_chunk(chunk, chunk + 16 + sizeof(kind));
}

static uint8_t *put_pixels(uint8_t *out, const uint8_t *rgb, uint32_t width,
                           uint32_t height)
{
    /* No byte was seen: nothing equals `last`. */
    struct png_writer w = {.out = out, .adler_a = 1, .last = 256};
    size_t line = (size_t)width * 3;

    *w.out++ = 0x78; /* RFC 1950, 2.2: deflate, 32 KiB window */
    *w.out++ = 0x01;
    put_bits(&w, 3, 3); /* the last block, fixed codes */
    for (uint32_t y = 0; y < height; y++, rgb += line) {
        put_byte(&w, y ? 2 : 0);
        for (size_t i = 0; i < line; i++)
            put_byte(&w, (uint8_t)(rgb[i] - (y ? rgb[i - line] : 0)));
    }
    flush_run(&w);
    put_symbol(&w, DEFLATE_END);
    put_bits(&w, 0, 7); /* the last byte is filled up */
    return put_be32(w.out, w.adler_b << 16 | w.adler_a);
}

size_t png_encode(const uint8_t *rgb, uint32_t width, uint32_t height,
                  uint8_t *out)
{
    uint8_t *chunk = put_header(out, width, height);

    memcpy(chunk + 4, "IDAT", 4);
    chunk = close_chunk(chunk, put_pixels(chunk + 8, rgb, width, height));
    memcpy(chunk + 4, "IEND", 4);
    return (size_t)(close_chunk(chunk, chunk + 8) - out);
}
