/*
 * The last steps: initial page tables, ExitBootServices, the kernel's memory
 * map, the jump. From ExitBootServices on nothing of the firmware may be
 * called, so all memory is taken before, and trouble after it can only be told
 * by COM1's silence and a reset.
 */
#include "kernel/boot/loader.h"

#include <string.h>

#include <arch/cpu.h>
#include <rayos/types.h>

#include "kernel/boot/page_tables.h"

#define DIRECT_MAP_BASE UINT64_C(0xffff800000000000) /* see rayos/mm.h */

/* The firmware's map may grow by what is allocated between asking for its size
 * and getting it, and by events of ExitBootServices itself. */
#define MAP_ROOM 64
/* UEFI 2.9, 7.4.6: after a first failure only GetMemoryMap may be called
 * again. One retry should do. */
#define EXIT_TRIES 8

/* UEFI 2.9, 2.3.4: at least 128 KiB of stack. */
#define STACK_HALF (UINT64_C(64) << 10)

#define CPUID_EXTENDED_MAX 0x80000000u
#define CPUID_EXTENDED     0x80000001u
#define CPUID_EDX_NX       (1u << 20)
#define CPUID_EDX_1G_PAGES (1u << 26)
#define MSR_EFER           0xc0000080u
#define EFER_NXE           (UINT64_C(1) << 11)
#define CR4_LA57           (UINT64_C(1) << 12)

struct map_buffers {
    struct memory_descriptors from;
    size_t capacity; /* bytes at from.data */
    struct memory_map to;
};

static uint32_t cpu_features(void)
{
    if (arch_cpuid(CPUID_EXTENDED_MAX, 0).eax < CPUID_EXTENDED)
        return 0;
    return arch_cpuid(CPUID_EXTENDED, 0).edx;
}

/* The kernel is built for four levels of page tables; switching the fifth off
 * takes leaving long mode. */
static void paging_check(void)
{
    uint64_t cr4;

    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    if (cr4 & CR4_LA57)
        loader_fail("the firmware uses five-level paging, RayOS four. Switch "
                    "5-level paging (LA57) off in the firmware's setup.");
}

static EFI_STATUS map_get(struct map_buffers *b, UINTN *key)
{
    UINTN size = b->capacity, step = 0;
    UINT32 version;
    EFI_STATUS status = loader_system->BootServices->GetMemoryMap(
        &size, (EFI_MEMORY_DESCRIPTOR *)b->from.data, key, &step, &version);

    b->from.size = size;
    b->from.step = step;
    return status;
}

/* Buffers for the map in the firmware's form and in ours. */
static void map_prepare(struct map_buffers *b)
{
    size_t count;
    UINTN key;

    *b = (struct map_buffers){0};
    map_get(b, &key); /* EFI_BUFFER_TOO_SMALL, and the size */
    if (b->from.step < sizeof(struct memory_descriptor))
        loader_fail("the firmware's memory map cannot be read.");
    count = b->from.size / b->from.step + MAP_ROOM;
    b->capacity = count * b->from.step;
    b->to.capacity = memory_map_capacity(count, loader_claim_count + MAP_ROOM);
    b->from.data = (void *)pages_alloc(b->capacity, BOOT_MEM_LOADER,
                                       "the firmware's memory map");
    b->to.regions = (struct boot_memory_region *)pages_alloc(
        b->to.capacity * sizeof(b->to.regions[0]), BOOT_MEM_LOADER,
        "the memory map");
    if (EFI_ERROR(map_get(b, &key)))
        loader_fail("the firmware does not give its memory map.");
}

static void image_claim(void)
{
    EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_LOADED_IMAGE_PROTOCOL *image = NULL;
    uint64_t frame = (uint64_t)__builtin_frame_address(0);

    if (!EFI_ERROR(loader_system->BootServices->HandleProtocol(
            loader_handle, &guid, (void **)&image)))
        pages_claim((uint64_t)image->ImageBase, image->ImageSize,
                    BOOT_MEM_LOADER);
    pages_claim(frame - STACK_HALF, 2 * STACK_HALF, BOOT_MEM_LOADER);
}

static uint64_t tables_build(const struct boot_info *info,
                             const struct map_buffers *b, uint32_t features)
{
    struct page_tables_layout layout = {
        .memory_end = memory_map_ram_end(&b->from),
        .kernel_base = info->kernel_base,
        .kernel_size = info->kernel_size,
        .huge_pages = features & CPUID_EDX_1G_PAGES,
        .no_execute = features & CPUID_EDX_NX,
    };
    size_t size = page_tables_size(&layout);

    return page_tables_build(
        &layout,
        (void *)pages_alloc(size, BOOT_MEM_LOADER, "the first page tables"));
}

/* UEFI 2.9, 7.4.6. No console output, no allocation in here: either would make
 * the map key stale. */
static EFI_STATUS firmware_exit(struct map_buffers *b)
{
    EFI_STATUS status = EFI_INVALID_PARAMETER;
    UINTN key;

    for (unsigned i = 0; i < EXIT_TRIES && status == EFI_INVALID_PARAMETER;
         i++) {
        status = map_get(b, &key);
        if (EFI_ERROR(status))
            return status;
        status = loader_system->BootServices->ExitBootServices(loader_handle,
                                                               key);
    }
    return status;
}

/* The boot services are gone, or half gone. */
static _Noreturn void die(void)
{
    loader_system->RuntimeServices->ResetSystem(EfiResetWarm, EFI_LOAD_ERROR, 0,
                                                NULL);
    for (;;)
        arch_halt();
}

static _Noreturn void jump(uint64_t cr3, uint64_t entry, uint64_t info)
{
    arch_write_cr3(cr3);
    __asm__ volatile("cld; jmpq *%0" ::"r"(entry), "D"(info) : "memory");
    __builtin_unreachable();
}

void boot_enter(struct boot_info *info, uint64_t entry)
{
    uint32_t features = cpu_features();
    struct map_buffers buffers;
    uint64_t cr3;

    paging_check();
    image_claim();
    map_prepare(&buffers);
    cr3 = tables_build(info, &buffers, features);
    if (EFI_ERROR(firmware_exit(&buffers)))
        die();
    arch_irq_disable();
    if (!memory_map_convert(&buffers.to, &buffers.from, loader_claims,
                            loader_claim_count))
        die();
    info->memory_map = (uint64_t)buffers.to.regions;
    info->memory_map_count = (uint32_t)buffers.to.count;
    if (features & CPUID_EDX_NX)
        arch_wrmsr(MSR_EFER, arch_rdmsr(MSR_EFER) | EFER_NXE);
    info->handover_tsc = arch_tsc();
    jump(cr3, entry, DIRECT_MAP_BASE + (uint64_t)info);
}
