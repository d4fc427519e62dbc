/* sources: lua/number.c */
#include <stdlib.h>

#include "check.h"
#include "lua/number.h"

static char text[400000];

/* number_parse and the C library's strtod agree in value and end. */
static void check_same(const char *s)
{
    char *end_a, *end_b;
    double a = number_parse(s, &end_a), b = strtod(s, &end_b);

    CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    CHECK_EQ(end_a - s, end_b - s);
}

static const char *repeat(const char *head, char c, size_t n, const char *tail)
{
    size_t at = strlen(head);

    memcpy(text, head, at);
    memset(text + at, c, n);
    strcpy(text + at + n, tail);
    return text;
}

TEST(short_numerals_are_as_before)
{
    static const char *const cases[] = {
        "0",      "-1.5", "  3e4x", "0x1p4", "1e400", "-1e-400", "",
        "e5",     ".",    ".5.5",   "1e",    "1e+",   "nan",     "-inf",
        "1.e-3x", "+7",   "--1",    "0x",    "1_000",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        check_same(cases[i]);
}

TEST(long_numerals_round_the_same)
{
    static const char *const heads[] = {"", "-", "1.", "0.", "  -0.000", "5e"};
    static const char *const tails[] = {
        "", "e-5", "e300", "e-700", "e", "e+-1", ".5.5", "x", "e99999999999"};

    for (size_t h = 0; h < sizeof(heads) / sizeof(*heads); h++)
        for (size_t t = 0; t < sizeof(tails) / sizeof(*tails); t++)
            for (char c = '0'; c <= '9'; c += 3)
                for (size_t n = 790; n < 1600; n += 101)
                    check_same(repeat(heads[h], c, n, tails[t]));
}

TEST(the_last_digit_of_a_midpoint_counts)
{
    /* 2^53 + 1 lies between two doubles. */
    check_same(repeat("9007199254740993.", '0', 5000, ""));
    check_same(repeat("9007199254740993.", '0', 5000, "1"));
    check_same(repeat("9007199254740993", '0', 5000, "1e-5001"));
    /* 1 + 2^-53, exactly and a little above. */
    check_same(repeat("1.00000000000000011102230246251565404236316680908203125",
                      '0', 2000, ""));
    check_same(repeat("1.00000000000000011102230246251565404236316680908203125",
                      '0', 2000, "1"));
}

TEST(many_leading_zeros_and_a_large_exponent_meet)
{
    check_same(repeat("0.", '0', 300000, "123e300001"));
    check_same(repeat("1", '0', 300000, "e-299999"));
    check_same(repeat("", '0', 300000, ""));
}

CHECK_MAIN
