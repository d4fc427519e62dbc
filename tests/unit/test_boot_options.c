/* sources: kernel/boot/options.c */
/* How boot.cfg and load options become one command line. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "kernel/boot/options.h"

#define MAX 64

static char cmdline[MAX];
static unsigned line;

static int add_file_bytes(const char *text, size_t size)
{
    char *exact = malloc(size ? size : 1);
    int result;

    memcpy(exact, text, size);
    result = options_add_file(cmdline, MAX, exact, size, &line);
    free(exact);
    return result;
}

static int add_file(const char *text)
{
    return add_file_bytes(text, strlen(text));
}

/* `text` as UTF-16, `extra` bytes cut from or added to its size. */
static int add_options(const char *text, int extra)
{
    size_t n = strlen(text);
    uint8_t *wide = calloc(n + 1, 2);
    int result;

    for (size_t i = 0; i < n; i++)
        wide[2 * i] = (uint8_t)text[i];
    result = options_add_utf16(cmdline, MAX, wide,
                               (size_t)((int)(2 * n) + extra));
    free(wide);
    return result;
}

static const char *get(const char *text, const char *name)
{
    static char value[16];

    return options_get(text, name, value, sizeof(value)) ? value : "(none)";
}

TEST(lines_are_joined_and_comments_dropped)
{
    cmdline[0] = '\0';
    CHECK_EQ(add_file("# first\r\n a=1\t b \n\n#\nc#d e # f\n"), 0);
    CHECK_STR(cmdline, "a=1 b c#d e");
    CHECK_EQ(add_file("more"), 0);
    CHECK_STR(cmdline, "a=1 b c#d e more");
}

TEST(a_quoted_value_keeps_blanks_and_number_signs)
{
    cmdline[0] = '\0';
    CHECK_EQ(add_file("x=\"a  # b\" y"), 0);
    CHECK_STR(cmdline, "x=\"a  # b\" y");
}

TEST(a_byte_order_mark_is_skipped_and_an_empty_file_is_fine)
{
    cmdline[0] = '\0';
    CHECK_EQ(add_file("\xef\xbb\xbfquiet"), 0);
    CHECK_STR(cmdline, "quiet");
    CHECK_EQ(add_file(""), 0);
    CHECK_EQ(add_file("\n \n"), 0);
    CHECK_STR(cmdline, "quiet");
}

TEST(a_bad_line_is_named_and_adds_nothing)
{
    cmdline[0] = '\0';
    CHECK_EQ(add_file("good\nx=\"open\n"), -EINVAL);
    CHECK_EQ(line, 2);
    CHECK_STR(cmdline, "good");
    CHECK_EQ(add_file_bytes("a\0b", 3), -EINVAL);
    CHECK_EQ(add_file_bytes("\xff\xfeq\0u\0", 6), -EINVAL);
    CHECK_EQ(add_file("esc\x1b[2J"), -EINVAL);
    CHECK_STR(cmdline, "good");
}

TEST(the_size_limit_is_exact)
{
    char text[MAX + 1];

    memset(text, 'a', sizeof(text));
    cmdline[0] = '\0';
    CHECK_EQ(add_file_bytes(text, MAX - 1), 0);
    CHECK_EQ(strlen(cmdline), MAX - 1);
    CHECK_EQ(add_file("b"), -E2BIG);
    CHECK_EQ(strlen(cmdline), MAX - 1);
    cmdline[0] = '\0';
    CHECK_EQ(add_file_bytes(text, MAX), -E2BIG);
    CHECK_STR(cmdline, "");
    CHECK_EQ(add_file_bytes(text, MAX - 2), 0);
    CHECK_EQ(add_file("b"), -E2BIG); /* the blank would fit, the b not */
}

TEST(load_options_are_appended_without_the_name_of_the_image)
{
    strcpy(cmdline, "a");
    CHECK_EQ(add_options("FS0:\\EFI\\BOOT\\BOOTX64.EFI b=2  c", 0), 0);
    CHECK_STR(cmdline, "a b=2 c");
    CHECK_EQ(add_options("\"my dir\\x.efi\" d", 2), 0);
    CHECK_STR(cmdline, "a b=2 c d");
    CHECK_EQ(add_options("bootx64.efi", 0), 0);
    CHECK_EQ(add_options("e x.efi", -1), 0); /* half a character is none */
    CHECK_STR(cmdline, "a b=2 c d e x.ef");
}

TEST(load_options_that_are_no_text_are_refused)
{
    static const uint8_t binary[] = {0x20, 0x00, 0x01, 0x00, 0x99, 0x12};

    strcpy(cmdline, "a");
    CHECK_EQ(options_add_utf16(cmdline, MAX, binary, sizeof(binary)), -EILSEQ);
    CHECK_EQ(add_options("x=\"", 0), -EINVAL);
    CHECK_EQ(options_add_utf16(cmdline, MAX, binary, 0), 0);
    CHECK_STR(cmdline, "a");
}

TEST(load_options_without_end_are_refused)
{
    size_t size = 2 << 20;
    uint8_t *wide = calloc(size, 1);

    for (size_t i = 0; i < size; i += 2)
        wide[i] = 'x';
    cmdline[0] = '\0';
    CHECK_EQ(options_add_utf16(cmdline, MAX, wide, size), -E2BIG);
    CHECK_STR(cmdline, "");
    free(wide);
}

TEST(the_last_word_of_a_name_wins)
{
    const char *text = "video=1x1 headless video=\"800x600\" videos=3";

    CHECK_STR(get(text, "video"), "800x600");
    CHECK_STR(get(text, "headless"), "");
    CHECK_STR(get(text, "head"), "(none)");
    CHECK_STR(get(text, "800x600\""), "(none)");
    CHECK_STR(get("", "video"), "(none)");
}

TEST(words_inside_quotes_are_no_words)
{
    CHECK_STR(get("x=\"a headless b\"", "headless"), "(none)");
    CHECK_STR(get("x=\"a headless", "headless"), "(none)");
}

TEST(a_long_value_is_cut)
{
    CHECK_STR(get("x=0123456789abcdefghij", "x"), "0123456789abcde");
}

CHECK_MAIN
