/*
 * The framebuffer: finds a display with a linear framebuffer of 32 bits a
 * pixel, sets its mode (UEFI 2.9, 12.9). A machine without one is no error.
 * Boot services.
 */
#include "kernel/boot/loader.h"

#include "kernel/boot/options.h"
#include "kernel/boot/video.h"

#define MODES_MAX 256

static uint32_t pixel_format(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode)
{
    switch (mode->PixelFormat) {
    case PixelRedGreenBlueReserved8BitPerColor:
        return BOOT_PIXEL_RGBX;
    case PixelBlueGreenRedReserved8BitPerColor:
        return BOOT_PIXEL_BGRX;
    default:
        return BOOT_PIXEL_NONE;
    }
}

static size_t modes_list(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop,
                         struct video_mode *modes)
{
    size_t count = gop->Mode->MaxMode;

    if (count > MODES_MAX)
        count = MODES_MAX;
    for (size_t i = 0; i < count; i++) {
        EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode = NULL;
        UINTN size;

        modes[i] = (struct video_mode){0};
        if (EFI_ERROR(gop->QueryMode(gop, (UINT32)i, &size, &mode)) || !mode)
            continue;
        modes[i].width = mode->HorizontalResolution;
        modes[i].height = mode->VerticalResolution;
        modes[i].usable = pixel_format(mode) != BOOT_PIXEL_NONE &&
                          modes[i].width && modes[i].height;
        loader_system->BootServices->FreePool(mode);
    }
    return count;
}

/* What `video=` asks for, with a message when it cannot be had. */
static size_t mode_wanted(const char *cmdline, const struct video_mode *modes,
                          size_t count, size_t current)
{
    uint32_t width, height;
    char text[32];
    size_t found;

    if (!options_get(cmdline, "video", text, sizeof(text)))
        return VIDEO_MODE_NONE;
    if (!video_parse(text, &width, &height)) {
        loader_warn("video=%s is not understood: write video=WIDTHxHEIGHT.",
                    text);
        return VIDEO_MODE_NONE;
    }
    found = video_find(modes, count, current, width, height);
    if (found == VIDEO_MODE_NONE)
        loader_warn("the display has no mode %ux%u: the best one is taken.",
                    width, height);
    return found;
}

/* Set the mode of one display. A mode that the firmware then refuses is struck
 * out, and the next best is tried. */
static bool mode_set(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, const char *cmdline)
{
    static struct video_mode modes[MODES_MAX];
    size_t count = modes_list(gop, modes), current = gop->Mode->Mode;
    size_t pick = mode_wanted(cmdline, modes, count, current);

    for (;;) {
        if (pick == VIDEO_MODE_NONE)
            pick = video_best(modes, count, current);
        if (pick == VIDEO_MODE_NONE)
            return false;
        if (pick == current || !EFI_ERROR(gop->SetMode(gop, (UINT32)pick)))
            return true;
        modes[pick].usable = false;
        pick = VIDEO_MODE_NONE;
    }
}

static bool framebuffer_describe(const EFI_GRAPHICS_OUTPUT_PROTOCOL *gop,
                                 struct boot_framebuffer *out)
{
    const EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE *mode = gop->Mode;
    const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info = mode->Info;
    uint64_t pitch = (uint64_t)info->PixelsPerScanLine * 4;

    if (pixel_format(info) == BOOT_PIXEL_NONE || !mode->FrameBufferBase ||
        info->PixelsPerScanLine < info->HorizontalResolution ||
        pitch > UINT32_MAX ||
        mode->FrameBufferSize < pitch * info->VerticalResolution)
        return false;
    *out = (struct boot_framebuffer){
        .base = mode->FrameBufferBase,
        .size = mode->FrameBufferSize,
        .width = info->HorizontalResolution,
        .height = info->VerticalResolution,
        .pitch = (uint32_t)pitch,
        .format = pixel_format(info),
    };
    return true;
}

void graphics_init(const char *cmdline, struct boot_framebuffer *out)
{
    EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_BOOT_SERVICES *services = loader_system->BootServices;
    EFI_HANDLE *handles = NULL;
    UINTN count = 0;

    *out = (struct boot_framebuffer){.format = BOOT_PIXEL_NONE};
    if (EFI_ERROR(services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count,
                                               &handles)))
        return;
    /* With several displays the firmware adds a combined one that has no
     * framebuffer; the first real one is taken. */
    for (UINTN i = 0; i < count; i++) {
        EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = NULL;

        if (EFI_ERROR(
                services->HandleProtocol(handles[i], &guid, (void **)&gop)) ||
            !gop->Mode || !gop->Mode->Info)
            continue;
        if (mode_set(gop, cmdline) && framebuffer_describe(gop, out))
            break;
    }
    services->FreePool(handles);
}
