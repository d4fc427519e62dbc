/* Loading a guest: see loader.h. */
#include "vmm/loader.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/vfs.h>

#define ATTR_CODE16 0x009b
#define ATTR_DATA16 0x0093
#define ATTR_CODE32 0x0c9b /* 4 GiB, 32 bit */
#define ATTR_CODE64 0x0a9b
#define ATTR_DATA32 0x0c93
#define ATTR_TSS    0x008b
#define SELECTOR_CS 0x10 /* as Linux and Multiboot want them */
#define SELECTOR_DS 0x18

extern const struct vm_loader __start_rayos_vm_loaders[],
    __stop_rayos_vm_loaders[];

int vm_load_refuse(struct vm_load *l, int err, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    fmt_vsnprintf(l->error, l->error_size, format, ap);
    va_end(ap);
    return err;
}

int vm_load_read(struct file *f, uint64_t offset, void *out, size_t n)
{
    uint8_t *to = out;

    if (file_seek(f, (int64_t)offset, SEEK_SET) < 0)
        return -EINVAL;
    while (n) {
        ssize_t got = file_read(f, to, n);

        if (got <= 0)
            return got < 0 ? (int)got : -EINVAL;
        to += got;
        n -= (size_t)got;
    }
    return 0;
}

int vm_load_copy(struct vm_load *l, struct file *f, uint64_t offset, gpa_t to,
                 uint64_t n)
{
    while (n) {
        size_t got, want = n < LARGE_PAGE_SIZE ? (size_t)n : LARGE_PAGE_SIZE;
        void *span = guest_span(l->vm->memory, to, want, &got);
        int err;

        if (!span)
            return -EFAULT;
        err = vm_load_read(f, offset, span, got);
        if (err)
            return err;
        offset += got;
        to += got;
        n -= got;
    }
    return 0;
}

void vm_load_segments(struct vcpu_state *s, unsigned bits)
{
    uint16_t data = bits == 16 ? ATTR_DATA16 : ATTR_DATA32;
    uint16_t code = bits == 16   ? ATTR_CODE16
                    : bits == 32 ? ATTR_CODE32
                                 : ATTR_CODE64;
    uint32_t limit = bits == 16 ? 0xffff : UINT32_MAX;

    for (unsigned i = SEGMENT_ES; i <= SEGMENT_GS; i++)
        s->segment[i] = (struct segment){
            .selector = bits == 16 ? 0 : SELECTOR_DS,
            .attributes = i == SEGMENT_CS ? code : data,
            .limit = limit,
        };
    if (bits != 16)
        s->segment[SEGMENT_CS].selector = SELECTOR_CS;
    s->segment[SEGMENT_TR].attributes = ATTR_TSS;
}

/* --- files --- */

static int open_file(const char *path, struct file **f, uint64_t *size)
{
    struct vfs_stat st;
    int err = vfs_open(path, O_RDONLY, f);

    if (err)
        return err;
    err = file_stat(*f, &st);
    if (!err && st.type != VFS_FILE)
        err = -EINVAL;
    *size = st.size;
    return err;
}

static int open_all(struct vm_load *l)
{
    const struct vm_config *c = &l->vm->config;
    int err;

    if (!c->kernel[0])
        return vm_load_refuse(l, -EINVAL, "no kernel is given");
    err = open_file(c->kernel, &l->kernel, &l->kernel_size);
    if (err)
        return vm_load_refuse(l, err, "kernel %s: %s", c->kernel,
                              strerror(-err));
    if (!c->initrd[0])
        return 0;
    err = open_file(c->initrd, &l->initrd, &l->initrd_size);
    if (err)
        return vm_load_refuse(l, err, "initrd %s: %s", c->initrd,
                              strerror(-err));
    return 0;
}

static void close_all(struct vm_load *l)
{
    if (l->kernel)
        file_put(l->kernel);
    if (l->initrd)
        file_put(l->initrd);
}

/* --- formats --- */

static const struct vm_loader *loader_find(const struct vm_load *l)
{
    const char *name = l->vm->config.loader;

    for (const struct vm_loader *i = __start_rayos_vm_loaders;
         i < __stop_rayos_vm_loaders; i++) {
        if (name[0] ? strcmp(i->name, name) == 0 : i->probe && i->probe(l))
            return i;
    }
    return NULL;
}

static int load(struct vm_load *l)
{
    const struct vm_loader *loader;
    uint8_t *head;
    int err = open_all(l);

    if (err)
        return err;
    head = kzalloc(VM_LOAD_HEAD);
    if (!head)
        return -ENOMEM;
    l->head = head;
    l->head_size = l->kernel_size < VM_LOAD_HEAD ? (size_t)l->kernel_size
                                                 : VM_LOAD_HEAD;
    err = vm_load_read(l->kernel, 0, head, l->head_size);
    if (err) {
        vm_load_refuse(l, err, "the kernel cannot be read");
    } else {
        loader = loader_find(l);
        if (loader)
            err = loader->load(l);
        else
            err = vm_load_refuse(l, -EINVAL,
                                 "kernel %s has no format that is "
                                 "known",
                                 l->vm->config.kernel);
    }
    kfree(head);
    return err;
}

int vm_load(struct vm *vm)
{
    struct vcpu *boot = vm->vcpus[0];
    struct vm_load l = {
        .vm = vm,
        .error = vm->error,
        .error_size = sizeof(vm->error),
    };
    int err;

    vcpu_reset_registers(&l.regs, &l.state);
    err = load(&l);
    close_all(&l);
    if (err)
        return err;
    boot->regs = l.regs;
    vmm_backend()->set_state(boot, &l.state);
    return 0;
}
