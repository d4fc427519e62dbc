/* Pixel formats of virtio-gpu and their way to 0xAARRGGBB. Pure; any context.
 */
#ifndef VMM_DEVICES_GPU_FORMAT_H
#define VMM_DEVICES_GPU_FORMAT_H

#include <rayos/types.h>

#define GPU_PIXEL_SIZE 4 /* bytes, of all formats */

/* virtio 1.2 5.7.6.8: names tell the bytes in memory, lowest address first */
enum gpu_format {
    GPU_B8G8R8A8 = 1,
    GPU_B8G8R8X8 = 2,
    GPU_A8R8G8B8 = 3,
    GPU_X8R8G8B8 = 4,
    GPU_R8G8B8A8 = 67,
    GPU_X8B8G8R8 = 68,
    GPU_A8B8G8R8 = 121,
    GPU_R8G8B8X8 = 134,
};

bool gpu_format_known(uint32_t format);
/* So many pixels; `from` needs no alignment, nothing overlaps. */
void gpu_format_convert(enum gpu_format format, uint32_t *to, const void *from,
                        size_t pixels);

#endif
