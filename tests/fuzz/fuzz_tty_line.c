/* sources: kernel/core/tty_line.c */
/*
 * Any bytes typed at a cooked line: line and echo stay in bounds, and the
 * columns that the echo writes and erases come out even when the line is
 * erased.
 */
#include "tests/fuzz/fuzz.h"

#include <rayos/tty_line.h>

#define CTRL_U 0x15

static void check_echo(const char *echo, size_t n, enum tty_line_result r)
{
    FUZZ_CHECK(n <= TTY_ECHO_SIZE);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK((uint8_t)echo[i] >= ' ' || echo[i] == '\b' ||
                   echo[i] == '\a' || echo[i] == '\n');
    FUZZ_CHECK(r != TTY_LINE_DONE || (n && echo[n - 1] == '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tty_line *l = calloc(1, sizeof(*l));
    char *echo = malloc(TTY_ECHO_SIZE);
    enum tty_line_result r;
    size_t n;

    for (size_t i = 0; i < size; i++) {
        r = tty_line_input(l, data[i], echo, &n);
        check_echo(echo, n, r);
        FUZZ_CHECK(l->length <= TTY_LINE_SIZE);
        FUZZ_CHECK(r != TTY_LINE_EOF || l->length == 0);
        FUZZ_CHECK(r != TTY_LINE_DONE || l->text[l->length - 1] == '\n');
        FUZZ_CHECK(r == TTY_LINE_DONE || !memchr(l->text, '\n', l->length));
        if (r != TTY_LINE_MORE)
            tty_line_reset(l);
    }
    l->escape = 0;
    r = tty_line_input(l, CTRL_U, echo, &n);
    FUZZ_CHECK(r == TTY_LINE_MORE && l->length == 0 && n % 3 == 0);
    free(echo);
    free(l);
    return 0;
}
