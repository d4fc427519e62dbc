/* sources: kernel/core/tty_line.c */
#include <string.h>

#include <rayos/tty_line.h>

#include "check.h"

static struct tty_line line;
static char shown[8192]; /* the echo of all that was typed */
static size_t shown_length;

static void begin(void)
{
    memset(&line, 0, sizeof(line));
    shown_length = 0;
    shown[0] = '\0';
}

/* Type bytes until the line ends; the last answer. */
static enum tty_line_result type_bytes(const char *p, size_t size)
{
    enum tty_line_result r = TTY_LINE_MORE;

    for (size_t i = 0; i < size && r == TTY_LINE_MORE; i++) {
        char echo[TTY_ECHO_SIZE];
        size_t n;

        r = tty_line_input(&line, (uint8_t)p[i], echo, &n);
        if (shown_length + n < sizeof(shown)) {
            memcpy(shown + shown_length, echo, n);
            shown_length += n;
            shown[shown_length] = '\0';
        }
    }
    return r;
}

static enum tty_line_result type(const char *text)
{
    return type_bytes(text, strlen(text));
}

static void check_line(const char *expected)
{
    char text[TTY_LINE_SIZE + 1];

    memcpy(text, line.text, line.length);
    text[line.length] = '\0';
    CHECK_STR(text, expected);
}

TEST(a_line_is_echoed_and_ends_with_a_newline)
{
    begin();
    CHECK_EQ(type("hello"), TTY_LINE_MORE);
    CHECK_EQ(type("\r"), TTY_LINE_DONE);
    check_line("hello\n");
    CHECK_STR(shown, "hello\n");
    begin();
    CHECK_EQ(type("\n"), TTY_LINE_DONE);
    check_line("\n");
}

TEST(return_and_line_feed_together_end_one_line)
{
    begin();
    CHECK_EQ(type("a\r"), TTY_LINE_DONE);
    tty_line_reset(&line);
    CHECK_EQ(type("\nb"), TTY_LINE_MORE);
    check_line("b");
    CHECK_EQ(type("\n"), TTY_LINE_DONE);
    tty_line_reset(&line);
    CHECK_EQ(type("\n"), TTY_LINE_DONE);
    check_line("\n");
}

TEST(backspace_erases_one_character)
{
    begin();
    type("abc\x7f\b");
    check_line("a");
    CHECK_STR(shown, "abc\b \b\b \b");
    type("\x7f\x7f\x7f");
    check_line("");
    CHECK_STR(shown, "abc\b \b\b \b\b \b");
}

TEST(backspace_takes_all_bytes_and_columns_of_a_character)
{
    begin();
    type("\xc3\xa4\x7f");
    check_line("");
    CHECK_STR(shown, "\xc3\xa4\b \b");
    begin(); /* U+4E16, two columns */
    type("\xe4\xb8\x96\x7f");
    check_line("");
    CHECK_STR(shown, "\xe4\xb8\x96\b \b\b \b");
    begin(); /* U+1F600, two columns */
    type("x\xf0\x9f\x98\x80\x7f");
    check_line("x");
    CHECK_STR(shown, "x\xf0\x9f\x98\x80\b \b\b \b");
    begin(); /* a combining acute: no column of its own */
    type("e\xcc\x81\x7f");
    check_line("e");
    CHECK_STR(shown, "e\xcc\x81");
}

TEST(malformed_utf8_is_erased_without_reading_beyond)
{
    begin();
    type("\x80\x80\x80\x80\x80\x80\x7f");
    check_line("");
    type("a\xff\x7f");
    check_line("a");
    type("\xe4\x7f");
    check_line("a");
}

TEST(ctrl_w_takes_a_word_and_ctrl_u_the_line)
{
    begin();
    type("one two  \x17");
    check_line("one ");
    type("\x17");
    check_line("");
    type("\x17");
    begin();
    type("ab c\x15");
    check_line("");
    CHECK_STR(shown, "ab c\b \b\b \b\b \b\b \b");
}

TEST(ctrl_d_ends_the_file_only_on_an_empty_line)
{
    begin();
    CHECK_EQ(type("\x04"), TTY_LINE_EOF);
    begin();
    CHECK_EQ(type("a\x04"), TTY_LINE_MORE);
    check_line("a");
}

TEST(ctrl_c_drops_the_line)
{
    begin();
    CHECK_EQ(type("abc\x03"), TTY_LINE_INTERRUPTED);
    CHECK_STR(shown, "abc^C\n");
}

TEST(escape_sequences_leave_no_trace)
{
    begin();
    type("a\x1b[Ab\x1bOPc\x1b[1;5Cd\x1b[24~e\x1bxf");
    check_line("abcdef");
    CHECK_STR(shown, "abcdef");
    type("\x1b[");
    tty_line_reset(&line);
    type("A");
    check_line("A");
}

TEST(other_control_bytes_are_ignored_but_tab_is_kept)
{
    begin();
    type_bytes("a\0\x01\x02\x0e\x1f"
               "b\tc",
               9);
    check_line("ab\tc");
    CHECK_STR(shown, "ab c");
}

TEST(a_full_line_rings_the_bell_and_still_ends)
{
    begin();
    for (int i = 0; i < TTY_LINE_SIZE + 10; i++)
        CHECK_EQ(type("x"), TTY_LINE_MORE);
    CHECK_EQ(line.length, TTY_LINE_SIZE - 1);
    CHECK_EQ(shown[TTY_LINE_SIZE - 2], 'x');
    CHECK_EQ(shown[TTY_LINE_SIZE - 1], '\a');
    CHECK_EQ(type("\r"), TTY_LINE_DONE);
    CHECK_EQ(line.length, TTY_LINE_SIZE);
}

/* The worst that one byte can ask for: all of the widest line erased. */
TEST(erasing_the_widest_line_fits_the_echo)
{
    char echo[TTY_ECHO_SIZE];
    size_t n;

    begin();
    for (int i = 0; i < TTY_LINE_SIZE / 3; i++)
        type("\xe4\xb8\x96");
    CHECK_EQ(line.length, TTY_LINE_SIZE / 3 * 3);
    CHECK_EQ(tty_line_input(&line, 0x15, echo, &n), TTY_LINE_MORE);
    CHECK_EQ(line.length, 0);
    CHECK_EQ(n, TTY_LINE_SIZE / 3 * 6);
    for (int i = 0; i < TTY_LINE_SIZE - 1; i++)
        type("x");
    tty_line_input(&line, 0x15, echo, &n);
    CHECK_EQ(n, (TTY_LINE_SIZE - 1) * 3);
}

CHECK_MAIN
