/* What a guest's monitor says about itself: VESA E-EDID 1.4, one block of 128
 * bytes, whose preferred mode is the size of the surface. Pure; any context. */
#ifndef VMM_DEVICES_GPU_EDID_H
#define VMM_DEVICES_GPU_EDID_H

#include <rayos/types.h>

#define EDID_SIZE     128
#define EDID_SIDE_MAX 4095 /* a detailed timing has 12 bits */

/* Sides are brought into 1..EDID_SIDE_MAX. */
void gpu_edid_make(uint8_t out[EDID_SIZE], uint32_t width, uint32_t height);

#endif
