/*
 * Context switch: x87/SSE/AVX state by XSAVEOPT, XSAVE or FXSAVE, general
 * registers and stack by switch.S. Called by the scheduler with interrupts off.
 */
#include <stddef.h>
#include <string.h>

#include <arch/context.h>
#include <arch/features.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>

_Static_assert(offsetof(struct thread, sp) == 0, "switch.S");

/* XSAVE area, legacy region (Intel SDM 1 table 13-1). */
#define FPU_FCW_OFFSET   0
#define FPU_MXCSR_OFFSET 24
#define FCW_DEFAULT      0x37f  /* extended precision, exceptions masked */
#define MXCSR_DEFAULT    0x1f80 /* exceptions masked, round to nearest */

/* What arch_switch pops, from the stack pointer up. */
struct switch_frame {
    uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

struct thread *arch_switch(struct thread *prev, struct thread *next);
void arch_thread_start(void);

size_t arch_fpu_size(void)
{
    return ALIGN_UP(arch_cpu_info()->fpu_size, (size_t)64);
}

/* XSTATE_BV 0 gives all components their initial values, but MXCSR is always
 * loaded from memory (Intel SDM 1 13.8). */
void arch_fpu_init(void *area)
{
    uint8_t *bytes = area;
    uint16_t fcw = FCW_DEFAULT;
    uint32_t mxcsr = MXCSR_DEFAULT;

    memset(bytes, 0, arch_fpu_size());
    memcpy(bytes + FPU_FCW_OFFSET, &fcw, sizeof(fcw));
    memcpy(bytes + FPU_MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
}

static void fpu_save(void *area)
{
    const struct arch_cpu_info *info = arch_cpu_info();
    uint32_t lo = (uint32_t)info->xcr0, hi = (uint32_t)(info->xcr0 >> 32);

    if (info->xsaveopt)
        __asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"(lo), "d"(hi)
                         : "memory");
    else if (info->xsave)
        __asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(lo), "d"(hi)
                         : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static void fpu_restore(const void *area)
{
    const struct arch_cpu_info *info = arch_cpu_info();
    uint32_t lo = (uint32_t)info->xcr0, hi = (uint32_t)(info->xcr0 >> 32);

    if (info->xsave)
        __asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(lo), "d"(hi)
                         : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

void arch_context_init(struct thread *t)
{
    uintptr_t top = ALIGN_DOWN((uintptr_t)t->stack + t->stack_size,
                               (uintptr_t)16);
    struct switch_frame *f = (struct switch_frame *)top - 1;

    *f = (struct switch_frame){.rip = (uintptr_t)arch_thread_start};
    t->sp = (uintptr_t)f;
    if (t->fpu)
        arch_fpu_init(t->fpu);
}

struct thread *arch_context_switch(struct thread *prev, struct thread *next)
{
    if (prev->fpu)
        fpu_save(prev->fpu);
    if (next->fpu)
        fpu_restore(next->fpu);
    cpu_self()->current = next;
    return arch_switch(prev, next);
}
