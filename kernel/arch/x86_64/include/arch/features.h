/*
 * What the CPU can do, gathered once from the boot CPU's CPUID; every other
 * CPU is checked to have at least the same. Read-only after arch_early_init:
 * any context.
 */
#ifndef ARCH_FEATURES_H
#define ARCH_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arch_cpu_info {
    char vendor[13];     /* "GenuineIntel", "AuthenticAMD", ... */
    char brand[49];      /* "" when the CPU tells none */
    char hypervisor[13]; /* "TCGTCGTCGTCG", "KVMKVMKVM", "" on bare metal */
    uint32_t family, model, stepping;
    uint32_t phys_bits;      /* width of physical addresses */
    uint32_t max_leaf;       /* highest basic CPUID leaf */
    uint32_t max_ext_leaf;   /* highest of 0x8000xxxx */
    uint32_t max_hyper_leaf; /* highest of 0x4000xxxx, 0 without hypervisor */
    uint64_t nx_mask;        /* PTE_NX, or 0 when the CPU has no NX */
    bool smep, smap, umip, pge, nx;
    bool huge_pages;                   /* 1 GiB pages */
    bool xsave, xsaveopt, avx, avx512; /* avx..: the state is enabled too */
    bool avx2, fma;                    /* FMA3; usable */
    bool x2apic, tsc_deadline, invariant_tsc;
    bool vmx, svm;
    bool rdrand, rdseed;
    uint64_t xcr0;   /* what is switched with XSAVE; 0 without XSAVE */
    size_t fpu_size; /* bytes of a thread's XSAVE or FXSAVE area */
};

const struct arch_cpu_info *arch_cpu_info(void);

#endif
