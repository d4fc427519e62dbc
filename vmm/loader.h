/*
 * What brings a guest into its memory. Each format is a file of its own:
 *
 *	VM_LOADER(bzimage, .probe = bzimage_probe, .load = bzimage_load);
 *
 * Images come from strangers: every field is checked, and a refusal says which
 * field is wrong. Thread context, the VM does not run.
 */
#ifndef VMM_LOADER_H
#define VMM_LOADER_H

#include "vmm/vm.h"

#define VM_LOAD_HEAD 8192

struct file;

struct vm_load {
    struct vm *vm;
    struct file *kernel, *initrd; /* initrd: NULL when there is none */
    uint64_t kernel_size, initrd_size;
    const uint8_t *head; /* the first bytes of the kernel */
    size_t head_size;
    /* Where the boot CPU starts; power-on state, to be changed. */
    struct vcpu_registers regs;
    struct vcpu_state state;
    char *error; /* of a refusal */
    size_t error_size;
};

struct vm_loader {
    const char *name; /* also for vm_config.loader */
    /* Is the image of this kind? NULL: only when asked for by name. */
    bool (*probe)(const struct vm_load *l);
    int (*load)(struct vm_load *l);
};

#define VM_LOADER(ident, ...)                                              \
    static const struct vm_loader vm_loader_##ident                        \
        __attribute__((used, section("rayos_vm_loaders"), aligned(8))) = { \
            .name = #ident, __VA_ARGS__}

/* Load what the VM's configuration names and set the boot CPU's registers. The
 * reason of a failure goes to vm->error. */
int vm_load(struct vm *vm);

/* n bytes of a file, all of them or -EINVAL. */
int vm_load_read(struct file *f, uint64_t offset, void *out, size_t n);
/* The same into guest memory; -EFAULT when it does not fit there. */
int vm_load_copy(struct vm_load *l, struct file *f, uint64_t offset, gpa_t to,
                 uint64_t n);
/* Write the reason, return `err`. */
int vm_load_refuse(struct vm_load *l, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Flat segments for a start in protected (32) or long mode (64), and real mode
 * at segment:0 (16). */
void vm_load_segments(struct vcpu_state *s, unsigned bits);

#endif
