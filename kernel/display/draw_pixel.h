/* One pixel over another, both with alpha. Pure; any context. */
#ifndef RAYOS_DISPLAY_DRAW_PIXEL_H
#define RAYOS_DISPLAY_DRAW_PIXEL_H

#include "compose.h"

/* `coverage` (0..255) of the pixel gets the colour. Where something shines
 * through in the end, its alpha and a mean of the colours weighted by alpha
 * stay. */
static inline void draw_pixel_over(uint32_t *below, uint32_t argb,
                                   uint32_t coverage)
{
    uint32_t a = ((argb >> 24) * coverage + 127) / 255, b = *below >> 24;
    uint32_t under, sum, out = 0;

    if (!a)
        return;
    if (a == 255 || !b) {
        *below = a << 24 | (argb & 0xffffff);
        return;
    }
    if (b == 255) {
        *below = 0xff000000u | compose_mix(*below, argb, a);
        return;
    }
    under = b * (255 - a); /* weights in 1/255 */
    sum = a * 255 + under;
    for (unsigned shift = 0; shift < 24; shift += 8) {
        uint32_t s = argb >> shift & 0xff, d = *below >> shift & 0xff;

        out |= (s * a * 255 + d * under + sum / 2) / sum << shift;
    }
    *below = (sum + 127) / 255 << 24 | out;
}

#endif
