/* How often an interrupt comes, as events. Interrupt context. */
#ifndef X86_64_IRQ_RATE_H
#define X86_64_IRQ_RATE_H

#include <rayos/types.h>

#define IRQ_RATE_SAMPLE                                  \
    256 /* interrupts between two events; a power of two \
         */

/* In place of a line: a device's message, which can be masked; the machine's
 * own vectors, which cannot. */
#define IRQ_RATE_MESSAGE (-1)
#define IRQ_RATE_OWN     (-2)

/* IRQ_RATE_SAMPLE more have come; *mark is kept between the calls. */
void irq_rate_sample(int vector, int64_t line, const char *name,
                     uint64_t *mark);

#endif
