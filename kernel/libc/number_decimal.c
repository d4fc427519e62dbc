/*
 * The double nearest to a decimal number. Few digits are one exact operation;
 * else integers as long as need be are divided, which is slower but right for
 * every input. (glibc up to 2.36 is not, once in 10^5 subnormal numbers: it
 * forgets the first bit behind 53 when nothing follows that.) Pure, any thread;
 * floating point.
 */
#include "number.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define INFINITE (UINT64_C(0x7ff) << 52)
#define BIAS     1023
#define MIN_EXP  (-1022) /* of a normal number */
#define MANTISSA 53      /* bits, the implicit one included */

double libc_number_from_binary(unsigned long long bits, long long exponent,
                               bool more, bool *range)
{
    long long top = exponent + 63; /* 2^top <= value < 2^(top+1) */
    long long keep = top >= MIN_EXP ? MANTISSA : MANTISSA - (MIN_EXP - top);
    uint64_t word, rest, half;
    double value;

    if (top > BIAS || keep < 0) {
        *range = true;
        return top > BIAS ? HUGE_VAL : 0.0;
    }
    word = keep ? bits >> (64 - keep) : 0;
    rest = keep ? bits << keep : bits;
    half = UINT64_C(1) << 63;
    if (rest > half || (rest == half && (more || (word & 1))))
        word++;
    /* The implicit bit, or a carry into it, counts the exponent up. */
    if (top >= MIN_EXP)
        word += (uint64_t)(top - MIN_EXP) << (MANTISSA - 1);
    if (word >= INFINITE || (keep < MANTISSA && (rest || more)))
        *range = true;
    memcpy(&value, &word, sizeof value);
    return value;
}

/* --- integers of any length --- */

/* The longest is that of 800 digits, or 5^(800+324), and 64 bits beyond. */
#define WORDS 96

struct big {
    int count; /* words in use; the highest is not 0 */
    uint32_t words[WORDS];
};

static void big_multiply_add(struct big *b, uint32_t factor, uint32_t summand)
{
    uint64_t carry = summand;

    for (int i = 0; i < b->count; i++) {
        carry += (uint64_t)b->words[i] * factor;
        b->words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        b->words[b->count++] = (uint32_t)carry;
}

static void big_multiply_power_of_5(struct big *b, int exponent)
{
    for (; exponent >= 13; exponent -= 13)
        big_multiply_add(b, 1220703125, 0); /* 5^13, the largest that fits */
    for (; exponent > 0; exponent--)
        big_multiply_add(b, 5, 0);
}

static int big_bits(const struct big *b)
{
    return 32 * b->count - __builtin_clz(b->words[b->count - 1]);
}

static void big_shift_left(struct big *b, int bits)
{
    int words = bits / 32;

    memmove(b->words + words, b->words, (size_t)b->count * sizeof *b->words);
    memset(b->words, 0, (size_t)words * sizeof *b->words);
    b->count += words;
    big_multiply_add(b, UINT32_C(1) << bits % 32, 0);
}

static bool big_less(const struct big *a, const struct big *b)
{
    if (a->count != b->count)
        return a->count < b->count;
    for (int i = a->count - 1; i >= 0; i--) {
        if (a->words[i] != b->words[i])
            return a->words[i] < b->words[i];
    }
    return false;
}

/* a -= b, which is not larger. */
static void big_subtract(struct big *a, const struct big *b)
{
    uint64_t borrow = 0;

    for (int i = 0; i < a->count; i++) {
        uint64_t d = (uint64_t)a->words[i] - (i < b->count ? b->words[i] : 0) -
                     borrow;

        a->words[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    while (a->count > 0 && !a->words[a->count - 1])
        a->count--;
}

/* 64 bits of the quotient a / b, which is at least 1 and less than 2; a keeps
 * what is left. */
static uint64_t big_divide(struct big *a, const struct big *b)
{
    uint64_t quotient = 0;

    for (int i = 0; i < 64; i++) {
        quotient <<= 1;
        if (!big_less(a, b)) {
            big_subtract(a, b);
            quotient |= 1;
        }
        big_multiply_add(a, 2, 0);
    }
    return quotient;
}

/* --- the ways --- */

static double from_big(const unsigned char *digits, int count, int exponent,
                       bool *range)
{
    struct big a = {.count = 0}, b = {.count = 1, .words = {1}};
    long long power = exponent; /* of two; that of five is in a or b */
    int difference;
    uint64_t bits;

    for (int i = 0; i < count; i++)
        big_multiply_add(&a, 10, digits[i]);
    big_multiply_power_of_5(exponent > 0 ? &a : &b,
                            exponent > 0 ? exponent : -exponent);
    difference = big_bits(&a) - big_bits(&b);
    power += difference;
    big_shift_left(difference > 0 ? &b : &a,
                   difference > 0 ? difference : -difference);
    if (big_less(&a, &b)) {
        big_shift_left(&a, 1);
        power--;
    }
    bits = big_divide(&a, &b);
    return libc_number_from_binary(bits, power - 63, a.count > 0, range);
}

/* Powers of ten that are exact in 64 bits of mantissa, as 5^27 < 2^63. */
static const long double powers[] = {
    1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
    1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
    1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
#define MAX_POWER       27
#define MAX_WORD_DIGITS 19 /* 10^19 < 2^64 */

/* One operation on exact operands, rounded to 64 bits, and then to 53: right
 * unless the first rounding may have made or hidden a half for the second. */
static bool from_word(uint64_t word, int exponent, double *value)
{
    const uint64_t half = UINT64_C(1) << 10, mask = 2 * half - 1;
    long double x = (long double)word;
    uint64_t mantissa;

    x = exponent < 0 ? x / powers[-exponent] : x * powers[exponent];
    memcpy(&mantissa, &x, sizeof mantissa); /* x87: its lower eight bytes */
    if ((mantissa & mask) - (half - 1) <= 2)
        return false;
    *value = (double)x;
    return true;
}

double libc_number_from_decimal(const unsigned char *digits, int count,
                                int exponent, bool *range)
{
    uint64_t word = 0;
    double value;

    /* 2^1024 < 10^309; half of the least subnormal is above 10^-324. */
    if (count + exponent > DBL_MAX_10_EXP + 1) {
        *range = true;
        return HUGE_VAL;
    }
    if (count + exponent <= -324) {
        *range = true;
        return 0.0;
    }
    if (count <= MAX_WORD_DIGITS && -MAX_POWER <= exponent &&
        exponent <= MAX_POWER) {
        for (int i = 0; i < count; i++)
            word = word * 10 + digits[i];
        if (from_word(word, exponent, &value))
            return value;
    }
    return from_big(digits, count, exponent, range);
}
