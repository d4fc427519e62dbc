/*
 * Functions of an ELF64 file (gABI 4.1, "Symbol Table"): those in executable
 * sections, assembler's labels included. The file comes from a disk and every
 * offset in it is checked. Pure; any context.
 */
#include "symbol_table.h"

#include <stdbool.h>
#include <string.h>

#include <rayos/elf.h>
#include <rayos/types.h>

#define KERNEL_BASE UINT64_C(0xffffffff80000000) /* see rayos/mm.h */

/* Names longer than this are cut; C++ may have those, we do not. */
#define NAME_MAX_LENGTH 127

/* The parts of the file, checked once. */
struct reader {
    const struct elf64_section *sections;
    size_t section_count;
    const struct elf64_symbol *symbols;
    size_t symbol_count;
    const char *strings;
    size_t strings_size;
};

static bool section_in_file(const struct elf64_section *s, uint64_t size)
{
    return s->offset <= size && s->size <= size - s->offset;
}

static const char *header_check(const struct elf64_header *h, uint64_t size)
{
    if (size < sizeof(*h))
        return "the file is shorter than an ELF header";
    if (h->magic != ELF_MAGIC || h->class != ELF_CLASS_64 ||
        h->data != ELF_DATA_LSB)
        return "e_ident is not that of a 64-bit little-endian ELF file";
    if (h->shentsize != sizeof(struct elf64_section))
        return "e_shentsize is not 64";
    if (h->shoff % 8 || h->shoff > size ||
        h->shnum > (size - h->shoff) / sizeof(struct elf64_section))
        return "e_shoff: the section headers lie outside the file";
    return NULL;
}

static const char *reader_open(struct reader *r, const void *file,
                               uint64_t size)
{
    const struct elf64_header *h = file;
    const uint8_t *bytes = file;
    const char *error = header_check(h, size);
    const struct elf64_section *symtab = NULL, *strtab;

    if (error)
        return error;
    r->sections = (const void *)(bytes + h->shoff);
    r->section_count = h->shnum;
    for (size_t i = 0; i < r->section_count && !symtab; i++)
        if (r->sections[i].type == ELF_SHT_SYMTAB)
            symtab = &r->sections[i];
    if (!symtab)
        return "sh_type: there is no symbol table (the file is stripped)";
    if (symtab->entsize != sizeof(struct elf64_symbol) || symtab->offset % 8 ||
        !section_in_file(symtab, size))
        return "sh_offset, sh_entsize: the symbol table is not in the file";
    if (symtab->link >= r->section_count)
        return "sh_link: the symbol table has no strings";
    strtab = &r->sections[symtab->link];
    if (strtab->type != ELF_SHT_STRTAB || !section_in_file(strtab, size))
        return "sh_link: the symbol table's strings are not in the file";
    r->symbols = (const void *)(bytes + symtab->offset);
    r->symbol_count = symtab->size / sizeof(struct elf64_symbol);
    r->strings = (const char *)bytes + strtab->offset;
    r->strings_size = strtab->size;
    return NULL;
}

/* The name and its length, 0 when it is not to be kept: the compiler's own
 * labels start with a dot. */
static size_t symbol_name(const struct reader *r, const struct elf64_symbol *s,
                          const char **name)
{
    size_t room, length = 0;

    if (s->name >= r->strings_size)
        return 0;
    *name = r->strings + s->name;
    room = r->strings_size - s->name;
    while (length < room && length < NAME_MAX_LENGTH && (*name)[length])
        length++;
    if (length == room || **name == '.' || **name == '$')
        return 0;
    return length;
}

static bool symbol_is_code(const struct reader *r, const struct elf64_symbol *s)
{
    unsigned type = ELF_ST_TYPE(s->info);

    return (type == ELF_STT_FUNC || type == ELF_STT_NOTYPE) &&
           s->shndx < r->section_count &&
           (r->sections[s->shndx].flags & ELF_SHF_EXEC) &&
           s->value >= KERNEL_BASE;
}

static void table_add(struct symbol_table *t, const struct elf64_symbol *s,
                      const char *name, size_t length)
{
    t->symbols[t->count++] = (struct symbol){
        .start = (uint32_t)(s->value - KERNEL_BASE),
        .size = s->size > UINT32_MAX ? UINT32_MAX : (uint32_t)s->size,
        .name = (uint32_t)t->names_size,
    };
    memcpy(t->names + t->names_size, name, length);
    t->names[t->names_size + length] = '\0';
}

/* Both passes; the first one (t->symbols NULL) only counts. */
static void table_scan(const struct reader *r, struct symbol_table *t)
{
    bool fill = t->symbols != NULL;

    for (size_t i = 0; i < r->symbol_count; i++) {
        const struct elf64_symbol *s = &r->symbols[i];
        const char *name;
        size_t length;

        if (!symbol_is_code(r, s))
            continue;
        length = symbol_name(r, s, &name);
        if (!length || length >= UINT32_MAX - t->names_size)
            continue;
        if (fill)
            table_add(t, s, name, length);
        else
            t->count++;
        t->names_size += length + 1;
    }
}

const char *symbol_table_measure(const void *file, uint64_t size,
                                 struct symbol_table *t)
{
    struct reader r;
    const char *error = reader_open(&r, file, size);

    *t = (struct symbol_table){0};
    if (!error)
        table_scan(&r, t);
    return error;
}

/* Among symbols of one address, the one with a size counts: it sorts last. */
static bool symbol_less(const struct symbol *a, const struct symbol *b)
{
    return a->start != b->start ? a->start < b->start : a->size < b->size;
}

static void symbol_swap(struct symbol *a, struct symbol *b)
{
    struct symbol t = *a;

    *a = *b;
    *b = t;
}

static void heap_sink(struct symbol *s, size_t i, size_t count)
{
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && symbol_less(&s[child], &s[child + 1]))
            child++;
        if (!symbol_less(&s[i], &s[child]))
            return;
        symbol_swap(&s[i], &s[child]);
    }
}

/* Heap sort: in place and without recursion, on whatever stack boot has. */
static void symbols_sort(struct symbol *s, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        heap_sink(s, i, count);
    for (size_t end = count; end > 1; end--) {
        symbol_swap(&s[0], &s[end - 1]);
        heap_sink(s, 0, end - 1);
    }
}

void symbol_table_fill(const void *file, uint64_t size, struct symbol_table *t)
{
    struct reader r;

    t->count = 0;
    t->names_size = 0;
    if (reader_open(&r, file, size))
        return;
    table_scan(&r, t);
    symbols_sort(t->symbols, t->count);
}

const char *symbol_table_find(const struct symbol_table *t, uint64_t addr,
                              uint64_t *offset)
{
    size_t low = 0, high = t->count; /* symbols[low - 1].start <= addr */
    const struct symbol *s;
    uint64_t at = addr - KERNEL_BASE;

    if (addr < KERNEL_BASE)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (t->symbols[middle].start <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    s = &t->symbols[low - 1];
    if (s->size && at - s->start >= s->size)
        return NULL;
    *offset = at - s->start;
    return t->names + s->name;
}
