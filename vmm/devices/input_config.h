/*
 * What a virtio input device says about itself (virtio 1.2 5.8.5): the driver
 * selects a question, the answer is up to 128 bytes. Pure; any context.
 */
#ifndef VMM_DEVICES_INPUT_CONFIG_H
#define VMM_DEVICES_INPUT_CONFIG_H

#include <rayos/types.h>

#define INPUT_CONFIG_ANSWER 128 /* bytes at most */

/* virtio 1.2 5.8.5: select */
enum input_config_select {
    INPUT_CONFIG_UNSET = 0x00,
    INPUT_CONFIG_NAME = 0x01,
    INPUT_CONFIG_SERIAL = 0x02,
    INPUT_CONFIG_IDS = 0x03,
    INPUT_CONFIG_PROPERTIES = 0x10,
    INPUT_CONFIG_EVENTS = 0x11,   /* subsel: a type of events */
    INPUT_CONFIG_ABSOLUTE = 0x12, /* subsel: an axis */
};

/* Places of the tablet: 0 to this, on both axes. */
#define INPUT_TABLET_MAX 32767

struct input_kind {
    const char *name;
    uint16_t product;
    bool pointer; /* buttons, wheels and places; else keys and LEDs */
};

extern const struct input_kind input_kind_keyboard, input_kind_tablet;

/* Length of the answer, 0: there is none. `out` has INPUT_CONFIG_ANSWER bytes,
 * those behind the answer are 0. */
uint8_t input_config_answer(const struct input_kind *k, uint8_t select,
                            uint8_t subsel, uint8_t *out);
/* Does a device of this kind report such an event? SYN: any. */
bool input_kind_has(const struct input_kind *k, uint16_t type, uint16_t code);

#endif
