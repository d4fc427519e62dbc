/*
 * What the screen's terminal shows, for tests and for screenshots. All that was
 * written to it before the call is drawn. Thread context.
 */
#ifndef RAYOS_TERMINAL_H
#define RAYOS_TERMINAL_H

#include <sys/types.h>

#include <rayos/types.h>

/* The code points of a row, blanks as ' ', the right half of a wide character
 * as 0. Returns how many cells were stored, `size` at most; -ENODEV without a
 * screen, -EINVAL past the last row, -ECANCELED. */
ssize_t terminal_read_row(uint32_t row, uint32_t *cells, size_t size);
/* The pixels of a rectangle inside the screen, three bytes each: red, green,
 * blue. 0, -ENODEV, -EINVAL when it is not inside, -ECANCELED. */
int terminal_read_pixels(uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                         uint8_t *rgb);

#endif
