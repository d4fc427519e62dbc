/*
 * Addresses to names: the symbol table of the running kernel, kept for the life
 * of the machine. symbols_init runs once at boot; look-ups read only, in any
 * context.
 */
#include <rayos/symbols.h>

#include <rayos/boot_info.h>
#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "symbol_table.h"

/* Where assembler's last label has no size, it must not reach to the end of the
 * address space. */
extern char __text_end[]; /* kernel.ld */

static struct symbol_table table;

void symbols_init(const struct boot_info *info)
{
    const void *file = phys_to_virt(info->kernel_file);
    struct symbol_table t;
    const char *error = "the loader did not keep the file";

    if (info->kernel_file)
        error = symbol_table_measure(file, info->kernel_file_size, &t);
    if (error) {
        log_warn("symbols", "panics will show addresses only: %s", error);
        return;
    }
    t.symbols = kalloc(t.count * sizeof(t.symbols[0]));
    t.names = kalloc(t.names_size);
    if (!t.symbols || !t.names) {
        kfree(t.symbols);
        kfree(t.names);
        log_warn("symbols", "no memory for %zu names", t.count);
        return;
    }
    symbol_table_fill(file, info->kernel_file_size, &t);
    table = t;
    log_debug("symbols", "%zu functions, %zu bytes of names", t.count,
              t.names_size);
}

const char *symbol_lookup(uintptr_t addr, uintptr_t *offset)
{
    uint64_t at = 0;
    const char *name = NULL;

    if (addr < (uintptr_t)__text_end)
        name = symbol_table_find(&table, addr, &at);
    *offset = at;
    return name;
}

void symbol_format(char *buf, size_t size, uintptr_t addr)
{
    uintptr_t offset;
    const char *name = symbol_lookup(addr, &offset);

    if (name)
        fmt_snprintf(buf, size, "%s+%#lx", name, (unsigned long)offset);
    else
        fmt_snprintf(buf, size, "%#lx", (unsigned long)addr);
}
