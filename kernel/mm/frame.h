/* Runs of frames that are not a power of two, for heap.c. */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include <rayos/types.h>

/* `count` frames in a row, aligned to the next power of two; FRAME_NONE. Any
 * context but NMI. */
phys_t frame_alloc_run(uint32_t count);
/* Panics on anything but a whole run. */
void frame_free_run(phys_t base, uint32_t count);

/* After an allocation: are frames low? frame_lock held (pressure.c). */
void memory_pressure_frames(uint64_t free, uint64_t total);

#endif
