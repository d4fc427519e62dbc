/* sources: kernel/core/symbol_table.c */
/* Names of functions out of an ELF file, and no trust in the file. */
#include "check.h"

#include <stdlib.h>

#include <rayos/elf.h>

#include "kernel/core/symbol_table.h"

#define BASE    UINT64_C(0xffffffff80000000)
#define SYMBOLS 9

static const char names[] = "\0start\0middle\0label\0.L1\0data\0far\0tail";

struct file {
    struct elf64_header header;
    struct elf64_section sections[4];
    struct elf64_symbol symbols[SYMBOLS];
    char names[sizeof(names)];
};

static struct symbol_table table;

static struct elf64_symbol symbol(const char *name, unsigned type,
                                  unsigned section, uint64_t at, uint64_t size)
{
    const char *p = names + 1;

    while (strcmp(p, name) != 0)
        p += strlen(p) + 1;
    return (struct elf64_symbol){.name = (uint32_t)(p - names),
                                 .info = (uint8_t)(0x10 | type),
                                 .shndx = (uint16_t)section,
                                 .value = BASE + at,
                                 .size = size};
}

static struct file *make(void)
{
    struct file *f = calloc(1, sizeof(*f));

    f->header = (struct elf64_header){.magic = ELF_MAGIC,
                                      .class = ELF_CLASS_64,
                                      .data = ELF_DATA_LSB,
                                      .shoff = offsetof(struct file, sections),
                                      .shentsize = sizeof(f->sections[0]),
                                      .shnum = 4};
    f->sections[1] = (struct elf64_section){.type = 1, .flags = 6};
    f->sections[2] = (struct elf64_section){
        .type = ELF_SHT_SYMTAB,
        .offset = offsetof(struct file, symbols),
        .size = sizeof(f->symbols),
        .entsize = sizeof(f->symbols[0]),
        .link = 3,
    };
    f->sections[3] = (struct elf64_section){
        .type = ELF_SHT_STRTAB,
        .offset = offsetof(struct file, names),
        .size = sizeof(names),
    };
    f->symbols[1] = symbol("tail", ELF_STT_FUNC, 1, 0x3000, 0x100);
    f->symbols[2] = symbol("middle", ELF_STT_FUNC, 1, 0x200, 0x40);
    f->symbols[3] = symbol("start", ELF_STT_FUNC, 1, 0x100, 0x80);
    f->symbols[4] = symbol("label", ELF_STT_NOTYPE, 1, 0x2000, 0);
    f->symbols[5] = symbol(".L1", ELF_STT_NOTYPE, 1, 0x110, 0);
    f->symbols[6] = symbol("data", 1, 1, 0x120, 8);
    f->symbols[7] = symbol("far", ELF_STT_FUNC, 0xfff1, 0x130, 0);
    f->symbols[8] = symbol("label", ELF_STT_NOTYPE, 1, 0x100, 0);
    memcpy(f->names, names, sizeof(names));
    return f;
}

static void table_free(void)
{
    free(table.symbols);
    free(table.names);
    table = (struct symbol_table){0};
}

static void load(const void *file, uint64_t size)
{
    struct symbol_table room;

    table_free();
    CHECK(symbol_table_measure(file, size, &room) == NULL);
    table = room;
    table.symbols = malloc(room.count * sizeof(table.symbols[0]) + 1);
    table.names = malloc(room.names_size + 1);
    symbol_table_fill(file, size, &table);
    CHECK_EQ(table.count, room.count);
    CHECK_EQ(table.names_size, room.names_size);
}

static void expect(uint64_t at, const char *name, uint64_t offset)
{
    uint64_t found = 0;
    const char *n = symbol_table_find(&table, BASE + at, &found);

    if (!name) {
        CHECK(n == NULL);
        return;
    }
    CHECK_STR(n, name);
    CHECK_EQ(found, offset);
}

TEST(addresses_find_the_function_that_holds_them)
{
    struct file *f = make();

    load(f, sizeof(*f));
    free(f); /* nothing points into it */
    CHECK_EQ(table.count, 5);
    expect(0xff, NULL, 0);
    expect(0x100, "start", 0);
    expect(0x17f, "start", 0x7f);
    expect(0x180, NULL, 0); /* between functions */
    expect(0x200, "middle", 0);
    expect(0x23f, "middle", 0x3f);
    expect(0x240, NULL, 0);
    expect(0x2000, "label", 0);
    expect(0x2fff, "label", 0xfff); /* a label reaches to the next */
    expect(0x30ff, "tail", 0xff);
    expect(0x3100, NULL, 0);
    expect(-UINT64_C(1), NULL, 0);
    table_free();
}

TEST(an_empty_table_finds_nothing)
{
    expect(0x100, NULL, 0);
}

TEST(a_file_with_any_field_wrong_is_refused)
{
#define REFUSED(change)                                         \
    do {                                                        \
        struct file *f = make();                                \
        struct symbol_table t;                                  \
                                                                \
        change;                                                 \
        CHECK(symbol_table_measure(f, sizeof(*f), &t) != NULL); \
        free(f);                                                \
    } while (0)
    REFUSED(f->header.magic = 0);
    REFUSED(f->header.class = 1);
    REFUSED(f->header.shentsize = 40);
    REFUSED(f->header.shoff = UINT64_MAX - 7);
    REFUSED(f->header.shoff += 1);
    REFUSED(f->header.shoff = sizeof(*f));
    REFUSED(f->header.shnum = 0xffff);
    REFUSED(f->header.shnum = 0);
    REFUSED(f->sections[2].type = 1);
    REFUSED(f->sections[2].entsize = 16);
    REFUSED(f->sections[2].offset = UINT64_MAX - 7);
    REFUSED(f->sections[2].size = UINT64_MAX);
    REFUSED(f->sections[2].link = 4);
    REFUSED(f->sections[2].link = 1);
    REFUSED(f->sections[3].offset = sizeof(*f) + 1);
    REFUSED(f->sections[3].size += 8);
}

TEST(a_name_outside_of_the_strings_is_left_out)
{
    struct file *f = make();

    f->symbols[1].name = sizeof(names);
    f->symbols[2].name = UINT32_MAX;
    f->symbols[3].name = sizeof(names) - 1; /* empty */
    f->names[sizeof(names) - 1] = 'x';      /* and now without an end */
    load(f, sizeof(*f));
    free(f);
    CHECK_EQ(table.count, 2); /* the label, twice */
    table_free();
}

TEST(damaged_files_never_make_it_read_outside)
{
    srand(1);
    for (int round = 0; round < 20000; round++) {
        struct file *f = make();
        struct symbol_table room;

        for (int i = 0; i < 4; i++)
            ((uint8_t *)f)[(size_t)rand() % sizeof(*f)] = (uint8_t)rand();
        if (!symbol_table_measure(f, sizeof(*f), &room))
            load(f, sizeof(*f));
        free(f);
    }
    table_free();
}

TEST(many_symbols_come_out_sorted)
{
    enum { COUNT = 5000 };
    size_t size = offsetof(struct file, names) +
                  COUNT * sizeof(struct elf64_symbol) + sizeof(names);
    struct file *base = make(), *f = calloc(1, size);
    struct elf64_symbol *s = (void *)((uint8_t *)f +
                                      offsetof(struct file, names));

    memcpy(f, base, offsetof(struct file, names));
    f->sections[2].offset = (uint64_t)((uint8_t *)s - (uint8_t *)f);
    f->sections[2].size = COUNT * sizeof(*s);
    f->sections[3].offset = f->sections[2].offset + COUNT * sizeof(*s);
    memcpy(s + COUNT, names, sizeof(names));
    srand(2);
    for (size_t i = 0; i < COUNT; i++)
        s[i] = symbol("start", ELF_STT_FUNC, 1,
                      (uint64_t)(rand() % 100000) * 16, 16);
    load(f, size);
    CHECK_EQ(table.count, COUNT);
    for (size_t i = 1; i < COUNT; i++)
        CHECK(table.symbols[i - 1].start <= table.symbols[i].start);
    for (size_t i = 0; i < COUNT; i++)
        expect(s[i].value - BASE + 7, "start", 7);
    free(base);
    free(f);
    table_free();
}

CHECK_MAIN
