/*
 * What both back ends do around an entry. The vCPU's thread, interrupts off.
 */
#ifndef VMM_ENTRY_H
#define VMM_ENTRY_H

#include <arch/features.h>

#include "vmm/vcpu.h"

#define ENTRY_CR4_OSXSAVE (UINT64_C(1) << 18)
#define ENTRY_DR7_ENABLES 0xffu

static inline uint64_t entry_xcr0_read(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

static inline void entry_xcr0_write(uint64_t value)
{
    __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)value),
                     "d"((uint32_t)(value >> 32)));
}

/* A guest that has not set CR4.OSXSAVE sees nothing of XCR0. */
static inline bool entry_has_xcr0(const struct vcpu *v)
{
    return (v->cr4 & ENTRY_CR4_OSXSAVE) && arch_cpu_info()->xcr0;
}

static inline void entry_xcr0_in(const struct vcpu *v)
{
    if (entry_has_xcr0(v) && v->xcr0 != arch_cpu_info()->xcr0)
        entry_xcr0_write(v->xcr0);
}

/* It may have changed XCR0 without an exit: not every CPU intercepts XSETBV. */
static inline void entry_xcr0_out(struct vcpu *v)
{
    if (!entry_has_xcr0(v))
        return;
    v->xcr0 = entry_xcr0_read();
    if (v->xcr0 != arch_cpu_info()->xcr0)
        entry_xcr0_write(arch_cpu_info()->xcr0);
}

/* Breakpoints that are not enabled are never met, and reading a debug register
 * exits: their addresses are loaded only when they count. DR7 is cleared by the
 * exit (APM 2 15.6, Intel SDM 3C 27.5.1). */
static inline void entry_breakpoints(const struct vcpu *v, uint64_t dr7)
{
    if (dr7 & ENTRY_DR7_ENABLES)
        __asm__ volatile("movq %0, %%db0\n\tmovq %1, %%db1\n\t"
                         "movq %2, %%db2\n\tmovq %3, %%db3" ::"r"(v->dr[0]),
                         "r"(v->dr[1]), "r"(v->dr[2]), "r"(v->dr[3]));
}

#endif
