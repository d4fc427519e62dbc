/*
 * TSC_AUX, which RDTSCP and RDPID read without an exit. We do not use it
 * ourselves, so that a CPU keeps what the last guest put there until another
 * one enters.
 */
#include <arch/cpu.h>
#include <arch/features.h>
#include <rayos/percpu.h>

#include "vmm/vcpu.h"

#define MSR_TSC_AUX 0xc0000103 /* APM 2 appendix A */
#define LEAF_EXT    0x80000001u
#define EDX_RDTSCP  (1u << 27)

static uint32_t loaded[MAX_CPUS]; /* its own CPU, interrupts off; reset: 0 */

bool tsc_aux_exists(void)
{
    return arch_cpu_info()->max_ext_leaf >= LEAF_EXT &&
           (arch_cpuid(LEAF_EXT, 0).edx & EDX_RDTSCP);
}

void tsc_aux_load(const struct vcpu *v)
{
    uint32_t *on_cpu = &loaded[cpu_id()];

    if (*on_cpu == v->tsc_aux)
        return;
    *on_cpu = v->tsc_aux;
    arch_wrmsr(MSR_TSC_AUX, v->tsc_aux);
}
