/* Interrupt dispatch, for the files of arch/x86_64 only. */
#ifndef ARCH_IRQ_H
#define ARCH_IRQ_H

#include <rayos/irq.h>

/* Claim one of the system's own vectors (arch/trap.h). Boot. */
void irq_claim_system(int vector, const char *name, irq_handler_t handler);
/* Are lines those of the 8259s? Any context, after irq_init. */
bool irq_uses_pic(void);
/* Mask a line by its number. Any context but NMI. */
void irq_mask_gsi(uint32_t gsi, bool masked);

#endif
