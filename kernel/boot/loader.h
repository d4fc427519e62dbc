/*
 * What the parts of the loader share. All of it runs on the firmware's boot
 * services, on one CPU, and ends with boot_enter (handover.c) or loader_fail.
 */
#ifndef BOOT_LOADER_H
#define BOOT_LOADER_H

#include <efi.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rayos/boot_info.h>
#include <rayos/fmt.h>

#include "kernel/boot/memory_map.h"

/* --- console.c --- */

extern EFI_SYSTEM_TABLE *loader_system;
extern EFI_HANDLE loader_handle;

void loader_init(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system);
/* `headless` on the command line: nobody can press a key. */
void loader_set_headless(void);
/* A message on the firmware's console and on COM1: "RayOS: ...". */
void loader_warn(const char *fmt, ...) FMT_PRINTF(1, 2);
/* The same, then back to the firmware after a key, or, headless, a reset with
 * EFI_LOAD_ERROR. Gives back all pages of pages_*. */
_Noreturn void loader_fail(const char *fmt, ...) FMT_PRINTF(1, 2);
/* "not found", "device error", ...; a static string. */
const char *loader_status(EFI_STATUS status);

/* --- pages.c: every allocation is remembered with what it is for --- */

extern struct memory_claim loader_claims[];
extern size_t loader_claim_count;

/* Physical address of `bytes` bytes, not cleared; fails naming `what`. */
uint64_t pages_alloc(uint64_t bytes, uint32_t type, const char *what);
uint64_t pages_alloc_aligned(uint64_t bytes, uint64_t align, uint32_t type,
                             const char *what);
/* Below `limit`; 0 when there are none. */
uint64_t pages_alloc_below(uint64_t bytes, uint64_t limit, uint32_t type);
/* At that address; false when it is taken. */
bool pages_alloc_at(uint64_t base, uint64_t bytes, uint32_t type);
/* Memory that was there before us, to be typed when it is usable memory. */
void pages_claim(uint64_t base, uint64_t bytes, uint32_t type);
void pages_free_all(void);

/* --- files.c: the volume that the loader came from --- */

struct file_data {
    uint8_t *data;
    uint64_t size;
};

void files_open(void);
/* Read a whole file into pages of their own. false: there is none. Any other
 * trouble fails with a message. */
bool file_read(const char *path, uint64_t max, uint32_t type,
               struct file_data *out);
/* The same for a file that has to be there. */
void file_require(const char *path, uint64_t max, uint32_t type,
                  struct file_data *out);

/* --- graphics.c --- */

/* Set the mode that the command line or else taste asks for. */
void graphics_init(const char *cmdline, struct boot_framebuffer *out);

/* --- firmware.c --- */

/* RSDP, SMBIOS, CPUs, wall clock, count of failed boots. */
void firmware_collect(struct boot_info *info);
/* One more boot has begun. */
void firmware_count_boot(const struct boot_info *info);

/* --- handover.c --- */

/* Leave the firmware and enter the kernel at `entry` (virtual). */
_Noreturn void boot_enter(struct boot_info *info, uint64_t entry);

#endif
