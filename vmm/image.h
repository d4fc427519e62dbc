/*
 * Guest loaders: put a kernel into a guest's memory as a boot loader would, and
 * say in which state its processor starts. Images are hostile until checked;
 * one that is refused says which field is wrong. Thread context.
 */
#ifndef VMM_IMAGE_H
#define VMM_IMAGE_H

#include <sys/types.h>

#include "vmm/guest_memory.h"

#define LOAD_MODULES_MAX 16
#define LOAD_ERROR_MAX   160

/* Where an image's bytes come from: a file, or memory in tests. */
struct load_source {
    /* Bytes read, less than `n` only at the end; negative errno. */
    ssize_t (*read)(void *arg, uint64_t offset, void *out, size_t n);
    void *arg;
    uint64_t size;
};

struct load_module {
    struct load_source source;
    const char *cmdline; /* may be NULL */
};

struct load_request {
    struct guest_memory *memory;
    struct load_source kernel;
    const char *cmdline;
    struct load_module module[LOAD_MODULES_MAX]; /* [0] is Linux's initrd */
    unsigned module_count;
    gpa_t rsdp; /* of the ACPI tables; 0: none */
};

enum load_mode {
    LOAD_REAL,      /* 16 bit, CS:IP = base 0, `rip` below 1 MiB */
    LOAD_PROTECTED, /* 32 bit, flat segments, paging off */
    LOAD_LONG       /* 64 bit, `cr3` maps the first 4 GiB one to one */
};

/* The boot processor's registers that are not as after power-on. */
struct load_entry {
    enum load_mode mode;
    uint64_t rip, rax, rbx, rsi, rsp;
    gpa_t cr3, gdt;
    uint16_t gdt_limit, code_selector, data_selector;
    const char *format; /* "bzImage", "PVH", "Multiboot", "flat" */
};

/* Recognize the format and load. 0, -ENOEXEC (malformed: `error` says what),
 * -ENOMEM (does not fit into the guest's memory), -EIO and other errors of the
 * source. */
int load_kernel(const struct load_request *r, struct load_entry *out,
                char error[LOAD_ERROR_MAX]);

/* Each format alone; -ENOENT: it is another one. */
int load_bzimage(const struct load_request *r, struct load_entry *out,
                 char *error);
int load_pvh(const struct load_request *r, struct load_entry *out, char *error);
int load_multiboot(const struct load_request *r, struct load_entry *out,
                   char *error);

#endif
