/* sources: kernel/boot/elf.c */
/* The loader takes a kernel as our linker makes it, and names the field of any
 * that is not. */
#include "check.h"

#include <stdlib.h>

#include <rayos/elf.h>

#include "kernel/boot/elf.h"

#define BASE UINT64_C(0xffffffff80000000)
#define SIZE 0x3000

/* A file with two segments; malloc'd at its exact size. */
struct file {
    struct elf64_header header;
    struct elf64_program program[3];
    uint8_t rest[];
};

static struct elf_image image;

static struct file *make(void)
{
    struct file *f = calloc(1, SIZE);

    f->header = (struct elf64_header){
        .magic = ELF_MAGIC,
        .class = ELF_CLASS_64,
        .data = ELF_DATA_LSB,
        .ident_version = ELF_VERSION_1,
        .type = ELF_TYPE_EXEC,
        .machine = ELF_X86_64,
        .version = ELF_VERSION_1,
        .entry = BASE + 0x10,
        .phoff = offsetof(struct file, program),
        .phentsize = sizeof(struct elf64_program),
        .phnum = 3,
    };
    f->program[0] = (struct elf64_program){.type = ELF_PT_LOAD,
                                           .flags = 5,
                                           .offset = 0x1000,
                                           .vaddr = BASE,
                                           .filesz = 0x800,
                                           .memsz = 0x800};
    f->program[1] = (struct elf64_program){.type = ELF_PT_LOAD,
                                           .flags = 6,
                                           .offset = 0x2000,
                                           .vaddr = BASE + 0x1000,
                                           .filesz = 0x1000,
                                           .memsz = 0x5000};
    f->program[2].type = 0x6474e551; /* PT_GNU_STACK: not loaded */
    memset((uint8_t *)f + 0x1000, 0x11, 0x800);
    memset((uint8_t *)f + 0x2000, 0x22, 0x1000);
    return f;
}

/* Does the complaint start with `field`? */
static void refuse(struct file *f, const char *field)
{
    const char *error = elf_check(f, SIZE, &image);

    if (!error || strncmp(error, field, strlen(field)) != 0)
        CHECK_STR(error ? error : "accepted", field);
    free(f);
}

/* One file with one thing wrong. */
#define REFUSED(change, field)   \
    do {                         \
        struct file *f = make(); \
                                 \
        change;                  \
        refuse(f, field);        \
    } while (0)

TEST(a_good_kernel_is_laid_out_with_its_bss_cleared)
{
    struct file *f = make();
    uint8_t *memory;

    CHECK(elf_check(f, SIZE, &image) == NULL);
    CHECK_EQ(image.size, 0x6000);
    CHECK(image.entry == BASE + 0x10);
    memory = malloc(image.size);
    memset(memory, 0xee, image.size);
    elf_place(f, &image, memory);
    CHECK_EQ(memory[0], 0x11);
    CHECK_EQ(memory[0x7ff], 0x11);
    CHECK_EQ(memory[0x800], 0);
    CHECK_EQ(memory[0x1000], 0x22);
    CHECK_EQ(memory[0x1fff], 0x22);
    CHECK_EQ(memory[0x2000], 0);
    CHECK_EQ(memory[0x5fff], 0);
    free(memory);
    free(f);
}

TEST(a_short_file_is_refused)
{
    for (size_t size = 0; size < sizeof(struct elf64_header); size++) {
        void *p = malloc(size ? size : 1);

        memset(p, 0, size);
        CHECK(elf_check(p, size, &image) != NULL);
        free(p);
    }
}

TEST(every_field_of_the_header_is_checked)
{
    REFUSED(f->header.magic ^= 1, "EI_MAG");
    REFUSED(f->header.class = 1, "EI_CLASS");
    REFUSED(f->header.data = 2, "EI_DATA");
    REFUSED(f->header.ident_version = 0, "EI_VERSION");
    REFUSED(f->header.version = 2, "EI_VERSION");
    REFUSED(f->header.type = 3, "e_type");
    REFUSED(f->header.machine = 183, "e_machine");
    REFUSED(f->header.phentsize = 32, "e_phentsize");
    REFUSED(f->header.phnum = 0, "e_phnum");
    REFUSED(f->header.phnum = 0xffff, "e_phnum");
    REFUSED(f->header.phoff = SIZE - 8, "e_phoff");
    REFUSED(f->header.phoff = SIZE + 8, "e_phoff");
    REFUSED(f->header.phoff = 0xfffffffffffffff8, "e_phoff");
    REFUSED(f->header.phoff = 65, "e_phoff");
}

TEST(every_field_of_a_segment_is_checked)
{
    REFUSED(f->program[0].offset = SIZE, "p_offset");
    REFUSED(f->program[0].offset = UINT64_MAX - 0x100, "p_offset");
    REFUSED(f->program[0].filesz = UINT64_MAX, "p_offset");
    REFUSED(f->program[0].memsz = 0x7ff, "p_filesz");
    REFUSED(f->program[0].vaddr = BASE - 0x1000, "p_vaddr");
    REFUSED(f->program[0].vaddr = 0, "p_vaddr");
    REFUSED(f->program[1].vaddr = BASE + ELF_IMAGE_MAX + 1, "p_vaddr");
    REFUSED(f->program[1].vaddr = UINT64_MAX - 0xfff, "p_vaddr");
    REFUSED(f->program[1].memsz = ELF_IMAGE_MAX, "p_memsz");
    REFUSED(f->program[1].memsz = UINT64_MAX, "p_memsz");
    REFUSED(f->program[1].vaddr = BASE + 0x7ff, "p_vaddr, p_memsz");
    REFUSED(f->program[0].vaddr = BASE + 0x2000, "e_entry");
    REFUSED(f->program[0].type = f->program[1].type = 0, "p_type");
}

TEST(the_entry_lies_in_code)
{
    REFUSED(f->header.entry = 0, "e_entry");
    REFUSED(f->header.entry = BASE + 0x800, "e_entry");
    REFUSED(f->header.entry = BASE + 0x1000, "e_entry"); /* data */
    REFUSED(f->program[0].flags = 4, "e_entry");
}

CHECK_MAIN
