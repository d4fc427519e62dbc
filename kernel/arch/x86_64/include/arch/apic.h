/* Interrupt controllers, for the files of arch/x86_64 only. */
#ifndef ARCH_APIC_H
#define ARCH_APIC_H

#include <rayos/types.h>

/* --- local APIC; of the CPU that calls --- */
/* Find and map it (boot CPU, once), then set up this CPU's. */
void lapic_init(void);
void lapic_init_cpu(void);
uint32_t lapic_id(void);
void lapic_eoi(void);
/* Is this vector in service: does it want an EOI. */
bool lapic_in_service(uint8_t vector);
/* Whether the vector waits to be delivered to this CPU. */
bool lapic_is_requested(uint8_t vector);
/* Let the 8259s interrupt through LINT0. */
void lapic_accept_pic(void);
/* Interrupts to another CPU, by APIC id. Any context. */
void lapic_send_ipi(uint32_t apic_id, uint8_t vector);
void lapic_send_nmi(uint32_t apic_id);
void lapic_send_init(uint32_t apic_id);
void lapic_send_startup(uint32_t apic_id, phys_t page);

/* The timer of this CPU. Counts are of the timer's own clock, divided by 1. */
void lapic_timer_periodic(uint32_t count);
void lapic_timer_oneshot_mode(void);
void lapic_timer_arm(uint32_t count); /* 0: stop */
uint32_t lapic_timer_count(void);
void lapic_timer_deadline_mode(void);
void lapic_timer_arm_deadline(uint64_t tsc); /* 0: stop */

/* --- I/O APICs --- */
/* Find, map and mask all. Number of them. */
uint32_t ioapic_init(void);
/* -ENODEV: none has that line. */
int ioapic_route(uint32_t gsi, uint8_t vector, uint32_t flags,
                 uint32_t apic_id);
void ioapic_set_mask(uint32_t gsi, bool masked);

/* --- 8259s --- */
void pic_init(void); /* moved to VECTOR_PIC_BASE, all masked */
void pic_set_mask(unsigned line, bool masked);
/* Make a line level triggered, where the chip set lets one (ELCR). */
void pic_set_level(unsigned line);
/* Before the handler: false: a spurious interrupt that wants no handler. Ends
 * the interrupt at the 8259s. */
bool pic_acknowledge(unsigned line);

#endif
