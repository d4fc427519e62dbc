/*
 * The loader for images that say themselves what they are: bzImage, PVH,
 * Multiboot. Joins the pure loaders (image.h) to a VM: its files, its ACPI
 * tables, its boot CPU. Thread context, the VM does not run.
 */
#include <errno.h>
#include <unistd.h>

#include <rayos/mm.h>
#include <rayos/vfs.h>

#include "vmm/devices/acpi_tables.h"
#include "vmm/devices/virtio.h"
#include "vmm/image.h"
#include "vmm/loader.h"

#define TABLES_MAX   16384
#define CR0_PE       UINT64_C(1)
#define CR0_PG       (UINT64_C(1) << 31)
#define CR0_ET       UINT64_C(0x10)
#define CR4_PAE      (UINT64_C(1) << 5)
#define EFER_LMA_LME UINT64_C(0x500)
#define TSS_LIMIT    0x67

static ssize_t source_read(void *arg, uint64_t offset, void *out, size_t n)
{
    struct file *f = arg;

    if (file_seek(f, (int64_t)offset, SEEK_SET) < 0)
        return -EIO;
    return file_read(f, out, n);
}

static struct load_source source_of(struct file *f, uint64_t size)
{
    return (struct load_source){source_read, f, size};
}

static struct acpi_machine machine_of(const struct vm *vm)
{
    struct acpi_machine m = {.cpus = vm->config.cpus, .uarts = 1};

    m.virtio_count = virtio_mmio_count(vm);
    for (unsigned i = 0; i < m.virtio_count; i++) {
        m.virtio[i].base = (uint32_t)(VIRTIO_MMIO_BASE + i * VIRTIO_MMIO_SIZE);
        m.virtio[i].gsi = VIRTIO_MMIO_GSI(i);
    }
    return m;
}

static int put_tables(struct vm_load *l)
{
    struct acpi_machine m = machine_of(l->vm);
    uint8_t *bytes = kzalloc(TABLES_MAX);
    size_t used;
    int err = bytes ? acpi_tables_build(&m, ACPI_TABLES_BASE, bytes, TABLES_MAX,
                                        &used)
                    : -ENOMEM;

    if (!err)
        err = guest_write(l->vm->memory, ACPI_TABLES_BASE, bytes, used);
    kfree(bytes);
    return err ? vm_load_refuse(l, err, "no room for the ACPI tables") : 0;
}

static void set_registers(struct vm_load *l, const struct load_entry *e)
{
    bool wide = e->mode == LOAD_LONG;

    vm_load_segments(&l->state, wide ? 64 : 32);
    for (unsigned i = SEGMENT_ES; i <= SEGMENT_GS; i++)
        l->state.segment[i].selector = e->data_selector;
    l->state.segment[SEGMENT_CS].selector = e->code_selector;
    l->state.segment[SEGMENT_TR].limit = TSS_LIMIT;
    l->state.gdtr = (struct table_register){e->gdt, e->gdt_limit};
    l->state.idtr = (struct table_register){0, 0};
    l->state.cr0 = CR0_PE | CR0_ET;
    if (wide) {
        l->state.cr0 |= CR0_PG;
        l->state.cr3 = e->cr3;
        l->state.cr4 = CR4_PAE;
        l->state.efer = EFER_LMA_LME;
    }
    l->regs.gpr[GPR_RDX] = 0;
    l->regs.gpr[GPR_RAX] = e->rax;
    l->regs.gpr[GPR_RBX] = e->rbx;
    l->regs.gpr[GPR_RSI] = e->rsi;
    l->regs.gpr[GPR_RSP] = e->rsp;
    l->regs.rip = e->rip;
}

/* The load_* functions themselves say what an image lacks. */
static bool image_probe(const struct vm_load *l)
{
    (void)l;
    return true;
}

static int image_load(struct vm_load *l)
{
    struct load_request r = {
        .memory = l->vm->memory,
        .kernel = source_of(l->kernel, l->kernel_size),
        .cmdline = l->vm->config.cmdline,
        .rsdp = ACPI_TABLES_BASE,
    };
    struct load_entry entry;
    int err = put_tables(l);

    if (l->initrd) {
        r.module[0].source = source_of(l->initrd, l->initrd_size);
        r.module_count = 1;
    }
    if (!err) {
        err = load_kernel(&r, &entry, l->error);
        if (!err)
            set_registers(l, &entry);
    }
    return err;
}

VM_LOADER(image, .probe = image_probe, .load = image_load);
