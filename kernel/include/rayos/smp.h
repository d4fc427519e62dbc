/* Start-up of the other CPUs and messages between CPUs. */
#ifndef RAYOS_SMP_H
#define RAYOS_SMP_H

#include <rayos/types.h>

/* Start every CPU in the MADT (else those the loader was told of). Boot CPU,
 * thread context, once. */
void smp_start(void);

/* Make CPU `id` take its reschedule interrupt: it runs the pending asynchronous
 * call of its current thread and the scheduler on its way out. Any context but
 * NMI. */
void smp_send_reschedule(uint32_t id);

/* Run fn(arg) on every on-line CPU, this one included, in interrupt context,
 * and wait until all have. Thread context, interrupts on. */
void smp_call_all(void (*fn)(void *arg), void *arg);

/* Drop [va, va + size) from the TLBs of all CPUs. Thread context, interrupts
 * on. */
void smp_tlb_flush(uintptr_t va, size_t size);

/* NMI to all others: they record their state for the panic report and stop. Any
 * context. */
void smp_stop_others(void);

#endif
