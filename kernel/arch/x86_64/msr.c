/* MSR accesses that may fault, by way of the fix-up table. Any context. */
#include <arch/extable.h>
#include <arch/trap.h>

bool arch_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    uint32_t lo = 0, hi = 0, ok = 0;

    __asm__ volatile("1: rdmsr\n\t"
                     "movl $1, %0\n"
                     "2:\n" EXTABLE("1b", "2b")
                     : "+&r"(ok), "+a"(lo), "+d"(hi)
                     : "c"(msr));
    *value = (uint64_t)hi << 32 | lo;
    return ok;
}

bool arch_wrmsr_safe(uint32_t msr, uint64_t value)
{
    uint32_t ok = 0;

    __asm__ volatile("1: wrmsr\n\t"
                     "movl $1, %0\n"
                     "2:\n" EXTABLE("1b", "2b")
                     : "+&r"(ok)
                     : "c"(msr), "a"((uint32_t)value),
                       "d"((uint32_t)(value >> 32))
                     : "memory");
    return ok;
}
