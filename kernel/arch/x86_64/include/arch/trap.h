/*
 * What vectors.S leaves on the stack for every exception and interrupt, and
 * the vectors themselves. Fields are in memory order.
 */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include <stdbool.h>
#include <stdint.h>

struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error;                    /* 0 for those that the CPU gives none */
    uint64_t rip, cs, rflags, rsp, ss; /* pushed by the CPU, always all five */
};

/*
 * Backtraces: start with (frame->rip, frame->rbp) and follow the chain
 * rbp -> {saved rbp, return address}; it ends with rbp 0. The entry code pushes
 * a pair {interrupted rbp, interrupted rip} of its own, so a chain that starts
 * in a handler runs on through the interrupted code, and through a switch to
 * the interrupt stack.
 */

/* Exceptions, Intel SDM 3A table 6-1. */
enum trap_vector {
    TRAP_DE = 0,
    TRAP_DB = 1,
    TRAP_NMI = 2,
    TRAP_BP = 3,
    TRAP_UD = 6,
    TRAP_NM = 7,
    TRAP_DF = 8,
    TRAP_TS = 10,
    TRAP_NP = 11,
    TRAP_SS = 12,
    TRAP_GP = 13,
    TRAP_PF = 14,
    TRAP_MF = 16,
    TRAP_AC = 17,
    TRAP_MC = 18,
    TRAP_XM = 19,
    TRAP_CP = 21,
    TRAP_COUNT = 32, /* vectors below are the CPU's */
};

/* Interrupt vectors. 0x20..0x2f belong to the 8259s, 0x30..0xef are given out
 * by irq_vector_alloc. */
#define VECTOR_PIC_BASE   0x20
#define VECTOR_ALLOC_MIN  0x30
#define VECTOR_ALLOC_MAX  0xef
#define VECTOR_TIMER      0xf0 /* LAPIC timer */
#define VECTOR_RESCHEDULE 0xf1
#define VECTOR_CALL       0xf2 /* smp_call_all */
#define VECTOR_APIC_ERROR 0xfe
#define VECTOR_SPURIOUS   0xff

/* Error code of #PF, Intel SDM 3A 4.7. */
#define PF_PRESENT  (1u << 0) /* a right was missing, not the page */
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3) /* reserved bit set in a page table */
#define PF_FETCH    (1u << 4)

/* Name of an exception as the manuals write it, "#PF page fault"; "interrupt"
 * for the rest. Any context. */
const char *trap_name(uint64_t vector);

/* The MSR accesses that may fault: false when the CPU answers #GP (`*value` is
 * then 0). Any context. */
bool arch_rdmsr_safe(uint32_t msr, uint64_t *value);
bool arch_wrmsr_safe(uint32_t msr, uint64_t value);

#endif
