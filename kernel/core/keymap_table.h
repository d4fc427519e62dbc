/* The layout in force, for the file that translates keys. */
#ifndef KERNEL_CORE_KEYMAP_TABLE_H
#define KERNEL_CORE_KEYMAP_TABLE_H

#include <rayos/keymap.h>
#include <rayos/spinlock.h>

/* It does not change until it is unlocked. */
const struct keymap_table *keymap_table_lock(irqflags_t *flags);
void keymap_table_unlock(irqflags_t flags);
/* What a dead key and the character after it make; 0: nothing. */
uint32_t keymap_compose(const struct keymap_table *t, uint32_t dead,
                        uint32_t base);

#endif
