/* The order in which units start, from what each comes after. Pure. */
#ifndef CORE_UNIT_ORDER_H
#define CORE_UNIT_ORDER_H

#include <rayos/unit.h>

#define UNIT_MAX 256

/*
 * Fill order[] with the indices of units[0..n-1], each after all that it names
 * in `after`, otherwise as they come. 0; or -EINVAL with a sentence in `error`:
 * an unknown name, one name for two units, a cycle, too many units.
 */
int unit_order(const struct unit *units, size_t n, uint16_t order[UNIT_MAX],
               char *error, size_t error_size);

#endif
