/* sources: kernel/core/symbol_table.c */
/*
 * Any bytes as a file with symbols: the second pass takes the room that the
 * first one measured, the table is sorted, every name ends.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/core/symbol_table.h"

#define KERNEL_BASE UINT64_C(0xffffffff80000000)

static void check_table(const struct symbol_table *t)
{
    uint64_t offset;

    for (size_t i = 0; i < t->count; i++) {
        const struct symbol *s = &t->symbols[i];
        const char *name;

        FUZZ_CHECK(!i || s[-1].start <= s->start);
        FUZZ_CHECK(s->name < t->names_size);
        FUZZ_CHECK(memchr(t->names + s->name, 0, t->names_size - s->name));
        name = symbol_table_find(t, KERNEL_BASE + s->start, &offset);
        FUZZ_CHECK(name && offset == 0);
        symbol_table_find(t, KERNEL_BASE + s->start + s->size, &offset);
    }
    symbol_table_find(t, 0, &offset);
    symbol_table_find(t, UINT64_MAX, &offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *copy = fuzz_copy(data, size);
    struct symbol_table t;

    if (!symbol_table_measure(copy, size, &t)) {
        size_t count = t.count, names_size = t.names_size;

        t.symbols = malloc(count * sizeof(*t.symbols) + 1);
        t.names = malloc(names_size + 1);
        symbol_table_fill(copy, size, &t);
        FUZZ_CHECK(t.count == count && t.names_size == names_size);
        check_table(&t);
        free(t.symbols);
        free(t.names);
    }
    free(copy);
    return 0;
}
