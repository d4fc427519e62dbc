/*
 * PSF2 fonts: checks a font file once, completely, and finds the glyph of a
 * code point by binary search. Pure but for the heap; loading needs thread
 * context, font_glyph works in any (a panic draws with it).
 */
#include <errno.h>
#include <string.h>

#include <rayos/framebuffer.h>
#include <rayos/log.h>
#include <rayos/mm.h>

/* The PSF2 header, eight little-endian words. */
enum psf2_word {
    PSF2_WORD_MAGIC,
    PSF2_WORD_VERSION,
    PSF2_WORD_HEADER_SIZE,
    PSF2_WORD_FLAGS,
    PSF2_WORD_GLYPHS,
    PSF2_WORD_GLYPH_SIZE,
    PSF2_WORD_HEIGHT,
    PSF2_WORD_WIDTH,
    PSF2_WORDS,
};

#define PSF2_MAGIC             0x864ab572u
#define PSF2_HAS_UNICODE_TABLE 1u
#define PSF2_END_OF_GLYPH      0xff /* ends a glyph's entry in the table */
#define PSF2_SEQUENCE          0xfe /* begins a sequence of code points */

#define FONT_MAX_DIMENSION 64
#define FONT_MAX_GLYPHS    0x20000

struct font_mapping {
    uint32_t codepoint;
    uint32_t glyph;
};

struct font {
    const uint8_t *glyphs;
    uint32_t glyph_count, glyph_size, bytes_per_row;
    struct font_metrics metrics;
    uint32_t mapping_count;
    struct font_mapping mapping[]; /* sorted by code point */
};

static int font_refuse(const char *field, uint64_t value)
{
    log_error("font", "PSF2 font refused: %s is %llu", field,
              (unsigned long long)value);
    return -EINVAL;
}

static int font_check_header(const uint32_t w[PSF2_WORDS], size_t size)
{
    uint64_t row = ((uint64_t)w[PSF2_WORD_WIDTH] + 7) / 8;

    if (w[PSF2_WORD_MAGIC] != PSF2_MAGIC)
        return font_refuse("magic", w[PSF2_WORD_MAGIC]);
    if (w[PSF2_WORD_VERSION] != 0)
        return font_refuse("version", w[PSF2_WORD_VERSION]);
    if (w[PSF2_WORD_HEADER_SIZE] < PSF2_WORDS * 4 ||
        w[PSF2_WORD_HEADER_SIZE] > size)
        return font_refuse("header size", w[PSF2_WORD_HEADER_SIZE]);
    if (!w[PSF2_WORD_WIDTH] || w[PSF2_WORD_WIDTH] > FONT_MAX_DIMENSION)
        return font_refuse("width", w[PSF2_WORD_WIDTH]);
    if (!w[PSF2_WORD_HEIGHT] || w[PSF2_WORD_HEIGHT] > FONT_MAX_DIMENSION)
        return font_refuse("height", w[PSF2_WORD_HEIGHT]);
    if (w[PSF2_WORD_GLYPH_SIZE] != row * w[PSF2_WORD_HEIGHT])
        return font_refuse("glyph size", w[PSF2_WORD_GLYPH_SIZE]);
    if (!w[PSF2_WORD_GLYPHS] || w[PSF2_WORD_GLYPHS] > FONT_MAX_GLYPHS)
        return font_refuse("number of glyphs", w[PSF2_WORD_GLYPHS]);
    if ((uint64_t)w[PSF2_WORD_GLYPHS] * w[PSF2_WORD_GLYPH_SIZE] >
        size - w[PSF2_WORD_HEADER_SIZE])
        return font_refuse("size of the file", size);
    if (!(w[PSF2_WORD_FLAGS] & PSF2_HAS_UNICODE_TABLE))
        return font_refuse("flags (no Unicode table)", w[PSF2_WORD_FLAGS]);
    return 0;
}

/* One UTF-8 character at *p, moved behind it; UINT32_MAX when malformed. */
static uint32_t utf8_next(const uint8_t **p, const uint8_t *end)
{
    uint32_t c = *(*p)++;
    unsigned more = c < 0x80   ? 0
                    : c < 0xc0 ? 9
                    : c < 0xe0 ? 1
                    : c < 0xf0 ? 2
                    : c < 0xf8 ? 3
                               : 9;

    if (more == 9 || (size_t)(end - *p) < more)
        return UINT32_MAX;
    c &= more ? 0x3fu >> more : 0x7f;
    while (more--) {
        if ((**p & 0xc0) != 0x80)
            return UINT32_MAX;
        c = c << 6 | (*(*p)++ & 0x3f);
    }
    return c;
}

/* Walk the Unicode table; with `out` NULL it only counts. Mappings, or -EINVAL.
 */
static int64_t font_read_table(const uint8_t *p, const uint8_t *end,
                               uint32_t glyphs, struct font_mapping *out)
{
    uint32_t glyph = 0, count = 0;
    bool sequence = false;

    while (p < end && glyph < glyphs) {
        if (*p == PSF2_END_OF_GLYPH) {
            glyph++;
            p++;
            sequence = false;
        } else if (*p == PSF2_SEQUENCE) {
            sequence = true;
            p++;
        } else {
            uint32_t c = utf8_next(&p, end);

            if (c == UINT32_MAX)
                return font_refuse("Unicode table: bad UTF-8 at glyph", glyph);
            if (sequence)
                continue; /* combinations are drawn by their first character */
            if (out)
                out[count] = (struct font_mapping){c, glyph};
            count++;
        }
    }
    if (glyph != glyphs)
        return font_refuse("Unicode table: number of entries", glyph);
    return count;
}

/* Shell sort: no recursion, and next to nothing to do on a sorted table. */
static void font_sort(struct font_mapping *m, uint32_t n)
{
    for (uint32_t gap = n / 2; gap; gap /= 2) {
        for (uint32_t i = gap; i < n; i++) {
            struct font_mapping x = m[i];
            uint32_t j = i;

            for (; j >= gap && m[j - gap].codepoint > x.codepoint; j -= gap)
                m[j] = m[j - gap];
            m[j] = x;
        }
    }
}

static bool font_is_sorted(const struct font_mapping *m, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        if (m[i - 1].codepoint > m[i].codepoint)
            return false;
    }
    return true;
}

int font_load(const void *data, size_t size, struct font **out)
{
    const uint8_t *bytes = data, *table;
    uint32_t w[PSF2_WORDS];
    struct font *f;
    int64_t count;
    int err;

    if (size < sizeof(w))
        return font_refuse("size of the file", size);
    memcpy(w, data, sizeof(w));
    err = font_check_header(w, size);
    if (err)
        return err;
    bytes += w[PSF2_WORD_HEADER_SIZE];
    table = bytes + (size_t)w[PSF2_WORD_GLYPHS] * w[PSF2_WORD_GLYPH_SIZE];
    count = font_read_table(table, (const uint8_t *)data + size,
                            w[PSF2_WORD_GLYPHS], NULL);
    if (count < 0)
        return (int)count;
    f = kalloc(sizeof(*f) + (size_t)count * sizeof(f->mapping[0]));
    if (!f)
        return -ENOMEM;
    *f = (struct font){
        .glyphs = bytes,
        .glyph_count = w[PSF2_WORD_GLYPHS],
        .glyph_size = w[PSF2_WORD_GLYPH_SIZE],
        .bytes_per_row = (w[PSF2_WORD_WIDTH] + 7) / 8,
        .metrics = {w[PSF2_WORD_WIDTH], w[PSF2_WORD_HEIGHT]},
        .mapping_count = (uint32_t)count,
    };
    font_read_table(table, (const uint8_t *)data + size, f->glyph_count,
                    f->mapping);
    if (!font_is_sorted(f->mapping, f->mapping_count))
        font_sort(f->mapping, f->mapping_count);
    *out = f;
    return 0;
}

void font_free(struct font *f)
{
    kfree(f);
}

struct font_metrics font_metrics(const struct font *f)
{
    return f->metrics;
}

const uint8_t *font_glyph(const struct font *f, uint32_t codepoint,
                          uint32_t *bytes_per_row)
{
    uint32_t low = 0, high = f->mapping_count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (f->mapping[mid].codepoint < codepoint)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == f->mapping_count || f->mapping[low].codepoint != codepoint)
        return NULL;
    *bytes_per_row = f->bytes_per_row;
    return f->glyphs + (size_t)f->mapping[low].glyph * f->glyph_size;
}
