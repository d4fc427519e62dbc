/* Addresses to names, from the symbol table of the kernel's own ELF file.
 * Lookups: any context. */
#ifndef RAYOS_SYMBOLS_H
#define RAYOS_SYMBOLS_H

#include <rayos/types.h>

struct boot_info;

/* Parse the ELF file that the loader left and keep a sorted copy. Boot, once,
 * heap running. */
void symbols_init(const struct boot_info *info);
/* Name of the function that holds `addr` and the offset in it; NULL when
 * unknown. */
const char *symbol_lookup(uintptr_t addr, uintptr_t *offset);
/* "name+0x12" or "0xffff..." into buf. */
void symbol_format(char *buf, size_t size, uintptr_t addr);

#endif
