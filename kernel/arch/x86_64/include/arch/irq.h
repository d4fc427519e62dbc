/* Interrupt dispatch, for the files of arch/x86_64 only. */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <rayos/irq.h>

/* Claim one of the system's own vectors (arch/trap.h). Boot. */
void irq_claim_system(int vector, const char *name, irq_handler_t handler);

#endif
