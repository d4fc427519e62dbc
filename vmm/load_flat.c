/*
 * Flat binaries, for tests: the whole file at 0x1000 (16 bit) or at 1 MiB (32
 * and 64 bit), entered at its first byte. Only when asked for by name. A 64-bit
 * guest gets the first GiB identity-mapped, and the fourth, where devices are.
 * Thread context.
 */
#include <errno.h>

#include "vmm/loader.h"

#define REAL_BASE  0x1000
#define REAL_LIMIT 0x9f000
#define FLAT_BASE  UINT64_C(0x100000)
#define STACK_TOP                                              \
    0x1000 /* grows down from the image; the IVT ends at 0x400 \
            */
#define CR0_PE   (UINT64_C(1) << 0)
#define CR0_ET   (UINT64_C(1) << 4)
#define CR0_NE   (UINT64_C(1) << 5)
#define CR0_PG   (UINT64_C(1) << 31)
#define CR4_PAE  (UINT64_C(1) << 5)
#define EFER_LME (UINT64_C(1) << 8)
#define EFER_LMA (UINT64_C(1) << 10)
/* Tables of a 64-bit guest */
#define PML4       UINT64_C(0x2000)
#define PDPT       UINT64_C(0x3000)
#define PD         UINT64_C(0x4000)
#define PD_DEVICES UINT64_C(0x5000)
#define DEVICES    UINT64_C(0xc0000000)
#define ENTRY      UINT64_C(3) /* present, writable */
#define ENTRY_2M   UINT64_C(0x83)
#define PD_ENTRIES 512
#define GIB_SHIFT  30

static int copy(struct vm_load *l, gpa_t to, uint64_t most)
{
    int err;

    if (!l->kernel_size || l->kernel_size > most)
        return vm_load_refuse(l, -EINVAL,
                              "a flat image has 1 to %llu bytes, "
                              "this one %llu",
                              (unsigned long long)most,
                              (unsigned long long)l->kernel_size);
    err = vm_load_copy(l, l->kernel, 0, to, l->kernel_size);
    if (err)
        return vm_load_refuse(l, err, "the image does not fit into memory");
    l->regs.rip = to;
    l->regs.gpr[GPR_RSP] = STACK_TOP;
    return 0;
}

static int load16(struct vm_load *l)
{
    int err = copy(l, REAL_BASE, REAL_LIMIT - REAL_BASE);

    vm_load_segments(&l->state, 16);
    l->state.cr0 = CR0_ET;
    return err;
}

static int load32(struct vm_load *l)
{
    int err = copy(l, FLAT_BASE, guest_memory_size(l->vm->memory));

    vm_load_segments(&l->state, 32);
    l->state.cr0 = CR0_PE | CR0_ET | CR0_NE;
    return err;
}

/* One GiB by a page directory at `pd`. */
static int map_gib(struct guest_memory *m, gpa_t pd, uint64_t base)
{
    uint64_t entry = pd | ENTRY;
    int err = guest_write(m, PDPT + (base >> GIB_SHIFT) * sizeof(entry), &entry,
                          sizeof(entry));

    for (uint64_t i = 0; i < PD_ENTRIES && !err; i++) {
        entry = (base + i * LARGE_PAGE_SIZE) | ENTRY_2M;
        err = guest_write(m, pd + i * sizeof(entry), &entry, sizeof(entry));
    }
    return err;
}

static int identity_map(struct guest_memory *m)
{
    uint64_t entry = PDPT | ENTRY;
    int err = guest_write(m, PML4, &entry, sizeof(entry));

    err = err ? err : map_gib(m, PD, 0);
    return err ? err : map_gib(m, PD_DEVICES, DEVICES);
}

static int load64(struct vm_load *l)
{
    int err = copy(l, FLAT_BASE, guest_memory_size(l->vm->memory));

    if (!err)
        err = identity_map(l->vm->memory);
    vm_load_segments(&l->state, 64);
    l->state.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
    l->state.cr3 = PML4;
    l->state.cr4 = CR4_PAE;
    l->state.efer = EFER_LME | EFER_LMA;
    return err;
}

VM_LOADER(flat16, .load = load16);
VM_LOADER(flat32, .load = load32);
VM_LOADER(flat64, .load = load64);
