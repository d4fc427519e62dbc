/* How often a guest exits, as events. Its vCPU's thread. */
#ifndef VMM_EXIT_RATE_H
#define VMM_EXIT_RATE_H

#include "vmm/vcpu.h"

/* Exits of one reason between two events; a power of two. */
#define EXIT_RATE_SAMPLE 256

/* EXIT_RATE_SAMPLE more of them have come. */
void exit_rate_sample(struct vcpu *v, enum exit_reason reason);

#endif
