/*
 * Start-up order. kernel/core/main.c calls these, in this order, on the boot
 * CPU; everything after is a unit. Each is declared here, and here only,
 * because nobody else may call it; the module that defines it says what it
 * does.
 */
#ifndef RAYOS_BOOT_H
#define RAYOS_BOOT_H

#include <rayos/boot_info.h>
#include <rayos/percpu.h>

/* Called by arch/x86_64/entry.S on the boot stack, interrupts off, on the
 * loader's page tables (direct map, kernel image and identity map present).
 * `info` is an address in the direct map. */
_Noreturn void kernel_main(const struct boot_info *info);

/* The kernel's own copy; the tables that it points to are good until
 * frame_reclaim_loader. Any context. */
const struct boot_info *boot_info_get(void);

void arch_early_init(void); /* CPU features, GDT, TSS, IDT with exceptions,
                               per-CPU data of CPU 0 */
/* cmdline_init, frame_init, kspace_init, kheap_init, symbols_init, acpi_init:
 * see their headers */
void irq_init(void);   /* PIC off, LAPIC, I/O APICs masked */
void clock_init(void); /* TSC measured; clock_event_arm works after it */
/* sched_init, smp_start, units_start */

/* Tables, stack and features of another CPU, called on that CPU by the
 * trampoline's C side before sched_start_cpu. */
void arch_cpu_init(struct cpu *cpu);

#endif
