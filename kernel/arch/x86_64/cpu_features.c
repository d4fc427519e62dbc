/*
 * What the CPU can do, and the control registers set up for it. CPUID is read
 * once, at boot: under a hypervisor every CPUID is an exit. Boot and CPU start
 * only, but for arch_cpu_info.
 */
#include <string.h>

#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/gdt.h>
#include <arch/paging.h>

/* Intel SDM 3A 2.5, 2.2.1; 4 table 2-2. */
#define CR0_PE        (UINT64_C(1) << 0)
#define CR0_MP        (UINT64_C(1) << 1)
#define CR0_ET        (UINT64_C(1) << 4)
#define CR0_NE        (UINT64_C(1) << 5)
#define CR0_WP        (UINT64_C(1) << 16)
#define CR0_PG        (UINT64_C(1) << 31)
#define CR4_DE        (UINT64_C(1) << 3)
#define CR4_PAE       (UINT64_C(1) << 5)
#define CR4_MCE       (UINT64_C(1) << 6)
#define CR4_PGE       (UINT64_C(1) << 7)
#define CR4_OSFXSR    (UINT64_C(1) << 9)
#define CR4_OSXMM     (UINT64_C(1) << 10)
#define CR4_UMIP      (UINT64_C(1) << 11)
#define CR4_LA57      (UINT64_C(1) << 12)
#define CR4_OSXSAVE   (UINT64_C(1) << 18)
#define CR4_SMEP      (UINT64_C(1) << 20)
#define CR4_SMAP      (UINT64_C(1) << 21)
#define MSR_EFER      0xc0000080
#define MSR_PAT       0x277
#define EFER_NXE      (UINT64_C(1) << 11)
#define XCR0_LEGACY   UINT64_C(3) /* x87 and SSE; the CPU always has them */
#define XCR0_AVX      (UINT64_C(1) << 2)
#define XCR0_AVX512   (UINT64_C(7) << 5)
#define FXSAVE_SIZE   512
#define MXCSR_DEFAULT 0x1f80 /* all exceptions masked, round to nearest */

#define CPUID_EXT   0x80000000
#define CPUID_HYPER 0x40000000

static struct arch_cpu_info info;

const struct arch_cpu_info *arch_cpu_info(void)
{
    return &info;
}

static bool bit(uint32_t reg, unsigned n)
{
    return reg >> n & 1;
}

static void put_word(char *out, uint32_t word)
{
    memcpy(out, &word, sizeof(word));
}

static void gather_names(void)
{
    struct cpuid_regs r = arch_cpuid(0, 0);
    char brand[48], *start = brand;

    info.max_leaf = r.eax;
    put_word(info.vendor, r.ebx);
    put_word(info.vendor + 4, r.edx);
    put_word(info.vendor + 8, r.ecx);
    info.max_ext_leaf = arch_cpuid(CPUID_EXT, 0).eax;
    if (info.max_ext_leaf < CPUID_EXT)
        info.max_ext_leaf = 0;
    if (info.max_ext_leaf < CPUID_EXT + 4)
        return;
    for (unsigned i = 0; i < 3; i++) {
        r = arch_cpuid(CPUID_EXT + 2 + i, 0);
        memcpy(brand + 16 * i, &r, 16); /* EAX EBX ECX EDX */
    }
    while (start < brand + sizeof(brand) && *start == ' ')
        start++; /* Intel pads on the left */
    memcpy(info.brand, start, (size_t)(brand + sizeof(brand) - start));
}

static void gather_hypervisor(void)
{
    struct cpuid_regs r;

    if (!bit(arch_cpuid(1, 0).ecx, 31))
        return;
    r = arch_cpuid(CPUID_HYPER, 0);
    info.max_hyper_leaf = r.eax >= CPUID_HYPER ? r.eax : CPUID_HYPER;
    put_word(info.hypervisor, r.ebx);
    put_word(info.hypervisor + 4, r.ecx);
    put_word(info.hypervisor + 8, r.edx);
}

/* Intel SDM 2A CPUID, figure 3-6: the extended fields count for some families
 * only. */
static void gather_model(uint32_t eax)
{
    info.stepping = eax & 0xf;
    info.model = eax >> 4 & 0xf;
    info.family = eax >> 8 & 0xf;
    if (info.family == 0xf || info.family == 6)
        info.model |= (eax >> 16 & 0xf) << 4;
    if (info.family == 0xf)
        info.family += eax >> 20 & 0xff;
}

static void gather_xsave(uint32_t leaf1_ecx)
{
    struct cpuid_regs r;

    info.fpu_size = FXSAVE_SIZE;
    info.xsave = bit(leaf1_ecx, 26) && info.max_leaf >= 0xd;
    if (!info.xsave) {
        info.avx2 = info.avx512 = false;
        return;
    }
    r = arch_cpuid(0xd, 0);
    info.xcr0 = XCR0_LEGACY;
    if (bit(leaf1_ecx, 28) && (r.eax & XCR0_AVX))
        info.xcr0 |= XCR0_AVX;
    info.avx = info.xcr0 & XCR0_AVX;
    info.avx2 = info.avx && info.avx2;
    info.fma = info.avx && bit(leaf1_ecx, 12);
    if (info.avx && info.avx512 && (r.eax & XCR0_AVX512) == XCR0_AVX512)
        info.xcr0 |= XCR0_AVX512;
    info.avx512 = info.xcr0 & XCR0_AVX512;
    info.xsaveopt = bit(arch_cpuid(0xd, 1).eax, 0);
}

static void gather_bits(struct arch_cpu_info *f)
{
    struct cpuid_regs r = arch_cpuid(1, 0);

    gather_model(r.eax);
    f->vmx = bit(r.ecx, 5);
    f->x2apic = bit(r.ecx, 21);
    f->tsc_deadline = bit(r.ecx, 24);
    f->rdrand = bit(r.ecx, 30);
    f->pge = bit(r.edx, 13);
    if (f->max_leaf >= 7) {
        struct cpuid_regs s = arch_cpuid(7, 0);

        f->smep = bit(s.ebx, 7);
        f->smap = bit(s.ebx, 20);
        f->umip = bit(s.ecx, 2);
        f->avx2 = bit(s.ebx, 5);
        f->avx512 = bit(s.ebx, 16);
        f->rdseed = bit(s.ebx, 18);
    }
    f->phys_bits = 36;
    if (f->max_ext_leaf >= CPUID_EXT + 1) {
        struct cpuid_regs s = arch_cpuid(CPUID_EXT + 1, 0);

        f->nx = bit(s.edx, 20);
        f->huge_pages = bit(s.edx, 26);
        f->svm = bit(s.ecx, 2);
    }
    if (f->max_ext_leaf >= CPUID_EXT + 7)
        f->invariant_tsc = bit(arch_cpuid(CPUID_EXT + 7, 0).edx, 8);
    if (f->max_ext_leaf >= CPUID_EXT + 8)
        f->phys_bits = arch_cpuid(CPUID_EXT + 8, 0).eax & 0xff;
    f->nx_mask = f->nx ? PTE_NX : 0;
    gather_xsave(r.ecx);
}

void cpu_features_gather(void)
{
    gather_names();
    gather_hypervisor();
    gather_bits(&info);
}

/* What the kernel has come to rely on; a CPU that lacks one of these is not
 * used. */
bool cpu_features_check(void)
{
    struct cpuid_regs r = arch_cpuid(1, 0);
    bool ok = true;

    if (info.xsave)
        ok = bit(r.ecx, 26) &&
             (arch_cpuid(0xd, 0).eax & info.xcr0) == info.xcr0;
    if (info.xsaveopt)
        ok = ok && bit(arch_cpuid(0xd, 1).eax, 0);
    ok = ok && bit(r.ecx, 21) >= info.x2apic &&
         bit(r.ecx, 24) >= info.tsc_deadline;
    if (info.nx)
        ok = ok && bit(arch_cpuid(CPUID_EXT + 1, 0).edx, 20);
    return ok;
}

static void enable_fpu(void)
{
    uint32_t mxcsr = MXCSR_DEFAULT;

    if (info.xsave)
        __asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)info.xcr0),
                         "d"((uint32_t)(info.xcr0 >> 32)));
    __asm__ volatile("fninit; ldmxcsr %0" ::"m"(mxcsr));
    /* EBX: size of the components that XCR0 enables (SDM 1 13.2). */
    if (info.xsave)
        info.fpu_size = arch_cpuid(0xd, 0).ebx;
}

/* SDM 3A 11.12.4: nothing cached under the old types may survive. The loader
 * maps everything write-back, which stays entry 0. */
static void enable_pat(void)
{
    __asm__ volatile("wbinvd" ::: "memory");
    arch_wrmsr(MSR_PAT, PAT_VALUE);
    __asm__ volatile("wbinvd" ::: "memory");
    arch_write_cr3(arch_read_cr3());
}

void cpu_features_enable(void)
{
    uint64_t cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
    uint64_t cr4;

    if (info.nx)
        arch_wrmsr(MSR_EFER, arch_rdmsr(MSR_EFER) | EFER_NXE);
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    cr4 &= CR4_LA57; /* cannot change in long mode */
    cr4 |= CR4_PAE | CR4_DE | CR4_MCE | CR4_OSFXSR | CR4_OSXMM;
    cr4 |= info.pge ? CR4_PGE : 0;
    cr4 |= info.umip ? CR4_UMIP : 0;
    cr4 |= info.smep ? CR4_SMEP : 0;
    cr4 |= info.smap ? CR4_SMAP : 0;
    cr4 |= info.xsave ? CR4_OSXSAVE : 0;
    __asm__ volatile("movq %0, %%cr0\n\tmovq %1, %%cr4" ::"r"(cr0), "r"(cr4)
                     : "memory");
    enable_pat();
    enable_fpu();
}
