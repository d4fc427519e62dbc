/* The symbol table as data: read from an ELF file, sorted, searched. Pure. */
#ifndef CORE_SYMBOL_TABLE_H
#define CORE_SYMBOL_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Addresses are kept as offsets from KERNEL_BASE, names as offsets in one
 * block: 12 bytes a function. */
struct symbol {
    uint32_t start;
    uint32_t size; /* 0: up to the next symbol */
    uint32_t name;
};

struct symbol_table {
    struct symbol *symbols; /* sorted by start */
    size_t count;
    char *names; /* each NUL terminated */
    size_t names_size;
};

/*
 * Pass 1: how much room the functions of the file take: count and names_size
 * of `t`. NULL, or what is wrong with the file (the field's name first).
 */
const char *symbol_table_measure(const void *file, uint64_t size,
                                 struct symbol_table *t);
/* Pass 2: fill t->symbols and t->names, which the caller made of that size, and
 * sort. The file must be the same. */
void symbol_table_fill(const void *file, uint64_t size, struct symbol_table *t);

/* Name of the function that holds `addr`, and the offset in it; NULL. */
const char *symbol_table_find(const struct symbol_table *t, uint64_t addr,
                              uint64_t *offset);

#endif
