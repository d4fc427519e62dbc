/*
 * CPUID: a table of lines made when the VM starts, from what the host has and
 * we support, with the owner's edits; a few bits follow the vCPU's state. The
 * vCPU's thread; cpuid_table_make: thread context.
 */
#include "vmm/cpuid.h"

#include <errno.h>

#include <arch/cpu.h>
#include <arch/features.h>
#include <rayos/mm.h>

#define LINES_MAX  96
#define EXT_BASE   0x80000000u
#define LEAF_BASIC 1u
#define LEAF_FLAGS 7u
#define LEAF_TOPO  0xbu
#define LEAF_XSAVE 0xdu
#define LEAF_EXT   0x80000001u
#define LEAF_SIZES 0x80000008u

/* Leaf 1, Intel SDM 2A table 3-10 and 3-11: what a guest gets if the host has
 * it. Not: MONITOR, VMX, SMX, EIST, TM2, PDCM, PCID, DCA, x2APIC and
 * TSC-deadline are the virtual APIC's own. */
#define ECX1_GUEST                                                             \
    (1u << 0 | 1u << 1 | 1u << 9 | 1u << 12 | 1u << 13 | 1u << 19 | 1u << 20 | \
     1u << 22 | 1u << 23 | 1u << 25 | 1u << 26 | 1u << 28 | 1u << 29 |         \
     1u << 30)
#define ECX1_X2APIC       (1u << 21)
#define ECX1_TSC_DEADLINE (1u << 24)
#define ECX1_OSXSAVE      (1u << 27)
#define ECX1_HYPERVISOR   (1u << 31)
/* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36
 * CLFSH MMX FXSR SSE SSE2 SS HTT */
#define EDX1_GUEST 0x1f8bfbffu
#define EDX1_APIC  (1u << 9)
/* Leaf 7: FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS AVX512F RDSEED ADX SMAP CLFLUSHOPT
 * CLWB SHA and the AVX512 that goes with our XCR0 */
#define EBX7_GUEST                                                          \
    (1u << 0 | 1u << 3 | 1u << 5 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 18 | \
     1u << 19 | 1u << 20 | 1u << 23 | 1u << 24 | 1u << 29)
#define EBX7_AVX512 (1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31)
#define ECX7_GUEST  (1u << 2 | 1u << 22) /* UMIP RDPID */
/* Leaf 8000_0001, APM 3 E.4: LAHF LZCNT SSE4A MISALIGNSSE 3DNOWPREFETCH; not
 * SVM */
#define ECX_EXT_GUEST \
    (1u << 0 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 4)
/* As EDX1, and SYSCALL NX MMXEXT FFXSR 1GB RDTSCP LM */
#define EDX_EXT_GUEST                                                     \
    (0x0183f3ffu | 1u << 11 | 1u << 20 | 1u << 22 | 1u << 25 | 1u << 26 | \
     1u << 27 | 1u << 29)
#define XSAVE1_GUEST 7u /* XSAVEOPT XSAVEC XGETBV(1); not XSAVES */
#define CR4_OSXSAVE  (UINT64_C(1) << 18)

struct table {
    struct vm_cpuid *lines;
    size_t count;
};

static bool same(const struct vm_cpuid *a, uint32_t leaf, uint32_t subleaf)
{
    return a->leaf == leaf && (a->any_subleaf || a->subleaf == subleaf);
}

static const struct vm_cpuid *find(const struct vm *vm, uint32_t leaf,
                                   uint32_t subleaf)
{
    for (size_t i = 0; i < vm->cpuid_count; i++)
        if (same(&vm->cpuid[i], leaf, subleaf))
            return &vm->cpuid[i];
    return NULL;
}

static struct vm_cpuid *add(struct table *t, uint32_t leaf, uint32_t subleaf,
                            bool any)
{
    struct cpuid_regs r = arch_cpuid(leaf, subleaf);
    struct vm_cpuid *line = &t->lines[t->count];

    if (t->count >= LINES_MAX)
        return &t->lines[LINES_MAX - 1];
    t->count++;
    *line = (struct vm_cpuid){
        .leaf = leaf,
        .subleaf = subleaf,
        .any_subleaf = any,
        .eax = r.eax,
        .ebx = r.ebx,
        .ecx = r.ecx,
        .edx = r.edx,
    };
    return line;
}

static void add_constant(struct table *t, uint32_t leaf, uint32_t eax,
                         uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    if (t->count < LINES_MAX)
        t->lines[t->count++] = (struct vm_cpuid){leaf, 0,   true, eax,
                                                 ebx,  ecx, edx};
}

static void add_basic(struct table *t, const struct vm *vm)
{
    bool apic = vm->irqchip;
    struct vm_cpuid *l = add(t, LEAF_BASIC, 0, true);

    l->ecx = (l->ecx & ECX1_GUEST) | ECX1_HYPERVISOR;
    l->edx &= EDX1_GUEST;
    if (apic)
        l->ecx |= ECX1_X2APIC | ECX1_TSC_DEADLINE;
    else
        l->edx &= ~EDX1_APIC;
    /* CLFLUSH size stays; number of logical CPUs; the id is put in later. */
    l->ebx = (l->ebx & 0xff00) | vm->config.cpus << 16;
}

static void add_features(struct table *t)
{
    const struct arch_cpu_info *info = arch_cpu_info();
    struct vm_cpuid *l;

    if (info->max_leaf < LEAF_FLAGS)
        return;
    l = add(t, LEAF_FLAGS, 0, false);
    l->eax = 0;
    l->ebx &= EBX7_GUEST | (info->avx512 ? EBX7_AVX512 : 0);
    l->ecx &= ECX7_GUEST;
    l->edx = 0;
}

static void add_topology(struct table *t, const struct vm *vm)
{
    uint32_t shift = 0;

    while (1u << shift < vm->config.cpus)
        shift++;
    /* Level 0: threads, one each; level 1: cores. Intel SDM 2A table 3-8 */
    t->lines[t->count++] = (struct vm_cpuid){LEAF_TOPO, 0,      false, 0,
                                             1,         1 << 8, 0};
    t->lines[t->count++] = (struct vm_cpuid){
        LEAF_TOPO, 1, false, shift, vm->config.cpus, 1 | 2 << 8, 0};
}

/* Only the components that a switch of threads saves. */
static void add_xsave(struct table *t)
{
    const struct arch_cpu_info *info = arch_cpu_info();
    struct vm_cpuid *l;

    if (!info->xsave)
        return;
    l = add(t, LEAF_XSAVE, 0, false);
    l->eax &= (uint32_t)info->xcr0;
    l->edx = 0;
    l->ecx = (uint32_t)info->fpu_size;
    l = add(t, LEAF_XSAVE, 1, false);
    l->eax &= XSAVE1_GUEST;
    l->ebx = l->ecx = l->edx = 0;
    for (uint32_t i = 2; i < 32; i++)
        if (info->xcr0 >> i & 1)
            add(t, LEAF_XSAVE, i, false);
}

static void add_extended(struct table *t, const struct vm *vm)
{
    const struct arch_cpu_info *info = arch_cpu_info();
    struct vm_cpuid *l;

    if (!info->max_ext_leaf)
        return;
    l = add(t, EXT_BASE, 0, true);
    if (l->eax > LEAF_SIZES)
        l->eax = LEAF_SIZES;
    l = add(t, LEAF_EXT, 0, true);
    l->ecx &= ECX_EXT_GUEST;
    l->edx &= EDX_EXT_GUEST;
    for (uint32_t leaf = EXT_BASE + 2; leaf <= EXT_BASE + 6; leaf++)
        if (leaf <= info->max_ext_leaf)
            add(t, leaf, 0, true);
    /* The TSC does not stop and does not change its rate: bit 8. */
    add_constant(t, EXT_BASE + 7, 0, 0, 0, 1u << 8);
    if (info->max_ext_leaf >= LEAF_SIZES) {
        l = add(t, LEAF_SIZES, 0, true);
        l->eax &= 0xffff; /* physical and linear address widths */
        l->ebx = l->edx = 0;
        l->ecx = vm->config.cpus - 1;
    }
}

/* The owner's lines stand first, where they are found first. */
static void add_edits(struct table *t, const struct vm_config *c)
{
    for (uint32_t i = 0; i < c->cpuid_count; i++)
        t->lines[t->count++] = c->cpuid[i];
}

int cpuid_table_make(struct vm *vm)
{
    struct table t = {.lines = kzalloc(LINES_MAX * sizeof(*t.lines))};
    const struct arch_cpu_info *info = arch_cpu_info();
    struct vm_cpuid *l;

    if (!t.lines)
        return -ENOMEM;
    add_edits(&t, &vm->config);
    add_basic(&t, vm);
    l = add(&t, 0, 0, true);
    l->eax = info->max_leaf < LEAF_XSAVE ? info->max_leaf : LEAF_XSAVE;
    add_features(&t);
    add_topology(&t, vm);
    add_xsave(&t);
    add_extended(&t, vm);
    /* Hypervisor leaves (0x40000000 and on) are added by who implements what
     * they offer. */
    vm->cpuid = t.lines;
    vm->cpuid_count = t.count;
    return 0;
}

int cpuid_table_add(struct vm *vm, const struct vm_cpuid *line)
{
    if (vm->cpuid_count >= LINES_MAX)
        return -ENOSPC;
    vm->cpuid[vm->cpuid_count++] = *line;
    return 0;
}

/* Bytes that XSAVE writes for the components in `xcr0`. */
static uint32_t xsave_size(const struct vm *vm, uint64_t xcr0)
{
    uint32_t size = 576; /* legacy region and header, Intel SDM 1 13.4 */

    for (uint32_t i = 2; i < 32; i++) {
        const struct vm_cpuid *l = xcr0 >> i & 1 ? find(vm, LEAF_XSAVE, i)
                                                 : NULL;

        if (l && l->eax + l->ebx > size)
            size = l->eax + l->ebx;
    }
    return size;
}

/* What depends on the vCPU. */
static void adjust(const struct vcpu *v, struct vm_cpuid *l)
{
    switch (l->leaf) {
    case LEAF_BASIC:
        l->ebx |= v->index << 24;
        if (v->cr4 & CR4_OSXSAVE)
            l->ecx |= ECX1_OSXSAVE;
        return;
    case LEAF_TOPO:
        l->edx = v->index;
        return;
    case LEAF_XSAVE:
        if (l->subleaf == 0)
            l->ebx = xsave_size(v->vm, v->xcr0);
        return;
    default:
        return;
    }
}

void exit_cpuid(struct vcpu *v, const struct vm_exit *e)
{
    uint64_t *gpr = v->regs.gpr;
    uint32_t leaf = (uint32_t)gpr[GPR_RAX], sub = (uint32_t)gpr[GPR_RCX];
    const struct vm_cpuid *found = find(v->vm, leaf, sub);
    struct vm_cpuid line = {0};

    if (found)
        line = *found;
    else if (leaf == LEAF_TOPO)
        line.ecx = sub & 0xff; /* past the last level */
    line.leaf = leaf;
    line.subleaf = sub;
    adjust(v, &line);
    gpr[GPR_RAX] = line.eax;
    gpr[GPR_RBX] = line.ebx;
    gpr[GPR_RCX] = line.ecx;
    gpr[GPR_RDX] = line.edx;
    vcpu_skip(v, e);
}
