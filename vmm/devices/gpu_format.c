/*
 * Pixels of a guest as 0xAARRGGBB: see gpu_format.h. A loop for each format, so
 * that none decides anything for each pixel; the compiler's own memcpy, which
 * is a single instruction, for the kernel is compiled without such knowledge.
 * Pure; any context.
 */
#include "vmm/devices/gpu_format.h"

#include <string.h>

#define OPAQUE UINT32_C(0xff000000)

bool gpu_format_known(uint32_t format)
{
    switch (format) {
    case GPU_B8G8R8A8:
    case GPU_B8G8R8X8:
    case GPU_A8R8G8B8:
    case GPU_X8R8G8B8:
    case GPU_R8G8B8A8:
    case GPU_X8B8G8R8:
    case GPU_A8B8G8R8:
    case GPU_R8G8B8X8:
        return true;
    default:
        return false;
    }
}

static inline uint32_t load(const uint8_t *p)
{
    uint32_t v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

/* Red and blue change places: 0x??BBGGRR to 0x??RRGGBB. */
static inline uint32_t swap_red(uint32_t v)
{
    return (v & 0xff00ff00) | (v >> 16 & 0xff) | (v & 0xff) << 16;
}

/* Two pixels at once: this is what every desktop draws with. */
static void convert_opaque(uint32_t *to, const uint8_t *from, size_t n)
{
#pragma GCC unroll 8
    for (; n >= 2; n -= 2, to += 2, from += 8) {
        uint64_t v;

        __builtin_memcpy(&v, from, sizeof(v));
        v |= (uint64_t)OPAQUE << 32 | OPAQUE;
        __builtin_memcpy(to, &v, sizeof(v));
    }
    if (n)
        *to = load(from) | OPAQUE;
}

void gpu_format_convert(enum gpu_format format, uint32_t *to, const void *data,
                        size_t n)
{
    const uint8_t *from = data;
    uint32_t *end = to + n;

    switch (format) {
    case GPU_B8G8R8A8:
        memcpy(to, from, n * GPU_PIXEL_SIZE);
        break;
    case GPU_B8G8R8X8:
        convert_opaque(to, from, n);
        break;
    case GPU_A8R8G8B8:
        for (; to < end; from += GPU_PIXEL_SIZE)
            *to++ = __builtin_bswap32(load(from));
        break;
    case GPU_X8R8G8B8:
        for (; to < end; from += GPU_PIXEL_SIZE)
            *to++ = __builtin_bswap32(load(from)) | OPAQUE;
        break;
    case GPU_R8G8B8A8:
        for (; to < end; from += GPU_PIXEL_SIZE)
            *to++ = swap_red(load(from));
        break;
    case GPU_R8G8B8X8:
        for (; to < end; from += GPU_PIXEL_SIZE)
            *to++ = swap_red(load(from)) | OPAQUE;
        break;
    case GPU_A8B8G8R8: /* as a word 0xRRGGBBAA */
        for (; to < end; from += GPU_PIXEL_SIZE)
            *to++ = load(from) >> 8 | load(from) << 24;
        break;
    case GPU_X8B8G8R8:
        for (; to < end; from += GPU_PIXEL_SIZE)
            *to++ = load(from) >> 8 | OPAQUE;
        break;
    }
}
