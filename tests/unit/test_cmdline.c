/* sources: kernel/core/cmdline.c */
/* Words, values, quotes and numbers of the command line. */
#include "check.h"

#include <stdarg.h>
#include <stdbool.h>

#include <rayos/boot_info.h>
#include <rayos/cmdline.h>
#include <rayos/log.h>

static int complaints;

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)level;
    (void)module;
    (void)fmt;
    complaints++;
}

TEST(before_the_start_there_is_nothing)
{
    CHECK(!cmdline_has("x"));
    CHECK_STR(cmdline_text(), "");
}

TEST(words_are_names_with_or_without_values)
{
    cmdline_init("  quiet log=serial\tempty= x=a=b \n");
    CHECK(cmdline_has("quiet"));
    CHECK_STR(cmdline_get("quiet"), "");
    CHECK_STR(cmdline_get("log"), "serial");
    CHECK_STR(cmdline_get("empty"), "");
    CHECK_STR(cmdline_get("x"), "a=b");
    CHECK(!cmdline_has("serial"));
    CHECK(!cmdline_has("qui"));
    CHECK(!cmdline_has(""));
    CHECK(cmdline_get("quiet2") == NULL);
    CHECK_STR(cmdline_text(), "  quiet log=serial\tempty= x=a=b \n");
}

TEST(a_later_word_wins)
{
    cmdline_init("a=1 b a=2 b=3 a");
    CHECK_STR(cmdline_get("a"), "");
    CHECK_STR(cmdline_get("b"), "3");
}

TEST(quotes_hold_blanks_together)
{
    cmdline_init("run=\"print(1) print(2)\" next t=a\"b c\"d open=\"x y");
    CHECK_STR(cmdline_get("run"), "print(1) print(2)");
    CHECK(cmdline_has("next"));
    CHECK_STR(cmdline_get("t"), "ab cd");
    CHECK_STR(cmdline_get("open"), "x y");
    CHECK(!cmdline_has("print(2)"));
}

TEST(numbers_have_bases_and_suffixes)
{
    cmdline_init("a=12 b=0x1F c=4K d=3M e=2G f=0x10k z=0");
    CHECK_EQ(cmdline_number("a", 0), 12);
    CHECK_EQ(cmdline_number("b", 0), 31);
    CHECK_EQ(cmdline_number("c", 0), 4096);
    CHECK_EQ(cmdline_number("d", 0), 3 << 20);
    CHECK_EQ(cmdline_number("e", 0), 2LL << 30);
    CHECK_EQ(cmdline_number("f", 0), 16384);
    CHECK_EQ(cmdline_number("z", 9), 0);
    CHECK_EQ(cmdline_number("none", 77), 77);
    CHECK_EQ(complaints, 0);
}

TEST(what_is_no_number_is_reported_and_the_fallback_taken)
{
    static const char *const wrong[] = {"n",
                                        "n=",
                                        "n=x",
                                        "n=0x",
                                        "n=12q",
                                        "n=1KK",
                                        "n=-1",
                                        "n=K",
                                        "n=1.5",
                                        "n=18446744073709551616",
                                        "n=0x10000000000000000",
                                        "n=18446744073709551615K"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        complaints = 0;
        cmdline_init(wrong[i]);
        CHECK_EQ(cmdline_number("n", 5), 5);
        CHECK_EQ(complaints, 1);
    }
    cmdline_init("n=18446744073709551615");
    CHECK(cmdline_number("n", 5) == UINT64_MAX);
}

TEST(the_longest_line_fits_however_it_is_cut)
{
    char line[BOOT_CMDLINE_MAX + 100];

    for (size_t i = 0; i < sizeof(line) - 1; i++)
        line[i] = i % 2 ? ' ' : 'a';
    line[sizeof(line) - 1] = '\0';
    cmdline_init(line);
    CHECK(cmdline_has("a"));
    CHECK_EQ(strlen(cmdline_text()), BOOT_CMDLINE_MAX - 1);
    memset(line, '=', sizeof(line) - 1);
    cmdline_init(line);
    CHECK_EQ(strlen(cmdline_get("")), BOOT_CMDLINE_MAX - 2);
}

CHECK_MAIN
