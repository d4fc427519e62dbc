/*
 * What replaces or mends conversions of newlib between numbers and text, so
 * that they give what glibc gives. Any thread; floating point.
 */
#include <errno.h>
#include <float.h>
#include <math.h>
#include <reent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rayos/libc.h>

#include "number.h"

double _strtod_r(struct _reent *r, const char *text, char **end)
{
    const char *stop;
    bool range = false;
    double value = libc_number_parse(text, &stop, &range);

    if (range)
        r->_errno = ERANGE;
    if (end)
        *end = (char *)(uintptr_t)stop;
    return value;
}

double strtod(const char *restrict text, char **restrict end)
{
    return _strtod_r(_REENT, text, end);
}

/* printf's source of digits, wrapped by the linker: where %g wants no trailing
 * zeros, newlib's forgets to drop them once in some 10^6 numbers. */
char *__real__dtoa_r(struct _reent *r, double x, int mode, int digits,
                     int *point, int *sign, char **end);
char *__wrap__dtoa_r(struct _reent *r, double x, int mode, int digits,
                     int *point, int *sign, char **end);

char *__wrap__dtoa_r(struct _reent *r, double x, int mode, int digits,
                     int *point, int *sign, char **end)
{
    char *stop;
    char *text = __real__dtoa_r(r, x, mode, digits, point, sign, &stop);

    while (stop > text + 1 && stop[-1] == '0')
        *--stop = '\0';
    if (end)
        *end = stop;
    return text;
}

/* newlib writes subnormal numbers normalized, glibc as they are stored: with
 * the exponent of the least normal one, and 0 in front of the point. So write
 * the normal number with the same fraction, and mend its first digit. */
int libc_format_hex(char *out, size_t size, const char *format, double x)
{
    double normal = x + copysign(DBL_MIN, x);
    int length;
    char *p;

    if (x == 0 || !(fabs(x) < DBL_MIN))
        return snprintf(out, size, format, x);
    length = snprintf(out, size, format, normal);
    if (length < 0 || (size_t)length >= size)
        return length;
    p = strpbrk(out, ".pP") - 1;
    /* A half goes to the even digit: 1.8 to 2, but 0.8 to 0. */
    *p = *p == '2' && fabs(x) != DBL_MIN / 2 ? '1' : '0';
    return length;
}
