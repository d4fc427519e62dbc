/* What rules can do with keys. Any context but NMI, interrupts off. */
#include <errno.h>

#include <rayos/input.h>

#include "rule.h"

static int action_key(const struct reflex_args *a)
{
    int64_t code = a->number[0], value = a->number[1];

    if (code < 1 || code >= KEY_COUNT || value < 0 || value > 1)
        return -EINVAL;
    input_inject(INPUT_KEY, (uint16_t)code, (int32_t)value);
    input_inject(INPUT_SYN, 0, 0);
    return 0;
}

REFLEX_ACTION(key, .capability = "input",
              .doc = "as if a keyboard had said it: code, 1 down or 0 up",
              .args = "nn", .any_context = true, .run = action_key);
