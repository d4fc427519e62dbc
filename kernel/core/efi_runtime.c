/*
 * UEFI runtime services, of which the kernel uses SetVariable only (UEFI 2.9,
 * 8.2). The firmware runs with its own address space (efi_tables.c), physical
 * addresses, interrupts off, and the thread's FPU state put aside; nothing of
 * it is trusted further than that it is where the memory map says. Thread
 * context.
 */
#include <rayos/efi_runtime.h>

#include <errno.h>

#include <arch/cpu.h>
#include <rayos/boot.h>
#include <rayos/boot_variable.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/sync.h>
#include <rayos/unit.h>

#include "efi_tables.h"

/* UEFI 2.9, 4.3 and 4.5. */
#define SYSTEM_SIGNATURE  UINT64_C(0x5453595320494249) /* "IBI SYST" */
#define RUNTIME_SIGNATURE UINT64_C(0x56524553544e5552) /* "RUNTSERV" */

struct efi_guid {
    uint32_t a;
    uint16_t b, c;
    uint8_t d[8];
};

struct efi_header {
    uint64_t signature;
    uint32_t revision, size, crc, reserved;
};

struct efi_system_table {
    struct efi_header header;
    uint64_t vendor;
    uint32_t revision, pad;
    uint64_t console[6];
    uint64_t runtime;
};

struct efi_runtime_table {
    struct efi_header header;
    uint64_t time[4], address_map[2], get_variable, next_variable;
    uint64_t set_variable;
};

/* UEFI 2.9, appendix D: errors have the top bit set. */
#define EFI_ERROR_BIT       (UINT64_C(1) << 63)
#define EFI_OUT_OF_RESOURCE (EFI_ERROR_BIT | 9)
#define EFI_WRITE_PROTECTED (EFI_ERROR_BIT | 8)
#define EFI_NOT_FOUND       (EFI_ERROR_BIT | 14)
#define EFI_UNSUPPORTED     (EFI_ERROR_BIT | 3)

typedef uint64_t(__attribute__((ms_abi)) *
                 set_variable_t)(const uint16_t *name,
                                 const struct efi_guid *vendor,
                                 uint32_t attributes, uint64_t size,
                                 const void *data);

#define MXCSR_DEFAULT 0x1f80u

static struct mutex lock = MUTEX_INIT(lock);
static set_variable_t set_variable; /* NULL: there is none; set at boot */
static bool cleared;                /* lock: the count is 0 already */
/* lock: FPU state of the caller (Intel SDM 1, 10.5) */
static uint8_t fpu_state[512] __attribute__((aligned(16)));

/* Does a region of that type hold [base, base + size)? */
static bool region_holds(const struct boot_info *info, phys_t base,
                         uint64_t size, uint32_t type)
{
    const struct boot_memory_region *map = phys_to_virt(info->memory_map);

    for (uint32_t i = 0; i < info->memory_map_count; i++) {
        uint64_t length = map[i].pages << PAGE_SHIFT;

        if (map[i].type == type && base >= map[i].base && size <= length &&
            base - map[i].base <= length - size)
            return true;
    }
    return false;
}

/* Address of SetVariable; 0 when any table on the way is not what it should
 * be. */
static uint64_t service_find(const struct boot_info *info)
{
    const struct efi_system_table *system;
    const struct efi_runtime_table *runtime;

    if (!region_holds(info, info->efi_system_table, sizeof(*system),
                      BOOT_MEM_RUNTIME_DATA))
        return 0;
    system = phys_to_virt(info->efi_system_table);
    if (system->header.signature != SYSTEM_SIGNATURE ||
        !region_holds(info, system->runtime, sizeof(*runtime),
                      BOOT_MEM_RUNTIME_DATA))
        return 0;
    runtime = phys_to_virt(system->runtime);
    if (runtime->header.signature != RUNTIME_SIGNATURE ||
        !region_holds(info, runtime->set_variable, 1, BOOT_MEM_RUNTIME_CODE))
        return 0;
    return runtime->set_variable;
}

/* Variables may live in flash, which the map calls MMIO. */
static int regions_map(const struct boot_info *info)
{
    const struct boot_memory_region *map = phys_to_virt(info->memory_map);
    int error = 0;

    for (uint32_t i = 0; i < info->memory_map_count && !error; i++) {
        uint32_t type = map[i].type;

        if (type == BOOT_MEM_RUNTIME_CODE || type == BOOT_MEM_RUNTIME_DATA ||
            type == BOOT_MEM_MMIO)
            error = efi_tables_map(map[i].base, map[i].pages << PAGE_SHIFT,
                                   type == BOOT_MEM_RUNTIME_CODE,
                                   type == BOOT_MEM_MMIO);
    }
    return error;
}

static int efi_runtime_start(void)
{
    const struct boot_info *info = boot_info_get();
    uint64_t service = service_find(info);
    int error;

    if (!service)
        return -ENODEV;
    error = regions_map(info);
    if (!error)
        set_variable = (set_variable_t)service;
    return error;
}

UNIT(efi_runtime, .start = efi_runtime_start);

static void fpu_save(void)
{
    uint32_t mxcsr = MXCSR_DEFAULT;

    /* And the state that UEFI 2.9, 2.3.4 promises to the firmware. */
    __asm__ volatile("fxsave64 %0" : "=m"(fpu_state));
    __asm__ volatile("fninit; ldmxcsr %0" ::"m"(mxcsr));
}

static void fpu_restore(void)
{
    __asm__ volatile("fxrstor64 %0" ::"m"(fpu_state));
}

/* The lock is held. */
static uint64_t variable_write(const uint16_t *name,
                               const struct efi_guid *vendor,
                               uint32_t attributes, uint64_t size,
                               const void *data)
{
    phys_t tables = efi_tables_root();
    uint64_t flags = arch_irq_save(), ours = arch_read_cr3(), status;

    fpu_save();
    arch_write_cr3(tables);
    status = set_variable(name, vendor, attributes, size, data);
    arch_write_cr3(ours);
    fpu_restore();
    arch_irq_restore(flags);
    return status;
}

static int status_to_errno(uint64_t status)
{
    if (!(status & EFI_ERROR_BIT))
        return 0;
    switch (status) {
    case EFI_OUT_OF_RESOURCE:
        return -ENOSPC;
    case EFI_WRITE_PROTECTED:
        return -EROFS;
    case EFI_NOT_FOUND:
        return -ENOENT;
    case EFI_UNSUPPORTED:
        return -ENODEV;
    default:
        return -EIO;
    }
}

int efi_boot_succeeded(void)
{
    static const struct efi_guid guid = BOOT_VARIABLE_GUID;
    static const uint32_t none = 0;
    int error = 0;

    if (!set_variable)
        return -ENODEV;
    mutex_lock(&lock);
    if (!cleared)
        error = status_to_errno(variable_write(BOOT_VARIABLE_NAME, &guid,
                                               BOOT_VARIABLE_ATTRIBUTES,
                                               sizeof(none), &none));
    cleared = !error;
    mutex_unlock(&lock);
    if (error)
        log_warn("efi", "the count of failed boots was not cleared: %d", error);
    return error;
}
