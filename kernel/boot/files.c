/*
 * Files of the volume that the loader itself was loaded from (UEFI 2.9, 13.4,
 * 13.5). Every trouble is told with the file's name and what to do about it.
 * Boot services.
 */
#include "kernel/boot/loader.h"

#include <rayos/types.h>

#define PATH_MAX_CHARS 64
/* Some firmware fails on, or is slow with, very long single reads. */
#define READ_CHUNK (UINT64_C(1) << 20)

static EFI_FILE_PROTOCOL *root;

void files_open(void)
{
    EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
    EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
    EFI_BOOT_SERVICES *services = loader_system->BootServices;
    EFI_LOADED_IMAGE_PROTOCOL *image = NULL;
    EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume = NULL;
    EFI_STATUS status;

    status = services->HandleProtocol(loader_handle, &image_guid,
                                      (void **)&image);
    if (!EFI_ERROR(status))
        status = services->HandleProtocol(image->DeviceHandle, &volume_guid,
                                          (void **)&volume);
    if (!EFI_ERROR(status))
        status = volume->OpenVolume(volume, &root);
    if (EFI_ERROR(status))
        loader_fail("cannot open the volume that BOOTX64.EFI was loaded from "
                    "(%s). Start it from a FAT volume that holds \\rayos.",
                    loader_status(status));
}

static EFI_STATUS file_open(const char *path, EFI_FILE_PROTOCOL **out)
{
    CHAR16 wide[PATH_MAX_CHARS];
    size_t i = 0;

    for (; path[i] && i < PATH_MAX_CHARS - 1; i++)
        wide[i] = (CHAR16)path[i];
    wide[i] = 0;
    return root->Open(root, out, wide, EFI_FILE_MODE_READ, 0);
}

static EFI_STATUS file_size(EFI_FILE_PROTOCOL *file, uint64_t *size)
{
    EFI_GUID guid = EFI_FILE_INFO_ID;
    union {
        EFI_FILE_INFO info;
        uint8_t room[sizeof(EFI_FILE_INFO) + 2 * 256]; /* a long name */
    } u;
    UINTN bytes = sizeof(u);
    EFI_STATUS status = file->GetInfo(file, &guid, &bytes, &u);

    if (!EFI_ERROR(status) && (u.info.Attribute & EFI_FILE_DIRECTORY))
        return EFI_UNSUPPORTED;
    *size = u.info.FileSize;
    return status;
}

static EFI_STATUS file_read_all(EFI_FILE_PROTOCOL *file, uint8_t *data,
                                uint64_t size)
{
    while (size) {
        UINTN n = size < READ_CHUNK ? size : READ_CHUNK;
        EFI_STATUS status = file->Read(file, &n, data);

        if (EFI_ERROR(status))
            return status;
        if (!n || n > size)
            return EFI_VOLUME_CORRUPTED; /* shorter than its directory says */
        data += n;
        size -= n;
    }
    return EFI_SUCCESS;
}

bool file_read(const char *path, uint64_t max, uint32_t type,
               struct file_data *out)
{
    EFI_FILE_PROTOCOL *file;
    EFI_STATUS status = file_open(path, &file);
    uint64_t size = 0;

    *out = (struct file_data){0};
    if (status == EFI_NOT_FOUND)
        return false;
    if (!EFI_ERROR(status)) {
        status = file_size(file, &size);
        if (!EFI_ERROR(status) && size > max)
            loader_fail("%s is too large: %llu bytes, at most %llu are taken.",
                        path, (unsigned long long)size,
                        (unsigned long long)max);
        if (!EFI_ERROR(status)) {
            out->data = (uint8_t *)pages_alloc(size, type, path);
            out->size = size;
            status = file_read_all(file, out->data, size);
        }
        file->Close(file);
    }
    if (EFI_ERROR(status))
        loader_fail("cannot read %s (%s). Copy the file again.", path,
                    loader_status(status));
    return true;
}

void file_require(const char *path, uint64_t max, uint32_t type,
                  struct file_data *out)
{
    if (!file_read(path, max, type, out))
        loader_fail("%s is missing. Copy the whole \\rayos directory to the "
                    "volume that BOOTX64.EFI is on.",
                    path);
}
