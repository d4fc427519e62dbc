/*
 * Self-tests: the x87, SSE and AVX state belongs to a thread. This file is
 * built for general registers only, so nothing but the assembly here touches
 * that state, and whatever changes it between fill and read is the kernel.
 */
#include "selftest.h"

#define CPUID_OSXSAVE_AVX (UINT32_C(3) << 27) /* leaf 1, ECX */
#define XCR0_SSE_AVX      6

#define MXCSR_ROUNDING UINT32_C(0x6000) /* bits 13..14 */
#define MXCSR_DEFAULT  UINT32_C(0x1f80)
#define FCW_ROUNDING   0x0c00 /* bits 10..11 */
#define FCW_DEFAULT    0x037f

struct vectors {
    uint8_t xmm[16][16];
    uint8_t ymm_high[16];
    uint64_t x87;
    uint32_t mxcsr;
    uint16_t fcw;
};

static bool have_avx(void)
{
    struct cpuid_regs r = arch_cpuid(1, 0);
    uint32_t lo, hi;

    if ((r.ecx & CPUID_OSXSAVE_AVX) != CPUID_OSXSAVE_AVX)
        return false;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (lo & XCR0_SSE_AVX) == XCR0_SSE_AVX;
}

static void fill(const struct vectors *v, bool avx)
{
    __asm__ volatile("movdqu 0x00(%0), %%xmm0\n\t"
                     "movdqu 0x10(%0), %%xmm1\n\t"
                     "movdqu 0x20(%0), %%xmm2\n\t"
                     "movdqu 0x30(%0), %%xmm3\n\t"
                     "movdqu 0x40(%0), %%xmm4\n\t"
                     "movdqu 0x50(%0), %%xmm5\n\t"
                     "movdqu 0x60(%0), %%xmm6\n\t"
                     "movdqu 0x70(%0), %%xmm7\n\t"
                     "movdqu 0x80(%0), %%xmm8\n\t"
                     "movdqu 0x90(%0), %%xmm9\n\t"
                     "movdqu 0xa0(%0), %%xmm10\n\t"
                     "movdqu 0xb0(%0), %%xmm11\n\t"
                     "movdqu 0xc0(%0), %%xmm12\n\t"
                     "movdqu 0xd0(%0), %%xmm13\n\t"
                     "movdqu 0xe0(%0), %%xmm14\n\t"
                     "movdqu 0xf0(%0), %%xmm15\n\t" ::"r"(v->xmm)
                     : "memory");
    if (avx)
        __asm__ volatile(
            "vinsertf128 $1, (%0), %%ymm5, %%ymm5" ::"r"(v->ymm_high)
            : "memory");
    __asm__ volatile(
        "fninit\n\tfildll %0\n\tfldcw %1\n\tldmxcsr %2" ::"m"(v->x87),
        "m"(v->fcw), "m"(v->mxcsr)
        : "memory");
}

static void take(struct vectors *v, bool avx)
{
    __asm__ volatile("movdqu %%xmm0, 0x00(%0)\n\t"
                     "movdqu %%xmm1, 0x10(%0)\n\t"
                     "movdqu %%xmm2, 0x20(%0)\n\t"
                     "movdqu %%xmm3, 0x30(%0)\n\t"
                     "movdqu %%xmm4, 0x40(%0)\n\t"
                     "movdqu %%xmm5, 0x50(%0)\n\t"
                     "movdqu %%xmm6, 0x60(%0)\n\t"
                     "movdqu %%xmm7, 0x70(%0)\n\t"
                     "movdqu %%xmm8, 0x80(%0)\n\t"
                     "movdqu %%xmm9, 0x90(%0)\n\t"
                     "movdqu %%xmm10, 0xa0(%0)\n\t"
                     "movdqu %%xmm11, 0xb0(%0)\n\t"
                     "movdqu %%xmm12, 0xc0(%0)\n\t"
                     "movdqu %%xmm13, 0xd0(%0)\n\t"
                     "movdqu %%xmm14, 0xe0(%0)\n\t"
                     "movdqu %%xmm15, 0xf0(%0)\n\t" ::"r"(v->xmm)
                     : "memory");
    if (avx)
        __asm__ volatile("vextractf128 $1, %%ymm5, (%0)" ::"r"(v->ymm_high)
                         : "memory");
    __asm__ volatile("fnstcw %0\n\tstmxcsr %1\n\tfistpll %2"
                     : "=m"(v->fcw), "=m"(v->mxcsr), "=m"(v->x87)::"memory");
}

/* Different in every byte and for every thread. */
static void pattern(struct vectors *v, uint32_t id)
{
    for (uint32_t i = 0; i < 256; i++)
        v->xmm[i / 16][i % 16] = (uint8_t)(i * 7 + id * 31);
    for (uint32_t i = 0; i < 16; i++)
        v->ymm_high[i] = (uint8_t)(i * 5 + id * 17);
    v->x87 = 0x123456789 + id;
    v->mxcsr = MXCSR_DEFAULT | (id << 13 & MXCSR_ROUNDING);
    v->fcw = (uint16_t)(FCW_DEFAULT | (id << 10 & FCW_ROUNDING));
}

static bool same(const struct vectors *a, const struct vectors *b, bool avx)
{
    bool all = true;

    for (int i = 0; i < 256; i++)
        all = all && a->xmm[i / 16][i % 16] == b->xmm[i / 16][i % 16];
    for (int i = 0; i < 16 && avx; i++)
        all = all && a->ymm_high[i] == b->ymm_high[i];
    return EXPECT(all) && EXPECT_EQ(a->x87, b->x87) &&
           EXPECT_EQ(a->mxcsr, b->mxcsr) && EXPECT_EQ(a->fcw, b->fcw);
}

#define FPU_ROUNDS 120

/* Keeps its state over sleeping, yielding and being preempted. */
static void fpu_user(void *arg)
{
    uint32_t id = (uint32_t)(uintptr_t)arg;
    struct vectors mine, seen;
    bool avx = have_avx();

    pattern(&mine, id);
    for (uint32_t i = 0; i < FPU_ROUNDS; i++) {
        nstime_t end = clock_now() + (i % 40 == 39 ? 15 * NS_PER_MS : 1000);

        fill(&mine, avx);
        if (i % 3 == 0)
            thread_yield();
        else if (i % 3 == 1)
            thread_sleep(50 * NS_PER_US);
        while (clock_now() < end)
            arch_pause();
        take(&seen, avx);
        if (!same(&mine, &seen, avx))
            return;
    }
}

SELFTEST(fpu_state_is_kept, "x87, SSE and AVX registers survive switches, "
                            "preemption and moves between CPUs")
{
    struct thread *t[6];

    for (uint32_t i = 0; i < ARRAY_SIZE(t); i++)
        t[i] = selftest_thread(7, i < 3 ? 0 : CPU_ANY, fpu_user,
                               (void *)(uintptr_t)(i + 1));
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        selftest_join(t[i]);
}

static void fresh_user(void *arg)
{
    uint32_t mxcsr;
    uint16_t fcw;

    (void)arg;
    __asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(fcw), "=m"(mxcsr));
    EXPECT_EQ(fcw, FCW_DEFAULT);
    EXPECT_EQ(mxcsr, MXCSR_DEFAULT);
}

SELFTEST(fpu_starts_clean, "a new thread finds the FPU in its initial state, "
                           "whatever its creator did to it")
{
    struct vectors mine;
    bool avx = have_avx();

    pattern(&mine, 3);
    fill(&mine, avx);
    selftest_join(selftest_thread(8, CPU_ANY, fresh_user, NULL));
    take(&mine, avx);
}
