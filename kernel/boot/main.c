/*
 * BOOTX64.EFI: loads the kernel and the boot archive from the volume that it
 * was itself loaded from, checks both, asks the firmware what the kernel will
 * want to know, and enters the kernel. The contract is rayos/boot_info.h.
 */
#include "kernel/boot/loader.h"

#include <errno.h>
#include <string.h>

#include <arch/cpu.h>
#include <rayos/sha256.h>
#include <rayos/types.h>

#include "kernel/boot/elf.h"
#include "kernel/boot/manifest.h"
#include "kernel/boot/options.h"

#define PATH_CONFIG   "\\rayos\\boot.cfg"
#define PATH_MANIFEST "\\rayos\\sha256sums"
#define PATH_KERNEL   "\\rayos\\kernel.elf"
#define PATH_ARCHIVE  "\\rayos\\boot.tar"
#define NAME_OFFSET   (sizeof("\\rayos\\") - 1) /* of the name in the path */

#define CONFIG_MAX   (UINT64_C(64) << 10)
#define MANIFEST_MAX (UINT64_C(1) << 20)
#define KERNEL_MAX   (UINT64_C(256) << 20)
#define ARCHIVE_MAX  (UINT64_C(1) << 30)

#define PANIC_SIZE      (UINT64_C(64) << 10)
#define TRAMPOLINE_SIZE PAGE_SIZE
/* Real mode memory, below the extended BIOS data area of any PC. */
#define TRAMPOLINE_LIMIT UINT64_C(0x9f000)

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system);

/* The panic record must be found again by the next boot: fixed addresses,
 * tried in order, away from where firmware allocates. Its content is that of
 * the boot before: not touched. */
static void panic_region_alloc(struct boot_info *info)
{
    static const uint64_t places[] = {0x02000000, 0x03000000, 0x04000000,
                                      0x01800000};

    for (size_t i = 0; i < ARRAY_SIZE(places) && !info->panic_base; i++)
        if (pages_alloc_at(places[i], PANIC_SIZE, BOOT_MEM_PANIC)) {
            info->panic_base = places[i];
            info->panic_size = PANIC_SIZE;
        }
}

static void headless_look(const char *cmdline)
{
    char value[8];

    if (options_get(cmdline, "headless", value, sizeof(value)))
        loader_set_headless();
}

static void config_read(char *cmdline)
{
    struct file_data file;
    unsigned line;
    int error;

    if (!file_read(PATH_CONFIG, CONFIG_MAX, BOOT_MEM_LOADER, &file))
        return;
    error = options_add_file(cmdline, BOOT_CMDLINE_MAX, (char *)file.data,
                             file.size, &line);
    headless_look(cmdline);
    if (error == -E2BIG)
        loader_fail(PATH_CONFIG ", line %u: the command line is longer than %u "
                                "bytes. Shorten the file.",
                    line, BOOT_CMDLINE_MAX - 1);
    if (error)
        loader_fail(PATH_CONFIG ", line %u: a quote that is not closed, or a "
                                "control character. Correct the line.",
                    line);
}

static void load_options_read(char *cmdline)
{
    EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_LOADED_IMAGE_PROTOCOL *image = NULL;
    int error;

    if (EFI_ERROR(loader_system->BootServices->HandleProtocol(
            loader_handle, &guid, (void **)&image)) ||
        !image->LoadOptions)
        return;
    error = options_add_utf16(cmdline, BOOT_CMDLINE_MAX, image->LoadOptions,
                              image->LoadOptionsSize);
    if (error == -E2BIG)
        loader_fail("boot.cfg and load options together are longer than %u "
                    "bytes. Shorten one of them.",
                    BOOT_CMDLINE_MAX - 1);
    if (error == -EINVAL)
        loader_fail("the load options have a quote that is not closed.");
}

static void cmdline_collect(char *cmdline)
{
    static char options[BOOT_CMDLINE_MAX];

    /* Whether somebody is there is known before anything can fail; the load
     * options come last on the line, so that they win. */
    load_options_read(options);
    headless_look(options);
    config_read(cmdline);
    load_options_read(cmdline);
}

/* Compare a file with its line in the manifest. */
static void file_verify(const char *path, const struct file_data *file,
                        const struct file_data *manifest)
{
    uint8_t listed[SHA256_SIZE], found[SHA256_SIZE];
    struct sha256 sha;
    unsigned line;
    int error = manifest_find((char *)manifest->data, manifest->size,
                              path + NAME_OFFSET, listed, &line);

    if (error == -ENOENT)
        loader_fail(PATH_MANIFEST " does not list %s. Copy both files again.",
                    path + NAME_OFFSET);
    if (error)
        loader_fail(PATH_MANIFEST ", line %u: %s. Copy the file again.", line,
                    error == -EEXIST ? "the name is listed twice"
                                     : "not as sha256sum writes it");
    sha256_init(&sha);
    sha256_update(&sha, file->data, file->size);
    sha256_final(&sha, found);
    if (memcmp(listed, found, SHA256_SIZE) != 0)
        loader_fail("%s is damaged (SHA-256 differs from " PATH_MANIFEST
                    "). Copy the file again.",
                    path);
}

/* Lay out the kernel; its entry address. */
static uint64_t kernel_load(const struct file_data *file,
                            struct boot_info *info)
{
    struct elf_image image;
    const char *error = elf_check(file->data, file->size, &image);

    if (error)
        loader_fail(PATH_KERNEL " is not a RayOS kernel: %s.", error);
    info->kernel_size = ALIGN_UP(image.size, PAGE_SIZE);
    info->kernel_base = pages_alloc_aligned(info->kernel_size, LARGE_PAGE_SIZE,
                                            BOOT_MEM_KERNEL, "the kernel");
    info->kernel_file = (uint64_t)file->data;
    info->kernel_file_size = file->size;
    elf_place(file->data, &image, (void *)info->kernel_base);
    return image.entry;
}

static struct boot_info *info_create(uint64_t tsc)
{
    struct boot_info *info = (struct boot_info *)pages_alloc(
        sizeof(struct boot_info), BOOT_MEM_LOADER, "the boot information");

    *info = (struct boot_info){
        .magic = BOOT_INFO_MAGIC,
        .version = BOOT_INFO_VERSION,
        .size = sizeof(*info),
        .loader_tsc = tsc,
    };
    return info;
}

/* Reads and checks all files; the kernel's entry address. */
static uint64_t files_load(struct boot_info *info)
{
    struct file_data manifest, kernel, archive;

    file_require(PATH_MANIFEST, MANIFEST_MAX, BOOT_MEM_LOADER, &manifest);
    file_require(PATH_KERNEL, KERNEL_MAX, BOOT_MEM_LOADER, &kernel);
    file_verify(PATH_KERNEL, &kernel, &manifest);
    file_require(PATH_ARCHIVE, ARCHIVE_MAX, BOOT_MEM_ARCHIVE, &archive);
    file_verify(PATH_ARCHIVE, &archive, &manifest);
    info->archive = (uint64_t)archive.data;
    info->archive_size = archive.size;
    return kernel_load(&kernel, info);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system)
{
    uint64_t tsc = arch_tsc(), entry;
    struct boot_info *info;

    loader_init(handle, system);
    info = info_create(tsc);
    panic_region_alloc(info);
    files_open();
    cmdline_collect(info->cmdline);
    entry = files_load(info);
    info->trampoline = pages_alloc_below(TRAMPOLINE_SIZE, TRAMPOLINE_LIMIT,
                                         BOOT_MEM_LOADER);
    firmware_collect(info);
    graphics_init(info->cmdline, &info->framebuffer);
    firmware_count_boot(info);
    boot_enter(info, entry);
}
