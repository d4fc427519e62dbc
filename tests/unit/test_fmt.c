/* sources: kernel/core/fmt.c */
/*
 * The formatter says what the C library's printf says, for all it knows; what
 * it does not know is copied.
 */
#include "check.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include <rayos/fmt.h>

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-security"

/* Compare with the host, in whole and cut to every length. */
static void same(const char *f, ...)
{
    char ours[512], theirs[512];
    va_list ap, again;
    int n, m;

    va_start(ap, f);
    va_copy(again, ap);
    n = vsnprintf(theirs, sizeof(theirs), f, ap);
    m = fmt_vsnprintf(ours, sizeof(ours), f, again);
    va_end(again);
    va_end(ap);
    if (n != m || strcmp(ours, theirs) != 0)
        CHECK_FAIL("\"%s\": \"%s\" (%d), expected \"%s\" (%d)", f, ours, m,
                   theirs, n);
}

TEST(integers_of_all_lengths_print_like_printf)
{
    same("%d %i %u", -1, INT_MIN, UINT_MAX);
    same("%hhd %hd %ld %lld", 300, 70000, LONG_MIN, LLONG_MIN);
    same("%hhu %hu %lu %llu", 300, 70000, ULONG_MAX, ULLONG_MAX);
    same("%zu %zd %td %jd %ju", SIZE_MAX, (ssize_t)-5, (ptrdiff_t)-6,
         INTMAX_MIN, UINTMAX_MAX);
    same("%x %X %o %lx", 0xabcu, 0xABCu, 0777u, ULONG_MAX);
}

TEST(every_combination_of_flags_width_and_precision_is_like_printf)
{
    static const char *const conversions[] = {"d", "u", "x", "X", "o", "ld"};
    static const long values[] = {0, 1, -1, 7, 12345, -12345};

    for (int flags = 0; flags < 32; flags++)
        for (int width = -1; width < 9; width++)
            for (int precision = -2; precision < 9; precision++)
                for (size_t c = 0; c < 6; c++)
                    for (size_t v = 0; v < 6; v++) {
                        char f[32];
                        int n = 0;

                        f[n++] = '%';
                        for (int i = 0; i < 5; i++)
                            if (flags >> i & 1)
                                f[n++] = "-0+ #"[i];
                        if (width >= 0)
                            n += sprintf(f + n, "%d", width);
                        if (precision == -1)
                            f[n++] = '.';
                        else if (precision >= 0)
                            n += sprintf(f + n, ".%d", precision);
                        sprintf(f + n, "%s", conversions[c]);
                        same(f, values[v]);
                    }
}

TEST(strings_and_characters_are_padded_and_cut)
{
    same("[%s] [%10s] [%-10s] [%.2s] [%8.3s] [%.0s]", "abc", "abc", "abc",
         "abc", "abcdef", "x");
    same("[%c] [%5c] [%-5c] %%", 'x', 'y', 'z');
    same("[%*d] [%-*d] [%*d] [%.*d] [%.*s]", 5, 1, 5, 2, -5, 3, 4, 4, 2, "abc");
    same("[%.*d]", -3, 5);
}

TEST(a_string_with_a_precision_need_not_end)
{
    char s[3] = {'a', 'b', 'c'}, out[8];

    CHECK_EQ(fmt_snprintf(out, sizeof(out), "%.3s", s), 3);
    CHECK_STR(out, "abc");
}

TEST(null_pointers_are_harmless)
{
    char *volatile nothing = NULL;
    char out[64];

    fmt_snprintf(out, sizeof(out), "%s %p", nothing, NULL);
    CHECK_STR(out, "(null) 0x0");
    fmt_snprintf(out, sizeof(out), "%p", (void *)0xffff8000deadbeef);
    CHECK_STR(out, "0xffff8000deadbeef");
}

TEST(the_result_is_cut_and_terminated_and_its_full_length_returned)
{
    for (size_t size = 0; size < 12; size++) {
        char out[16];

        memset(out, '#', sizeof(out));
        CHECK_EQ(fmt_snprintf(out, size, "%s-%d", "abcd", 1234), 9);
        CHECK_EQ(out[size], '#');
        if (size) {
            CHECK_EQ(strlen(out), size - 1 < 9 ? size - 1 : 9);
            CHECK(strncmp(out, "abcd-1234", strlen(out)) == 0);
        }
    }
    CHECK_EQ(fmt_snprintf(NULL, 0, "%100d", 1), 100);
}

TEST(unknown_conversions_are_copied)
{
    char out[64];

    fmt_snprintf(out, sizeof(out), "%k %-5lq %");
    CHECK_STR(out, "%k %-5lq %");
    fmt_snprintf(out, sizeof(out), "100%");
    CHECK_STR(out, "100%");
}

/* Not known to the compiler, which would object. */
static const char *volatile absurd = "%99999999999999d|%.*d";

TEST(absurd_widths_are_bounded)
{
    static char out[300000];
    volatile int least = INT_MIN;
    int n = fmt_snprintf(out, sizeof(out), absurd, 1, INT_MAX, 2);

    CHECK(n > 1000 && n < (int)sizeof(out));
    CHECK_EQ(n, strlen(out));
    fmt_snprintf(out, sizeof(out), "%*d|", least, 1);
    CHECK(strncmp(out, "1   ", 4) == 0);
}

CHECK_MAIN
