/* sources: kernel/display/font.c kernel/display/glyph.c */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "check.h"
#include "kernel/display/glyph.h"
#include <rayos/framebuffer.h>
#include <rayos/log.h>
#include <rayos/mm.h>

static char last_log[256];

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    va_list ap;

    (void)level;
    (void)module;
    va_start(ap, fmt);
    vsnprintf(last_log, sizeof(last_log), fmt, ap);
    va_end(ap);
}

void *kalloc(size_t size)
{
    return malloc(size);
}

void kfree(void *p)
{
    free(p);
}

#define GLYPHS 3

/* An 8x4 font of three glyphs: 'A' and U+00C4 share the first; 'b'; U+4E00. */
struct psf {
    uint32_t header[8];
    uint8_t glyphs[GLYPHS][4];
    uint8_t table[32];
};

static size_t make_font(struct psf *p)
{
    static const uint8_t table[] = "A\xc3\x84\xff"
                                   "b\xfe"
                                   "bc\xff\xe4\xb8\x80\xff";

    *p = (struct psf){
        .header = {0x864ab572, 0, 32, 1, GLYPHS, 4, 4, 8},
        .glyphs = {{0xf0, 0, 0, 0}, {0x81, 0x42, 0x24, 0x18}, {1, 2, 4, 8}},
    };
    memcpy(p->table, table, sizeof(table) - 1);
    return offsetof(struct psf, table) + sizeof(table) - 1;
}

TEST(a_good_font_gives_its_glyphs_by_code_point)
{
    struct psf p;
    size_t size = make_font(&p);
    struct font *f;
    uint32_t row;

    CHECK_EQ(font_load(&p, size, &f), 0);
    CHECK_EQ(font_metrics(f).width, 8);
    CHECK_EQ(font_metrics(f).height, 4);
    CHECK(font_glyph(f, 'A', &row) == p.glyphs[0]);
    CHECK(font_glyph(f, 0xc4, &row) == p.glyphs[0]);
    CHECK(font_glyph(f, 'b', &row) == p.glyphs[1]);
    CHECK(font_glyph(f, 0x4e00, &row) == p.glyphs[2]);
    CHECK_EQ(row, 1);
    CHECK(font_glyph(f, 'c', &row) == NULL);
    CHECK(font_glyph(f, 0xffffffff, &row) == NULL);
    font_free(f);
}

TEST(every_damaged_header_field_is_refused_by_name)
{
    static const struct {
        int word;
        uint32_t value;
        const char *named;
    } cases[] = {
        {0, 1, "magic"},           {1, 1, "version"},
        {2, 31, "header size"},    {2, 0xffffffff, "header size"},
        {3, 0, "flags"},           {4, 0, "number of glyphs"},
        {4, 0x1fff0, "size of"},   {4, 0xffffffff, "number of glyphs"},
        {5, 5, "glyph size"},      {6, 0, "height"},
        {6, 0xffffffff, "height"}, {7, 0, "width"},
        {7, 0xfffffff9, "width"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct psf p;
        size_t size = make_font(&p);
        struct font *f;

        p.header[cases[i].word] = cases[i].value;
        CHECK_EQ(font_load(&p, size, &f), -EINVAL);
        CHECK(strstr(last_log, cases[i].named) != NULL);
    }
}

TEST(a_font_cut_short_anywhere_is_refused)
{
    struct psf p;
    size_t size = make_font(&p);

    for (size_t n = 0; n < size; n++) {
        void *copy = malloc(n ? n : 1); /* so that ASan sees a read beyond */
        struct font *f;

        memcpy(copy, &p, n);
        CHECK_EQ(font_load(copy, n, &f), -EINVAL);
        free(copy);
    }
}

TEST(malformed_utf8_in_the_table_is_refused)
{
    struct psf p;
    size_t size = make_font(&p);
    struct font *f;

    p.table[1] = 0x80;
    CHECK_EQ(font_load(&p, size, &f), -EINVAL);
    CHECK(strstr(last_log, "UTF-8") != NULL);
}

static const uint8_t half_rows[2] = {0xf0, 0x0f};

TEST(a_glyph_of_the_cells_size_is_copied_bit_by_bit)
{
    uint32_t pixels[3][10] = {{0}};
    struct glyph_bitmap b = {half_rows, 1, 8, 2}, none = {.rows = NULL};
    struct glyph_cell c = {&pixels[0][1], 10, 8, 2, 0xffffff, 0x112233};

    glyph_draw(&c, &b, &none);
    CHECK_EQ(pixels[0][0], 0); /* nothing outside of the cell */
    CHECK_EQ(pixels[0][9], 0);
    CHECK_EQ(pixels[2][1], 0);
    CHECK_EQ(pixels[0][1], 0xffffff);
    CHECK_EQ(pixels[0][4], 0xffffff);
    CHECK_EQ(pixels[0][5], 0x112233);
    CHECK_EQ(pixels[1][4], 0x112233);
    CHECK_EQ(pixels[1][8], 0xffffff);
}

TEST(a_scaled_glyph_covers_the_same_share_of_its_cell)
{
    uint32_t pixels[3][12];
    struct glyph_bitmap b = {half_rows, 1, 8, 2}, none = {.rows = NULL};
    struct glyph_cell c = {&pixels[0][0], 12, 12, 3, 0x0000ff, 0};
    uint32_t sum = 0;

    glyph_draw(&c, &b, &none);
    CHECK_EQ(pixels[0][0], 0xff);
    CHECK_EQ(pixels[0][11], 0);
    CHECK_EQ(pixels[2][0], 0);
    CHECK_EQ(pixels[2][11], 0xff);
    CHECK_EQ(pixels[1][0], 0x7f); /* half of each bitmap row */
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 12; x++)
            sum += pixels[y][x];
    CHECK(sum > 36 * 255 / 2 - 36 && sum <= 36 * 255 / 2);
}

TEST(a_combining_mark_is_drawn_over_its_base)
{
    static const uint8_t base_rows[2] = {0x80, 0}, mark_rows[2] = {0, 1};
    uint32_t pixels[2][8];
    struct glyph_bitmap base = {base_rows, 1, 8, 2},
                        mark = {mark_rows, 1, 8, 2};
    struct glyph_cell c = {&pixels[0][0], 8, 8, 2, 0x00ff00, 0};

    glyph_draw(&c, &base, &mark);
    CHECK_EQ(pixels[0][0], 0xff00);
    CHECK_EQ(pixels[1][7], 0xff00);
    CHECK_EQ(pixels[0][7], 0);
}

CHECK_MAIN
