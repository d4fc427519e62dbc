/* What happens at the input devices, as events. */
#ifndef KERNEL_CORE_INPUT_EVENT_H
#define KERNEL_CORE_INPUT_EVENT_H

#include <rayos/input.h>

/* Show it to the reflexes and to whoever subscribes. true: a reflex consumed
 * it. Any context but NMI, the router's lock not held. */
bool input_event_raise(const struct input_event *e);

#endif
