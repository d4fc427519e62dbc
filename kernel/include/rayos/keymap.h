/*
 * From keys to what a terminal sends: US layout, UTF-8, control codes, and the
 * sequences of xterm (ctlseqs, "PC-Style Function Keys"). Pure; also built for
 * the host tests. One keymap_state a keyboard, used by one context at a time.
 */
#ifndef RAYOS_KEYMAP_H
#define RAYOS_KEYMAP_H

#include <rayos/input.h>

#define KEYMAP_SHIFT     1u
#define KEYMAP_ALT       2u
#define KEYMAP_CTRL      4u
#define KEYMAP_ALTGR     8u
#define KEYMAP_META      16u
#define KEYMAP_CAPS_LOCK 32u
#define KEYMAP_NUM_LOCK  64u

#define KEYMAP_OUT_MAX 8

struct keymap_state {
    uint16_t held; /* one bit for each modifier key that is down */
    uint8_t locks; /* KEYMAP_CAPS_LOCK, KEYMAP_NUM_LOCK */
};

/* Nothing held, Num Lock on. */
void keymap_init(struct keymap_state *s);
/* KEYMAP_* that are in force after the last event. */
unsigned keymap_modifiers(const struct keymap_state *s);
/* Follow one event. Bytes written to `out` (no NUL is added); 0 for modifiers,
 * releases and keys that a terminal does not know. */
size_t keymap_translate(struct keymap_state *s, const struct input_event *e,
                        char out[KEYMAP_OUT_MAX]);

#endif
