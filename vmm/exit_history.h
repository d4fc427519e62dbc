/*
 * The last exits of each virtual CPU, also after it is gone: for whoever wants
 * to know what a guest does or did. Thread context, vm->lock held.
 */
#ifndef VMM_EXIT_HISTORY_H
#define VMM_EXIT_HISTORY_H

#include "vmm/vm.h"

/* What is left of a CPU that is gone. */
struct exit_history {
    uint32_t count;
    struct vcpu_exit_record record[VCPU_HISTORY]; /* oldest first */
};

/* Its thread has ended: keep its exits, in place of those of the last run. */
void exit_history_keep(struct vm *vm, const struct vcpu *v);
/* Of CPU `index`, oldest first; the guest may run. How many; 0: none. */
uint32_t exit_history_get(const struct vm *vm, uint32_t index,
                          struct vcpu_exit_record out[VCPU_HISTORY]);
void exit_history_free(struct vm *vm);

#endif
