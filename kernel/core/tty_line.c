/*
 * Line editing of the cooked mode: Backspace takes a character, Ctrl-W a word,
 * Ctrl-U the line. The echo erases as many columns as the characters took, so
 * the widths that terminals give to wide and combining characters matter. Pure:
 * any context.
 */
#include <rayos/tty_line.h>

#include <string.h>

#define CTRL(c)     ((c)&0x1f)
#define CHAR_ESC    0x1b
#define CHAR_DELETE 0x7f

/* Inside an escape sequence (ECMA-48 5.4, 5.3). */
enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_CONTROL, ESCAPE_SHIFT };

struct echo {
    char *text;
    size_t length;
};

static void echo_add(struct echo *e, const char *text, size_t length)
{
    if (length > TTY_ECHO_SIZE - e->length)
        return;
    memcpy(e->text + e->length, text, length);
    e->length += length;
}

/* --- characters --- */

static bool is_continuation(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

/* Code point of the `n` bytes of one character; malformed text counts as one
 * ordinary character, which is how terminals show it. */
static uint32_t utf8_decode(const char *p, size_t n)
{
    uint32_t c = (uint8_t)p[0];

    if (n == 1 || n > 4)
        return c;
    c &= 0x7fu >> n;
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((uint8_t)p[i] & 0x3f);
    return c;
}

struct range {
    uint32_t first, last;
};

/* The blocks of Unicode that matter for typed text: combining marks and joiners
 * (no column), East Asian wide and emoji (two). */
static const struct range zero_width[] = {
    {0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};
static const struct range double_width[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static bool in_ranges(const struct range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].first && c <= r[i].last)
            return true;
    return false;
}

static unsigned char_width(uint32_t c)
{
    if (in_ranges(zero_width, ARRAY_SIZE(zero_width), c))
        return 0;
    return in_ranges(double_width, ARRAY_SIZE(double_width), c) ? 2 : 1;
}

/* --- editing --- */

static void erase_char(struct tty_line *l, struct echo *e)
{
    size_t end = l->length;

    if (end == 0)
        return;
    do
        l->length--;
    while (l->length > 0 && is_continuation(l->text[l->length]));
    unsigned width = char_width(
        utf8_decode(l->text + l->length, end - l->length));

    while (width-- > 0)
        echo_add(e, "\b \b", 3);
}

static void erase_word(struct tty_line *l, struct echo *e)
{
    while (l->length > 0 && l->text[l->length - 1] == ' ')
        erase_char(l, e);
    while (l->length > 0 && l->text[l->length - 1] != ' ')
        erase_char(l, e);
}

static void erase_line(struct tty_line *l, struct echo *e)
{
    while (l->length > 0)
        erase_char(l, e);
}

/* The last place is kept for the newline. A tab is shown as one column, so that
 * erasing need not know where it stood. */
static void insert(struct tty_line *l, struct echo *e, uint8_t byte)
{
    char c = (char)byte;

    if (l->length + 1 >= TTY_LINE_SIZE) {
        echo_add(e, "\a", 1);
        return;
    }
    l->text[l->length++] = c;
    echo_add(e, c == '\t' ? " " : &c, 1);
}

/* Swallow the bytes of ESC x, ESC O x and ESC [ ... x. false: not inside a
 * sequence. */
static bool escape_take(struct tty_line *l, uint8_t byte)
{
    switch (l->escape) {
    case ESCAPE_BEGUN:
        l->escape = byte == '['   ? ESCAPE_CONTROL
                    : byte == 'O' ? ESCAPE_SHIFT
                                  : ESCAPE_NONE;
        return true;
    case ESCAPE_CONTROL:
        /* Parameters and intermediates are 0x20..0x3f; one final byte. */
        if (byte < 0x20 || byte > 0x3f)
            l->escape = ESCAPE_NONE;
        return true;
    case ESCAPE_SHIFT:
        l->escape = ESCAPE_NONE;
        return true;
    default:
        return false;
    }
}

static enum tty_line_result line_end(struct tty_line *l, struct echo *e)
{
    l->text[l->length++] = '\n';
    echo_add(e, "\n", 1);
    return TTY_LINE_DONE;
}

static enum tty_line_result control(struct tty_line *l, struct echo *e,
                                    uint8_t byte)
{
    switch (byte) {
    case '\b':
    case CHAR_DELETE:
        erase_char(l, e);
        break;
    case CTRL('U'):
        erase_line(l, e);
        break;
    case CTRL('W'):
        erase_word(l, e);
        break;
    case CTRL('D'):
        return l->length == 0 ? TTY_LINE_EOF : TTY_LINE_MORE;
    case CTRL('C'):
        echo_add(e, "^C\n", 3);
        return TTY_LINE_INTERRUPTED;
    case CHAR_ESC:
        l->escape = ESCAPE_BEGUN;
        break;
    case '\t':
        insert(l, e, byte);
        break;
    default:
        break;
    }
    return TTY_LINE_MORE;
}

enum tty_line_result tty_line_input(struct tty_line *l, uint8_t byte,
                                    char echo[TTY_ECHO_SIZE],
                                    size_t *echo_length)
{
    struct echo e = {.text = echo};
    enum tty_line_result r = TTY_LINE_MORE;
    bool was_cr = l->after_cr;

    l->after_cr = false;
    if (escape_take(l, byte)) {
        /* nothing to show */
    } else if (byte == '\r') {
        l->after_cr = true;
        r = line_end(l, &e);
    } else if (byte == '\n') {
        r = was_cr ? TTY_LINE_MORE : line_end(l, &e);
    } else if (byte < 0x20 || byte == CHAR_DELETE) {
        r = control(l, &e, byte);
    } else {
        insert(l, &e, byte);
    }
    *echo_length = e.length;
    return r;
}

/* after_cr stays: the line feed that follows a carriage return comes when the
 * next line is read. */
void tty_line_reset(struct tty_line *l)
{
    l->length = 0;
    l->offset = 0;
    l->escape = ESCAPE_NONE;
}
