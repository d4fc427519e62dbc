/* Names of keys and buttons, for people and rules: "a", "enter", "leftshift",
 * "kp7", "mouse_left". Constant: any context. */
#ifndef RAYOS_KEYNAMES_H
#define RAYOS_KEYNAMES_H

#include <rayos/event.h>
#include <rayos/keycodes.h>

/* Both end with a NULL name. */
extern const struct event_constant input_key_names[];
extern const struct event_constant input_button_names[];

/* Key or button; KEY_RESERVED: nothing has that name. */
uint16_t input_key_find(const char *name);
/* NULL: it has none. */
const char *input_key_name(uint16_t code);

#endif
