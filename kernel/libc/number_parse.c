/*
 * The syntax of numbers for strtod (C11 7.22.1.3): decimal, hexadecimal,
 * infinities and NaN. newlib's own strtod rounds some hexadecimal and subnormal
 * numbers wrongly. Pure, any thread; floating point.
 */
#include "number.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>

#define EXPONENT_LIMIT                                    \
    INT64_C(1000000000000000) /* more than a text is long \
                               */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int digit_value(char c, int base)
{
    int value = c >= '0' && c <= '9'                 ? c - '0'
                : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                     : 99;

    return value < base ? value : -1;
}

/* Whether the text starts with a word, in small or capital letters. */
static bool starts_with(const char *text, const char *word)
{
    for (; *word; text++, word++) {
        if ((*text | 32) != *word)
            return false;
    }
    return true;
}

/* An exponent after its letter, if there is one: e-12. */
static int64_t parse_exponent(const char **at, char letter)
{
    const char *p = *at;
    int64_t value = 0;
    bool negative;

    if ((*p | 32) != letter)
        return 0;
    p++;
    negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (digit_value(*p, 10) < 0)
        return 0; /* the letter does not belong to the number */
    for (; digit_value(*p, 10) >= 0; p++) {
        if (value < EXPONENT_LIMIT)
            value = value * 10 + digit_value(*p, 10);
    }
    *at = p;
    return negative ? -value : value;
}

/* After "0x"; false when no digit follows. */
static bool parse_hex(const char **at, double *value, bool *range)
{
    const char *p = *at;
    uint64_t bits = 0;
    int64_t exponent = 0;
    bool any = false, point = false, more = false;

    for (;; p++) {
        int digit = digit_value(*p, 16);

        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (digit < 0)
            break;
        any = true;
        if (bits >> 60) { /* full */
            more |= digit != 0;
            exponent += 4;
        } else {
            bits = bits << 4 | (unsigned)digit;
        }
        exponent -= point ? 4 : 0;
    }
    if (!any)
        return false;
    exponent += parse_exponent(&p, 'p');
    *at = p;
    *value = 0.0;
    if (bits) {
        int zeros = __builtin_clzll(bits);

        *value = libc_number_from_binary(bits << zeros, exponent - zeros, more,
                                         range);
    }
    return true;
}

struct decimal {
    unsigned char digits[NUMBER_DIGITS];
    int count;
    int64_t exponent;
};

/* Keep a digit. What lies behind the last that has room can only say on which
 * side of a half the number is: there, any 1 serves. */
static void decimal_add(struct decimal *d, int digit, bool fraction)
{
    if (d->count < NUMBER_DIGITS) {
        if (d->count || digit)
            d->digits[d->count++] = (unsigned char)digit;
    } else {
        if (digit && !d->digits[NUMBER_DIGITS - 1])
            d->digits[NUMBER_DIGITS - 1] = 1;
        d->exponent++;
    }
    d->exponent -= fraction;
}

static double decimal_value(struct decimal *d, bool *range)
{
    while (d->count && !d->digits[d->count - 1]) {
        d->count--;
        d->exponent++;
    }
    if (!d->count)
        return 0.0;
    /* The sum of count and exponent must not overflow either. */
    if (d->exponent > INT_MAX / 2)
        d->exponent = INT_MAX / 2;
    if (d->exponent < INT_MIN / 2)
        d->exponent = INT_MIN / 2;
    return libc_number_from_decimal(d->digits, d->count, (int)d->exponent,
                                    range);
}

static bool parse_decimal(const char **at, double *value, bool *range)
{
    struct decimal d;
    const char *p = *at;
    bool any = false, point = false;

    d.count = 0;
    d.exponent = 0;
    for (;; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (digit_value(*p, 10) < 0)
            break;
        any = true;
        decimal_add(&d, digit_value(*p, 10), point);
    }
    if (!any)
        return false;
    d.exponent += parse_exponent(&p, 'e');
    *at = p;
    *value = decimal_value(&d, range);
    return true;
}

/* inf, infinity, nan, nan(anything) */
static bool parse_word(const char **at, double *value)
{
    const char *p = *at;

    if (starts_with(p, "inf")) {
        *value = HUGE_VAL;
        *at = p + (starts_with(p, "infinity") ? 8 : 3);
        return true;
    }
    if (!starts_with(p, "nan"))
        return false;
    *value = (double)NAN;
    *at = p += 3;
    if (*p++ == '(') {
        while (digit_value(*p, 10) >= 0 || *p == '_' ||
               ((*p | 32) >= 'a' && (*p | 32) <= 'z'))
            p++;
        if (*p == ')')
            *at = p + 1;
    }
    return true;
}

double libc_number_parse(const char *text, const char **end, bool *range)
{
    const char *p = text;
    double value = 0.0;
    bool negative, found = false;

    while (is_space(*p))
        p++;
    negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (p[0] == '0' && (p[1] | 32) == 'x') {
        const char *digits = p + 2;

        found = parse_hex(&digits, &value, range);
        p = found ? digits : p;
    }
    if (!found)
        found = parse_decimal(&p, &value, range) || parse_word(&p, &value);
    *end = found ? p : text;
    return negative && found ? -value : value;
}
