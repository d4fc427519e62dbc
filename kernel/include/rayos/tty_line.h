/*
 * The cooked line: what a tty does with input bytes when a program reads lines.
 * Bytes of one line are collected with echo and editing; arrow keys and other
 * escape sequences are swallowed. Pure; also built for the host tests.
 */
#ifndef RAYOS_TTY_LINE_H
#define RAYOS_TTY_LINE_H

#include <rayos/types.h>

#define TTY_LINE_SIZE 1024
/* Room for the echo of one byte: erasing a whole line takes three bytes a
 * column, two columns at most for every three bytes of UTF-8. */
#define TTY_ECHO_SIZE (3 * TTY_LINE_SIZE + 8)

enum tty_line_result {
    TTY_LINE_MORE,        /* the line goes on */
    TTY_LINE_DONE,        /* it ended; the newline is in the text */
    TTY_LINE_EOF,         /* Ctrl-D on an empty line */
    TTY_LINE_INTERRUPTED, /* Ctrl-C: the line is dropped */
};

struct tty_line {
    char text[TTY_LINE_SIZE];
    uint16_t length; /* bytes of text */
    uint16_t offset; /* what of a finished line has been fetched */
    uint8_t escape;  /* state inside an escape sequence */
    bool after_cr;   /* a line feed now belongs to the last line's end */
};

/* Take one byte. `echo` gets what the terminal should show, *echo_length bytes.
 * After anything but TTY_LINE_MORE the caller resets the line. */
enum tty_line_result tty_line_input(struct tty_line *l, uint8_t byte,
                                    char echo[TTY_ECHO_SIZE],
                                    size_t *echo_length);
/* Begin a new line. */
void tty_line_reset(struct tty_line *l);

#endif
