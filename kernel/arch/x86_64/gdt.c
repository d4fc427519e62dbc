/*
 * Segments, TSS and the stacks that the CPU switches to by itself. #DF, NMI and
 * #MC get stacks of their own (IST), because they may come when the current
 * stack is not usable. Boot and CPU start only.
 */
#include <errno.h>
#include <stddef.h>

#include <arch/cpu.h>
#include <arch/gdt.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>

#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101

/* Descriptors with the accessed bit set, so that loading one writes nothing. */
#define DESC_CODE64 UINT64_C(0x00af9b000000ffff)
#define DESC_DATA   UINT64_C(0x00cf93000000ffff)
#define DESC_TSS    UINT64_C(0x0000890000000000) /* available 64-bit TSS */

/* Known to vectors.S and to the inline accessors of percpu.h. */
_Static_assert(offsetof(struct cpu, self) == 0, "gs:0");
_Static_assert(offsetof(struct cpu, current) == 8, "gs:8");
_Static_assert(offsetof(struct cpu, id) == 16, "gs:16");
_Static_assert(offsetof(struct cpu, irq_depth) == 20, "gs:20");
_Static_assert(offsetof(struct cpu, irq_stack_top) == 24, "gs:24");
_Static_assert(sizeof(struct tss) == 104, "Intel SDM 3A figure 8-11");

struct descriptor_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* Until kspace_alloc works; without guard pages. */
static uint8_t early_stacks[IST_COUNT][IST_SIZE] __attribute__((aligned(16)));
static uint8_t early_irq_stack[IST_SIZE] __attribute__((aligned(16)));

void gdt_set_early_stacks(struct cpu *cpu)
{
    for (unsigned i = 0; i < IST_COUNT; i++)
        cpu->arch->tss.ist[i] = (uintptr_t)early_stacks[i] + IST_SIZE;
    cpu->irq_stack_top = (uintptr_t)early_irq_stack + sizeof(early_irq_stack);
}

int gdt_alloc_stacks(struct cpu *cpu)
{
    uint8_t *stack[IST_COUNT + 1] = {NULL};
    size_t size[IST_COUNT + 1] = {IST_SIZE, IST_SIZE, IST_SIZE, IRQ_STACK_SZ};

    for (unsigned i = 0; i < ARRAY_SIZE(stack); i++) {
        stack[i] = kspace_alloc_stack(size[i]);
        if (!stack[i]) {
            while (i-- > 0)
                kspace_free(stack[i]);
            return -ENOMEM;
        }
    }
    for (unsigned i = 0; i < IST_COUNT; i++)
        cpu->arch->tss.ist[i] = (uintptr_t)stack[i] + size[i];
    cpu->irq_stack_top = (uintptr_t)stack[IST_COUNT] + size[IST_COUNT];
    return 0;
}

static void gdt_fill(struct arch_cpu *arch)
{
    uint64_t base = (uintptr_t)&arch->tss;

    arch->tss.iomap_base = sizeof(arch->tss); /* none */
    arch->gdt[0] = 0;
    arch->gdt[KERNEL_CS / 8] = DESC_CODE64;
    arch->gdt[KERNEL_DS / 8] = DESC_DATA;
    arch->gdt[KERNEL_TSS / 8] = DESC_TSS | (sizeof(arch->tss) - 1) |
                                (base & 0xffffff) << 16 |
                                (base >> 24 & 0xff) << 56;
    arch->gdt[KERNEL_TSS / 8 + 1] = base >> 32;
}

void gdt_load(struct cpu *cpu)
{
    struct descriptor_register gdtr = {
        .limit = sizeof(cpu->arch->gdt) - 1,
        .base = (uintptr_t)cpu->arch->gdt,
    };

    gdt_fill(cpu->arch);
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %2, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "movl %%eax, %%ss\n\t"
                     "xorl %%eax, %%eax\n\t"
                     "movl %%eax, %%fs\n\t"
                     "movl %%eax, %%gs" ::"m"(gdtr),
                     "i"(KERNEL_CS), "i"(KERNEL_DS)
                     : "rax", "memory");
    cpu->self = cpu;
    arch_wrmsr(MSR_FS_BASE, 0);
    arch_wrmsr(MSR_GS_BASE, (uintptr_t)cpu);
    __asm__ volatile("ltr %w0" ::"r"(KERNEL_TSS) : "memory");
}
