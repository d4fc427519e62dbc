/*
 * From keys to what a terminal sends: a layout (which key gives which
 * character), dead keys, UTF-8, control codes, and the sequences of xterm
 * (ctlseqs, "PC-Style Function Keys"). One layout is in force for all
 * terminals; the built-in one is US English, others come from Lua
 * (lua/keymaps/). Also built for the host tests. One keymap_state a keyboard,
 * used by one context at a time. Any context but NMI.
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

#define KEYMAP_OUT_MAX 12

/* --- layouts --- */

enum keymap_level {
    LEVEL_PLAIN,
    LEVEL_SHIFT,
    LEVEL_ALTGR,
    LEVEL_SHIFT_ALTGR,
    KEYMAP_LEVELS
};

#define KEYMAP_KEYS        128 /* codes below have characters */
#define KEYMAP_NAME_MAX    16
#define KEYMAP_COMPOSE_MAX 192

/* With a character: it waits for the next one, and the two make one. */
#define KEYMAP_DEAD 0x80000000u

struct keymap_compose {
    uint32_t dead, base, result; /* characters, without KEYMAP_DEAD */
};

struct keymap_table {
    char name[KEYMAP_NAME_MAX];
    bool altgr; /* the right Alt chooses levels; else it is an Alt */
    uint32_t symbols[KEYMAP_KEYS][KEYMAP_LEVELS]; /* Unicode; 0: none */
    uint32_t compose_count;
    struct keymap_compose compose[KEYMAP_COMPOSE_MAX];
};

/* From now on. -EINVAL: something in it is no character; then the old one stays
 * in force. */
int keymap_install(const struct keymap_table *t);
void keymap_current(struct keymap_table *out);

/* --- keys --- */

struct keymap_state {
    uint16_t held; /* one bit for each modifier key that is down */
    uint8_t locks; /* KEYMAP_CAPS_LOCK, KEYMAP_NUM_LOCK */
    uint32_t dead; /* a character that waits for another; 0: none */
};

/* Nothing held, Num Lock on. */
void keymap_init(struct keymap_state *s);
/* KEYMAP_* that are in force after the last event. */
unsigned keymap_modifiers(const struct keymap_state *s);
/* Follow one event. Bytes written to `out` (no NUL is added); 0 for modifiers,
 * releases, dead keys and keys that a terminal does not know. */
size_t keymap_translate(struct keymap_state *s, const struct input_event *e,
                        char out[KEYMAP_OUT_MAX]);

#endif
