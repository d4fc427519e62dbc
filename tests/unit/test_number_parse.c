/* sources: kernel/libc/number_parse.c kernel/libc/number_decimal.c */
/* The host's strtod says what is right. */
#include "check.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/libc/number.h"

static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t random_bits(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double random_double(void)
{
    uint64_t bits = random_bits();
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static void check_same(const char *text)
{
    char *host_end;
    const char *end;
    bool range = false;
    double host = strtod(text, &host_end);
    double ours = libc_number_parse(text, &end, &range);

    if (bits_of(ours) != bits_of(host) || end != host_end)
        CHECK_FAIL("'%.60s' is %a (%d characters), not %a (%d)", text, host,
                   (int)(host_end - text), ours, (int)(end - text));
}

TEST(syntax_is_that_of_strtod)
{
    static const char *const texts[] = {
        "",      "0x",     "0x.",      "0x.p1",     "0xp1",      "0x1p",
        "0x1p+", "0x1pz",  "1e",       "1e+",       "1e-",       ".",
        "-.",    "+.5",    "-.5e",     "0x.8",      "0x8.",      "  0x10",
        "\t 1",  "- 1",    "--1",      "+-1",       "1..2",      "0x1.8.8",
        "inf",   "-INF",   "infinity", "infinit",   "nan",       "nan(",
        "00x1",  "1e5.5",  "1,5",      "0x-1",      "1e+-1",     "\v1",
        "-0",    "-0x0p9", "0e99",     "-0.0e-999", "000012.50", "1e00001",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_same(texts[i]);
}

TEST(the_ends_of_the_range_are_rounded_right)
{
    static const char *const texts[] = {
        "1e400",
        "-1e400",
        "1e-400",
        "-1e-400",
        "5e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "0x1p-1074",
        "0x1p-1075",
        "0x1.8p-1075",
        "0x1p-1076",
        "0x1p1023",
        "0x1p1024",
        "0x1.fffffffffffff7ffffffffp1023",
        "0x1.fffffffffffff8p1023",
        "0x0.fffffffffffff8p-1022",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "0x1p99999999999999999999",
        "0x1p-99999999999999999999",
        "0e99999999999999999999",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_same(texts[i]);
}

TEST(what_printf_writes_comes_back)
{
    static const char *const formats[] = {"%.17g", "%.14g", "%.5e", "%.25e",
                                          "%a",    "%.3a",  "%f"};
    char text[512];

    for (int i = 0; i < 70000; i++) {
        double x = random_double();

        snprintf(text, sizeof text, formats[i % 7], x);
        if (!isnan(x))
            check_same(text);
    }
}

/* Between two doubles, and a little beside that: all digits count. */
TEST(halves_go_to_the_even_neighbour)
{
    char text[1500];

    for (int i = 0; i < 3000; i++) {
        double x = fabs(random_double());
        long double half;
        int length;

        if (i % 3 == 0) /* subnormal */
            x = (double)(random_bits() >> 12) * 0x1p-1074;
        if (!isfinite(x))
            continue;
        half = ((long double)x + (long double)nextafter(x, INFINITY)) / 2;
        length = snprintf(text, sizeof text, "%.1100Lf", half);
        check_same(text);
        text[length - 1] = '1';
        check_same(text);
        snprintf(text, sizeof text, "%La", half);
        check_same(text);
    }
}

TEST(digits_beyond_all_sense_count_as_more_than_nothing)
{
    static char text[100000];
    size_t length = sizeof text - 1;

    memset(text, '0', length);
    memcpy(text, "9007199254740993.0", 18); /* 2^53 + 1: a half */
    check_same(text);
    text[length - 1] = '1';
    check_same(text);
    memset(text, '9', length);
    check_same(text);
    memset(text, '0', length);
    text[0] = '.';
    memcpy(text + length - 8, "1e99990", 8);
    check_same(text);
    memcpy(text, "0x.", 3);
    memcpy(text + length - 12, "123p+399950", 12);
    check_same(text);
}

TEST(results_outside_of_the_range_are_told)
{
    static const char *const out[] = {"1e309", "-1e-330", "1e-310", "0x1p2000"};
    static const char *const in[] = {"1e308", "0", "0x1p-1074", "2.5e-308"};
    const char *end;
    bool range;

    for (size_t i = 0; i < 4; i++) {
        range = false;
        libc_number_parse(out[i], &end, &range);
        CHECK(range);
        range = false;
        libc_number_parse(in[i], &end, &range);
        CHECK(!range);
    }
}

CHECK_MAIN
