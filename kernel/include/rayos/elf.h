/*
 * ELF64 as far as the loader, the symbol table and the guest loaders read it
 * (System V gABI 4.1, chapter 4 and 5; names as there). Whoever reads a file
 * checks every field before its use.
 */
#ifndef RAYOS_ELF_H
#define RAYOS_ELF_H

#include <stdint.h>

#define ELF_MAGIC       0x464c457fu /* "\177ELF", as a little-endian word */
#define ELF_CLASS_64    2
#define ELF_DATA_LSB    1
#define ELF_VERSION_1   1
#define ELF_TYPE_EXEC   2
#define ELF_X86_64      62
#define ELF_PT_LOAD     1
#define ELF_PF_X        1u
#define ELF_SHT_SYMTAB  2
#define ELF_SHT_STRTAB  3
#define ELF_SHT_NOBITS  8
#define ELF_SHF_EXEC    4u /* SHF_EXECINSTR */
#define ELF_STT_NOTYPE  0
#define ELF_STT_FUNC    2
#define ELF_ST_TYPE(st) ((st)&0xf)

struct elf64_header {
    uint32_t magic; /* e_ident[0..3] */
    uint8_t class;
    uint8_t data;
    uint8_t ident_version;
    uint8_t ident_rest[9];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t phoff;
    uint64_t shoff;
    uint32_t flags;
    uint16_t ehsize;
    uint16_t phentsize;
    uint16_t phnum;
    uint16_t shentsize;
    uint16_t shnum;
    uint16_t shstrndx;
};

struct elf64_program {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t filesz;
    uint64_t memsz;
    uint64_t align;
};

struct elf64_section {
    uint32_t name;
    uint32_t type;
    uint64_t flags;
    uint64_t addr;
    uint64_t offset;
    uint64_t size;
    uint32_t link;
    uint32_t info;
    uint64_t addralign;
    uint64_t entsize;
};

struct elf64_symbol {
    uint32_t name;
    uint8_t info;
    uint8_t other;
    uint16_t shndx;
    uint64_t value;
    uint64_t size;
};

#endif
