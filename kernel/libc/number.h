/* Text to double and back, apart from newlib: pure, any thread. */
#ifndef LIBC_NUMBER_H
#define LIBC_NUMBER_H

#include <stdbool.h>

/* What strtod does in the "C" locale, correctly rounded for every input.
 * `*end` is where the number ends, `text` itself when there is none. `*range`
 * is set to true when the value is too large or is a rounded subnormal. */
double libc_number_parse(const char *text, const char **end, bool *range);

/* A number of up to 800 digits and a power of ten, as the nearest double:
 * digits * 10^exponent. The digits are values 0 to 9, the first not 0. */
#define NUMBER_DIGITS 800
double libc_number_from_decimal(const unsigned char *digits, int count,
                                int exponent, bool *range);
/* bits * 2^exponent, bit 63 of `bits` set; `more`: something follows that is
 * less than one unit of the last bit, and is not 0. */
double libc_number_from_binary(unsigned long long bits, long long exponent,
                               bool more, bool *range);

#endif
