/*
 * The functions of <math.h> whose last bit depends on the library. They are
 * glibc's, chosen by the CPU as glibc does, so that a script computes the same
 * on RayOS as on Linux on that CPU; so is fmod, for its speed. What is exact by
 * definition besides (sqrt, floor, frexp, ...) is newlib's. Any thread;
 * floating point.
 */
#include <math.h>

#include <arch/features.h>

#undef log2 /* a macro in newlib */

/* As glibc asks (sysdeps/x86_64/fpu/multiarch, which also has variants for
 * FMA4; the few CPUs with that and without AVX2 get the plain ones here). */
static inline bool is_fused(void)
{
    const struct arch_cpu_info *cpu = arch_cpu_info();

    return cpu->fma && cpu->avx2;
}

/* Both variants of the function NAME, and the choice between them. */
#define CHOOSE_1(name)                                                       \
    double glibc_##name##_plain(double x);                                   \
    double glibc_##name##_fma(double x);                                     \
    static inline double choose_##name(double x)                             \
    {                                                                        \
        return is_fused() ? glibc_##name##_fma(x) : glibc_##name##_plain(x); \
    }
#define CHOOSE_2(name)                                  \
    double glibc_##name##_plain(double x, double y);    \
    double glibc_##name##_fma(double x, double y);      \
    double name(double x, double y)                     \
    {                                                   \
        return is_fused() ? glibc_##name##_fma(x, y)    \
                          : glibc_##name##_plain(x, y); \
    }
#define DEFINE_1(name)           \
    CHOOSE_1(name)               \
    double name(double x)        \
    {                            \
        return choose_##name(x); \
    }

DEFINE_1(atan)
DEFINE_1(cos)
DEFINE_1(exp)
DEFINE_1(expm1)
DEFINE_1(log)
DEFINE_1(log2)
DEFINE_1(sin)
DEFINE_1(tan)
CHOOSE_2(atan2)
CHOOSE_2(pow)

/* What these three give outside of their domain is a positive NaN in glibc;
 * an argument that is a NaN is handed through. */
CHOOSE_1(acos)
CHOOSE_1(asin)

double acos(double x)
{
    return isgreater(fabs(x), 1.0) ? (double)NAN : choose_acos(x);
}

double asin(double x)
{
    return isgreater(fabs(x), 1.0) ? (double)NAN : choose_asin(x);
}

double glibc_log10(double x);

double log10(double x)
{
    return isless(x, 0.0) ? (double)NAN : glibc_log10(x);
}

/* newlib's does not make a quiet NaN of a signalling one. */
double ldexp(double x, int exponent)
{
    return !isfinite(x) || x == 0 ? x + x : scalbn(x, exponent);
}
