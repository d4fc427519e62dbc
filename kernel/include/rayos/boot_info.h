/*
 * What the loader (kernel/boot) hands to the kernel. Both are built from the
 * same tree; the version guards against a stale loader on an ESP. All addresses
 * are physical. The structure, and what it points to, lies in memory of type
 * BOOT_MEM_LOADER: the kernel copies what it keeps.
 */
#ifndef RAYOS_BOOT_INFO_H
#define RAYOS_BOOT_INFO_H

#include <stdint.h>

#define BOOT_INFO_MAGIC   UINT64_C(0x4f464e49534f5952) /* "RYSOINFO" */
#define BOOT_INFO_VERSION 1

#define BOOT_CMDLINE_MAX 2048
#define BOOT_MAX_CPUS    64

enum boot_memory_type {
    BOOT_MEM_RESERVED = 0, /* leave alone */
    BOOT_MEM_USABLE =
        1, /* free for the kernel (conventional and boot services memory) */
    BOOT_MEM_LOADER = 2, /* loader's data and page tables: free once the kernel
                            has copied them */
    BOOT_MEM_KERNEL = 3, /* kernel image, in use for good */
    BOOT_MEM_ACPI_RECLAIM = 4,
    BOOT_MEM_ACPI_NVS = 5,
    BOOT_MEM_RUNTIME_CODE = 6, /* UEFI runtime services */
    BOOT_MEM_RUNTIME_DATA = 7,
    BOOT_MEM_MMIO = 8,
    BOOT_MEM_PANIC = 9, /* the panic record: same address in every boot, never
                           cleared by us */
    BOOT_MEM_ARCHIVE = 10, /* boot archive, in use for good, read-only */
};

struct boot_memory_region {
    uint64_t base;  /* page aligned */
    uint64_t pages; /* of 4 KiB */
    uint32_t type;  /* enum boot_memory_type */
    uint32_t reserved;
};

enum boot_pixel_format {
    BOOT_PIXEL_NONE = 0, /* there is no linear framebuffer */
    BOOT_PIXEL_BGRX = 1, /* byte order blue, green, red, unused: 0x00RRGGBB as a
                            little-endian word */
    BOOT_PIXEL_RGBX = 2,
};

struct boot_framebuffer {
    uint64_t base;          /* physical address of the first pixel */
    uint64_t size;          /* bytes */
    uint32_t width, height; /* pixels */
    uint32_t pitch;         /* bytes from one line to the next */
    uint32_t format;        /* enum boot_pixel_format */
};

struct boot_info {
    uint64_t magic;
    uint32_t version;
    uint32_t size; /* sizeof(struct boot_info) */

    uint64_t kernel_base,
        kernel_size; /* loaded image: physically contiguous, 2 MiB aligned */
    uint64_t kernel_file,
        kernel_file_size; /* the ELF file as read, for its symbol table */
    uint64_t archive, archive_size; /* ustar archive */
    uint64_t rsdp; /* ACPI RSDP, 0 when the firmware has none */
    uint64_t
        smbios; /* SMBIOS entry point (3.x preferred), 0 when there is none */
    uint64_t efi_system_table;
    uint64_t trampoline; /* one page below 1 MiB for SMP start-up */
    uint64_t panic_base,
        panic_size; /* BOOT_MEM_PANIC region, 0 when it could not be had */

    uint64_t memory_map; /* struct boot_memory_region[], sorted by base, not
                            overlapping */
    uint32_t memory_map_count;
    uint32_t cpu_count; /* CPUs that the firmware's MP services know, 0 when it
                           has none */
    uint32_t cpu_apic_id[BOOT_MAX_CPUS];

    struct boot_framebuffer framebuffer;

    int64_t wall_clock;      /* seconds since 1970-01-01 UTC by the firmware's
                                GetTime, 0 unknown */
    uint64_t wall_clock_tsc; /* TSC when it was read */
    uint64_t loader_tsc;     /* TSC at the loader's entry */
    uint64_t handover_tsc;   /* TSC just before the jump into the kernel */
    uint32_t failed_boots; /* boots in a row before this one that did not reach
                              the prompt */
    uint32_t reserved;

    char cmdline[BOOT_CMDLINE_MAX]; /* NUL terminated, boot.cfg and load options
                                       joined by a space */
};

#endif
