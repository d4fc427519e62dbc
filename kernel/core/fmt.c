/*
 * The kernel's formatter. Pure; any context, NMI and panic included: no locks,
 * no heap, no floating point, bounded stack.
 */
#include <rayos/fmt.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Binary is not offered, so octal is the longest. */
#define DIGITS_MAX 22
/* Bound of widths and precisions: a wrong one must not cost a second. */
#define FIELD_MAX 65536

enum length { LEN_HH, LEN_H, LEN_INT, LEN_L, LEN_LL, LEN_Z, LEN_T, LEN_J };

struct output {
    char *buf;
    size_t size;
    size_t length; /* of the whole text, written or not */
};

struct spec {
    bool left, zero, plus, space, alternate;
    int width;
    int precision; /* -1: not given */
    enum length length;
};

/* va_list may be an array type: passed on by address of this. */
struct arguments {
    va_list ap;
};

static void put_char(struct output *o, char c)
{
    if (o->length + 1 < o->size)
        o->buf[o->length] = c;
    o->length++;
}

static void put_text(struct output *o, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_char(o, s[i]);
}

static void put_repeated(struct output *o, char c, int n)
{
    for (; n > 0; n--)
        put_char(o, c);
}

static int parse_number(const char **f)
{
    int n = 0;

    for (; **f >= '0' && **f <= '9'; ++*f)
        if (n < FIELD_MAX)
            n = n * 10 + (**f - '0');
    return n < FIELD_MAX ? n : FIELD_MAX;
}

static void parse_flags(const char **f, struct spec *s)
{
    for (;; ++*f) {
        switch (**f) {
        case '-':
            s->left = true;
            break;
        case '0':
            s->zero = true;
            break;
        case '+':
            s->plus = true;
            break;
        case ' ':
            s->space = true;
            break;
        case '#':
            s->alternate = true;
            break;
        default:
            return;
        }
    }
}

static void parse_width(const char **f, struct spec *s, struct arguments *args)
{
    if (**f == '*') {
        ++*f;
        s->width = va_arg(args->ap, int);
        if (s->width < 0) {
            s->left = true;
            s->width = s->width < -FIELD_MAX ? FIELD_MAX : -s->width;
        }
        if (s->width > FIELD_MAX)
            s->width = FIELD_MAX;
    } else {
        s->width = parse_number(f);
    }
    s->precision = -1;
    if (**f != '.')
        return;
    ++*f;
    if (**f == '*') {
        ++*f;
        s->precision = va_arg(args->ap, int);
        if (s->precision < 0)
            s->precision = -1;
        if (s->precision > FIELD_MAX && **f != 's')
            s->precision = FIELD_MAX;
    } else {
        s->precision = parse_number(f);
    }
}

static enum length parse_length(const char **f)
{
    char c = **f;

    if (c != 'h' && c != 'l' && c != 'z' && c != 't' && c != 'j')
        return LEN_INT;
    ++*f;
    if ((c == 'h' || c == 'l') && **f == c) {
        ++*f;
        return c == 'h' ? LEN_HH : LEN_LL;
    }
    switch (c) {
    case 'h':
        return LEN_H;
    case 'l':
        return LEN_L;
    case 'z':
        return LEN_Z;
    case 't':
        return LEN_T;
    default:
        return LEN_J;
    }
}

static intmax_t signed_argument(enum length length, struct arguments *args)
{
    switch (length) {
    case LEN_HH:
        return (signed char)va_arg(args->ap, int);
    case LEN_H:
        return (short)va_arg(args->ap, int);
    case LEN_INT:
        return va_arg(args->ap, int);
    case LEN_L:
        return va_arg(args->ap, long);
    case LEN_LL:
        return va_arg(args->ap, long long);
    case LEN_Z:
    case LEN_T:
        return va_arg(args->ap, ptrdiff_t);
    default:
        return va_arg(args->ap, intmax_t);
    }
}

static uintmax_t unsigned_argument(enum length length, struct arguments *args)
{
    switch (length) {
    case LEN_HH:
        return (unsigned char)va_arg(args->ap, unsigned);
    case LEN_H:
        return (unsigned short)va_arg(args->ap, unsigned);
    case LEN_INT:
        return va_arg(args->ap, unsigned);
    case LEN_L:
        return va_arg(args->ap, unsigned long);
    case LEN_LL:
        return va_arg(args->ap, unsigned long long);
    case LEN_Z:
    case LEN_T:
        return va_arg(args->ap, size_t);
    default:
        return va_arg(args->ap, uintmax_t);
    }
}

/* prefix: sign or 0x. */
static void put_number(struct output *o, const struct spec *s, uintmax_t value,
                       unsigned base, bool upper, const char *prefix)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[DIGITS_MAX];
    int n = 0, zeros = 0, pad;

    for (uintmax_t v = value; v; v /= base)
        text[n++] = digits[v % base];
    if (s->precision > n)
        zeros = s->precision - n;
    else if (n == 0 && s->precision != 0)
        zeros = 1;
    if (base == 8 && s->alternate && zeros == 0)
        zeros = 1;
    pad = s->width - (int)strlen(prefix) - n;
    pad = pad > zeros ? pad - zeros : 0;
    if (s->zero && !s->left && s->precision < 0) {
        zeros += pad;
        pad = 0;
    }
    if (!s->left)
        put_repeated(o, ' ', pad);
    put_text(o, prefix, strlen(prefix));
    put_repeated(o, '0', zeros);
    while (n)
        put_char(o, text[--n]);
    if (s->left)
        put_repeated(o, ' ', pad);
}

static void put_signed(struct output *o, const struct spec *s, intmax_t v)
{
    uintmax_t magnitude = v < 0 ? 0 - (uintmax_t)v : (uintmax_t)v;

    put_number(o, s, magnitude, 10, false,
               v < 0      ? "-"
               : s->plus  ? "+"
               : s->space ? " "
                          : "");
}

static void put_string(struct output *o, const struct spec *s, const char *text,
                       size_t n)
{
    int pad = n < (size_t)s->width ? s->width - (int)n : 0;

    if (!s->left)
        put_repeated(o, ' ', pad);
    put_text(o, text, n);
    if (s->left)
        put_repeated(o, ' ', pad);
}

/* false: not a conversion that we know. */
static bool convert(struct output *o, const struct spec *s, char conversion,
                    struct arguments *args)
{
    const char *text;
    uintmax_t u;
    char c;

    switch (conversion) {
    case 'd':
    case 'i':
        put_signed(o, s, signed_argument(s->length, args));
        return true;
    case 'u':
        put_number(o, s, unsigned_argument(s->length, args), 10, false, "");
        return true;
    case 'o':
        put_number(o, s, unsigned_argument(s->length, args), 8, false, "");
        return true;
    case 'x':
    case 'X':
        u = unsigned_argument(s->length, args);
        text = conversion == 'X' ? "0X" : "0x";
        put_number(o, s, u, 16, conversion == 'X',
                   s->alternate && u ? text : "");
        return true;
    case 'p':
        u = (uintptr_t)va_arg(args->ap, void *);
        put_number(o, s, u, 16, false, "0x");
        return true;
    case 'c':
        c = (char)va_arg(args->ap, int);
        put_string(o, s, &c, 1);
        return true;
    case 's':
        text = va_arg(args->ap, const char *);
        if (!text)
            text = "(null)";
        put_string(o, s, text,
                   s->precision < 0 ? strlen(text)
                                    : strnlen(text, (size_t)s->precision));
        return true;
    case '%':
        put_char(o, '%');
        return true;
    default:
        return false;
    }
}

int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct output o = {.buf = buf, .size = size, .length = 0};
    struct arguments args;

    va_copy(args.ap, ap);
    while (*fmt) {
        const char *start = fmt;
        struct spec s = {.width = 0};

        if (*fmt++ != '%') {
            put_char(&o, *start);
            continue;
        }
        parse_flags(&fmt, &s);
        parse_width(&fmt, &s, &args);
        s.length = parse_length(&fmt);
        if (*fmt && convert(&o, &s, *fmt, &args))
            fmt++;
        else
            put_text(&o, start, (size_t)(fmt - start));
    }
    va_end(args.ap);
    if (size)
        buf[o.length < size ? o.length : size - 1] = '\0';
    return o.length > INT_MAX ? INT_MAX : (int)o.length;
}

int fmt_snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}
