/* Between the files of arch/x86_64 that start CPUs, and the clock. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* Make a CPU that starts known to cpu_count and cpu_get. On that CPU. */
void percpu_publish(struct cpu *cpu);

/* Remember the TSC of the kernel's entry: clock_now counts from there. */
void clock_mark_entry(void);

/* Claim the IPI vectors. Boot, once. */
void smp_call_init(void);

/* Drop everything from the TLB of this CPU. Any context. */
void smp_tlb_flush_self(void);

/* smp_stop_others was called: an NMI means "record and stop". Any context. */
bool smp_stop_requested(void);

/* A rough comparison of two CPUs' TSCs; both sides call it, interrupts off. */
void tsc_compare_lead(uint32_t other_id); /* CPU that starts the other */
void tsc_compare_follow(void);

#endif
