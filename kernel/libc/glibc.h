/*
 * What glibc's sources of the mathematical functions need of glibc around them:
 * configure.py makes a header of each of glibc's internal names that includes
 * this file. RayOS takes these sources for their results, which scripts find
 * equal to the last bit on RayOS and on Linux.
 *
 * The sources are compiled twice where glibc does so too: with GLIBC_VARIANT
 * `plain` for every CPU and `fma` for those with fused multiply-add, whose
 * results differ. kernel/libc/math.c chooses. What has one variant only defines
 * the function of <math.h> itself.
 *
 * Rounding mode and exception masks never change in RayOS: what guards against
 * that in glibc is empty here.
 */
#ifndef LIBC_GLIBC_H
#define LIBC_GLIBC_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* --- names --- */

#undef log2 /* newlib's is a macro too */

#ifdef GLIBC_VARIANT
#define GLIBC_PASTE(name, variant)  glibc_##name##_##variant
#define GLIBC_EXPAND(name, variant) GLIBC_PASTE(name, variant)
#define GLIBC_NAME(name)            GLIBC_EXPAND(name, GLIBC_VARIANT)
#else
#define GLIBC_NAME(name) name
#endif

#define __ieee754_acos  GLIBC_NAME(acos)
#define __ieee754_asin  GLIBC_NAME(asin)
#define __ieee754_atan2 GLIBC_NAME(atan2)
#define __atan          GLIBC_NAME(atan)
#define __cos           GLIBC_NAME(cos)
#define __exp           GLIBC_NAME(exp)
#define __expm1         GLIBC_NAME(expm1)
#define __log           GLIBC_NAME(log)
#define __log2          GLIBC_NAME(log2)
#define __pow           GLIBC_NAME(pow)
#define __sin           GLIBC_NAME(sin)
#define __tan           GLIBC_NAME(tan)
/* One variant, which calls the chosen ones of the above. */
#define __ieee754_cosh  cosh
#define __ieee754_exp   exp
#define __ieee754_fmod  fmod
#define __ieee754_log   log
#define __ieee754_log10 glibc_log10
#define __ieee754_sinh  sinh
#define __tanh          tanh

/* newlib has data and functions of these names too, not quite the same. */
#define __branred          glibc_branred
#define __exp_data         glibc_exp_data
#define __log_data         glibc_log_data
#define __log2_data        glibc_log2_data
#define __pow_log_data     glibc_pow_log_data
#define __math_check_oflow glibc_check_oflow
#define __math_check_uflow glibc_check_uflow
#define __math_divzero     glibc_divzero
#define __math_invalid     glibc_invalid
#define __math_may_uflow   glibc_may_uflow
#define __math_oflow       glibc_oflow
#define __math_uflow       glibc_uflow
#define __sincostab        glibc_sincostab

double __ieee754_acos(double x);
double __ieee754_asin(double x);
double __ieee754_atan2(double y, double x);
double __ieee754_log10(double x);
double __atan(double x);
double __cos(double x);
double __exp(double x);
double __expm1(double x);
double __log(double x);
double __log2(double x);
double __pow(double x, double y);
double __sin(double x);
double __tan(double x);
int __branred(double x, double *a, double *aa);

/* Symbols have no versions and no second names here. */
#define LIBM_SVID_COMPAT 0
#define attribute_hidden
#define hidden_def(name)
#define hidden_proto(name)
#define libm_hidden_proto(name)
#define libm_hidden_def(name)
#define strong_alias(name, alias)
#define weak_alias(name, alias)
#define libm_alias_double(name, alias)
#define libm_alias_finite(name, alias)

/* --- the compiler and the CPU --- */

#define __glibc_likely(x)   __builtin_expect(!!(x), 1)
#define __glibc_unlikely(x) __builtin_expect(!!(x), 0)
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define LITTLE_ENDI                    1
#define LOW_HALF                       0
#define HIGH_HALF                      1
#define __set_errno(value)             (errno = (value))
#define FIX_INT_FP_CONVERT_ZERO        0
#define HIGH_ORDER_BIT_IS_SET_FOR_SNAN 0
#define math_narrow_eval(x)            (x)
#define math_opt_barrier(x)                    \
    ({                                         \
        double barrier_;                       \
        __asm__("" : "=x"(barrier_) : "0"(x)); \
        barrier_;                              \
    })
/* These do something to the exception flags only, which nobody reads. */
#define math_force_eval(x)                   ((void)(x))
#define math_check_force_underflow(x)        ((void)(x))
#define math_check_force_underflow_nonneg(x) ((void)(x))
#define SET_RESTORE_ROUND(mode)              ((void)0)
#define SET_RESTORE_ROUND_53BIT(mode)        ((void)0)

/* --- the bits of a double --- */

union glibc_bits {
    double value;
    uint64_t word;
};

static inline uint64_t glibc_word(double x)
{
    return ((union glibc_bits){.value = x}).word;
}

static inline double glibc_double(uint64_t word)
{
    return ((union glibc_bits){.word = word}).value;
}

#define GET_HIGH_WORD(i, d) ((i) = (int32_t)(glibc_word(d) >> 32))
#define GET_LOW_WORD(i, d)  ((i) = (uint32_t)glibc_word(d))
#define SET_HIGH_WORD(d, i)                             \
    ((d) = glibc_double((uint64_t)(uint32_t)(i) << 32 | \
                        (uint32_t)glibc_word(d)))
#define SET_LOW_WORD(d, i) \
    ((d) = glibc_double((glibc_word(d) >> 32 << 32) | (uint32_t)(i)))
#define EXTRACT_WORDS(hi, lo, d) \
    do {                         \
        GET_HIGH_WORD(hi, d);    \
        GET_LOW_WORD(lo, d);     \
    } while (0)
#define INSERT_WORDS(d, hi, lo) \
    ((d) = glibc_double((uint64_t)(uint32_t)(hi) << 32 | (uint32_t)(lo)))
#define EXTRACT_WORDS64(i, d) ((i) = glibc_word(d))
#define INSERT_WORDS64(d, i)  ((d) = glibc_double(i))

#endif
