/* Segments, the task state segment and the stacks that hang on it. */
#ifndef ARCH_GDT_H
#define ARCH_GDT_H

#define KERNEL_CS    0x08
#define KERNEL_DS    0x10
#define KERNEL_TSS   0x18 /* two slots */
#define GDT_ENTRIES  5
#define IST_DF       1
#define IST_NMI      2
#define IST_MC       3
#define IST_COUNT    3
#define IST_SIZE     8192
#define IRQ_STACK_SZ 16384

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* Intel SDM 3A figure 8-11. */
struct tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t iomap_base;
} __attribute__((packed));

struct arch_cpu {
    uint64_t gdt[GDT_ENTRIES] __attribute__((aligned(16)));
    struct tss tss __attribute__((aligned(16)));
};

/* Load GDT, segments and TSS of `cpu` on the CPU that runs this, and point GS
 * at it. */
void gdt_load(struct cpu *cpu);
/* CPU 0 before memory management: static stacks. */
void gdt_set_early_stacks(struct cpu *cpu);
/* Interrupt and IST stacks of their own with guard pages. -ENOMEM. Thread or
 * boot context of any CPU; `cpu` must not be in one of them. */
int gdt_alloc_stacks(struct cpu *cpu);

/* Fill the IDT (boot CPU, once); load it (each CPU). */
void idt_init(void);
void idt_load(void);

/* Gather or check CPUID, set up the control registers of this CPU. false: this
 * CPU lacks what the boot CPU has. */
void cpu_features_gather(void);
bool cpu_features_check(void);
void cpu_features_enable(void);

#endif
#endif
