/*
 * Pictures as PNG (ISO/IEC 15948): 8-bit RGB, one IDAT, deflated by runs alone,
 * which does well for a terminal's screen. The same pixels always give the same
 * file. Pure: any context, no allocation.
 */
#ifndef RAYOS_LUA_PNG_H
#define RAYOS_LUA_PNG_H

#include <rayos/types.h>

#define PNG_MAX_SIDE 32768u

/* An upper bound of the size of the file; sides at most PNG_MAX_SIDE. */
size_t png_bound(uint32_t width, uint32_t height);
/* `rgb` has 3 * width * height bytes. Returns the size of the file. */
size_t png_encode(const uint8_t *rgb, uint32_t width, uint32_t height,
                  uint8_t *out);

#endif
