/*
 * Reading decimal numbers. Pure; thread context.
 *
 * strtod compares a numeral with the midpoint between two doubles by long
 * arithmetic on all its digits. The midpoints have at most 767 significant
 * digits (for binary64), so of what comes later it matters only whether there
 * is anything but zeros: one digit stands for it all.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lua/number.h"

#define DIGITS_MAX   800 /* significant ones that are kept */
#define SHORT_MAX    DIGITS_MAX
#define EXPONENT_MAX 1000000000L /* far beyond every double */

struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    bool any;   /* a digit was there, if only a zero */
    bool more;  /* digits were left out, not all zero */
    long scale; /* value: 0.digits * 10^scale */
};

static void decimal_add(struct decimal *d, char c, bool fraction)
{
    d->any = true;
    if (d->count == 0 && c == '0') {
        d->scale -= fraction;
        return;
    }
    d->scale += !fraction;
    if (d->count < DIGITS_MAX)
        d->digits[d->count++] = c;
    else
        d->more |= c != '0';
}

/* Digits with at most one point; returns where they end. */
static const char *decimal_scan(struct decimal *d, const char *p)
{
    bool fraction = false;

    for (;; p++) {
        if (*p == '.' && !fraction)
            fraction = true;
        else if (isdigit((unsigned char)*p))
            decimal_add(d, *p, fraction);
        else
            return p;
    }
}

/* An exponent, if a whole one is there; returns where it ends. */
static const char *exponent_scan(const char *p, long *value)
{
    const char *q = p + 1;
    bool negative = false;

    *value = 0;
    if (*p != 'e' && *p != 'E')
        return p;
    if (*q == '-' || *q == '+')
        negative = *q++ == '-';
    if (!isdigit((unsigned char)*q))
        return p;
    for (; isdigit((unsigned char)*q); q++)
        if (*value < EXPONENT_MAX)
            *value = *value * 10 + (*q - '0');
    if (negative)
        *value = -*value;
    return q;
}

static bool is_short(const char *p)
{
    for (int n = 0; n < SHORT_MAX; n++)
        if (!isdigit((unsigned char)p[n]) && p[n] != '.')
            return true;
    return false;
}

double number_parse(const char *s, char **end)
{
    struct decimal d = {.count = 0};
    char text[DIGITS_MAX + 40];
    const char *p = s;
    long exponent;
    double value;

    while (isspace((unsigned char)*p))
        p++;
    bool negative = *p == '-';

    if (*p == '-' || *p == '+')
        p++;
    /* Hexadecimal numerals end at their x here, names at once. */
    if (is_short(p))
        return strtod(s, end);
    p = decimal_scan(&d, p);
    if (!d.any)
        return strtod(s, end);
    p = exponent_scan(p, &exponent);
    d.digits[d.count] = '\0';
    snprintf(text, sizeof(text), "0.%s%se%ld", d.digits, d.more ? "1" : "",
             d.count ? d.scale + exponent : 0);
    value = strtod(text, NULL);
    if (end)
        *end = (char *)(unsigned long)p;
    return negative ? -value : value;
}
