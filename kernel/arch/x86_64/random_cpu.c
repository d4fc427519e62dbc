/*
 * RDSEED and RDRAND: the first straight from the CPU's noise, the second from a
 * generator seeded by it. Both may have nothing to give for a moment. Any
 * context.
 */
#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/random.h>

#define RDRAND_TRIES 10  /* Intel SDM 1, 7.3.17.1 */
#define RDSEED_TRIES 100 /* the noise is shared by all CPUs: it runs dry */

bool arch_rdseed(uint64_t *out)
{
    bool ok = false;

    if (!arch_cpu_info()->rdseed)
        return false;
    for (unsigned i = 0; i < RDSEED_TRIES && !ok; i++) {
        __asm__ volatile("rdseed %0" : "=r"(*out), "=@ccc"(ok));
        if (!ok)
            arch_pause();
    }
    return ok;
}

bool arch_rdrand(uint64_t *out)
{
    bool ok = false;

    if (!arch_cpu_info()->rdrand)
        return false;
    for (unsigned i = 0; i < RDRAND_TRIES && !ok; i++)
        __asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
    return ok;
}
