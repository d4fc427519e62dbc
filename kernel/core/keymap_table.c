/*
 * The layout in force: see rayos/keymap.h. Whoever translates a key holds the
 * lock for that time, so a layout may be changed under a typing hand. Any
 * context but NMI.
 */
#include <errno.h>
#include <string.h>

#include <rayos/spinlock.h>

#include "keymap_table.h"

#define CHARACTER_MAX 0x10ffffu

/* US English. Right Alt is an Alt: it has no third level. */
static struct keymap_table current = {
    .name = "us",
    .symbols =
        {
            [KEY_1] = {'1', '!'},           [KEY_2] = {'2', '@'},
            [KEY_3] = {'3', '#'},           [KEY_4] = {'4', '$'},
            [KEY_5] = {'5', '%'},           [KEY_6] = {'6', '^'},
            [KEY_7] = {'7', '&'},           [KEY_8] = {'8', '*'},
            [KEY_9] = {'9', '('},           [KEY_0] = {'0', ')'},
            [KEY_MINUS] = {'-', '_'},       [KEY_EQUAL] = {'=', '+'},
            [KEY_Q] = {'q', 'Q'},           [KEY_W] = {'w', 'W'},
            [KEY_E] = {'e', 'E'},           [KEY_R] = {'r', 'R'},
            [KEY_T] = {'t', 'T'},           [KEY_Y] = {'y', 'Y'},
            [KEY_U] = {'u', 'U'},           [KEY_I] = {'i', 'I'},
            [KEY_O] = {'o', 'O'},           [KEY_P] = {'p', 'P'},
            [KEY_LEFTBRACE] = {'[', '{'},   [KEY_RIGHTBRACE] = {']', '}'},
            [KEY_A] = {'a', 'A'},           [KEY_S] = {'s', 'S'},
            [KEY_D] = {'d', 'D'},           [KEY_F] = {'f', 'F'},
            [KEY_G] = {'g', 'G'},           [KEY_H] = {'h', 'H'},
            [KEY_J] = {'j', 'J'},           [KEY_K] = {'k', 'K'},
            [KEY_L] = {'l', 'L'},           [KEY_SEMICOLON] = {';', ':'},
            [KEY_APOSTROPHE] = {'\'', '"'}, [KEY_GRAVE] = {'`', '~'},
            [KEY_BACKSLASH] = {'\\', '|'},  [KEY_Z] = {'z', 'Z'},
            [KEY_X] = {'x', 'X'},           [KEY_C] = {'c', 'C'},
            [KEY_V] = {'v', 'V'},           [KEY_B] = {'b', 'B'},
            [KEY_N] = {'n', 'N'},           [KEY_M] = {'m', 'M'},
            [KEY_COMMA] = {',', '<'},       [KEY_DOT] = {'.', '>'},
            [KEY_SLASH] = {'/', '?'},       [KEY_KPASTERISK] = {'*', '*'},
            [KEY_SPACE] = {' ', ' '},       [KEY_KPMINUS] = {'-', '-'},
            [KEY_KPPLUS] = {'+', '+'},      [KEY_102ND] = {'\\', '|'},
            [KEY_KPSLASH] = {'/', '/'},     [KEY_KPEQUAL] = {'=', '='},
            [KEY_KPCOMMA] = {',', ','},
        },
};

static struct spinlock lock; /* current */

const struct keymap_table *keymap_table_lock(irqflags_t *flags)
{
    *flags = spin_lock(&lock);
    return &current;
}

void keymap_table_unlock(irqflags_t flags)
{
    spin_unlock(&lock, flags);
}

/* A character that a terminal can be sent: no control code, no surrogate. */
static bool is_character(uint32_t c)
{
    return c >= ' ' && (c < 0x7f || c >= 0xa0) && c <= CHARACTER_MAX &&
           (c < 0xd800 || c > 0xdfff);
}

static bool table_is_valid(const struct keymap_table *t)
{
    if (!t->name[0] || strnlen(t->name, KEYMAP_NAME_MAX) == KEYMAP_NAME_MAX ||
        t->compose_count > KEYMAP_COMPOSE_MAX)
        return false;
    for (size_t key = 0; key < KEYMAP_KEYS; key++)
        for (size_t level = 0; level < KEYMAP_LEVELS; level++) {
            uint32_t c = t->symbols[key][level];

            if (c && !is_character(c & ~KEYMAP_DEAD))
                return false;
        }
    for (size_t i = 0; i < t->compose_count; i++)
        if (!is_character(t->compose[i].dead) ||
            !is_character(t->compose[i].base) ||
            !is_character(t->compose[i].result))
            return false;
    return true;
}

int keymap_install(const struct keymap_table *t)
{
    irqflags_t flags;

    if (!table_is_valid(t))
        return -EINVAL;
    flags = spin_lock(&lock);
    current = *t;
    spin_unlock(&lock, flags);
    return 0;
}

void keymap_current(struct keymap_table *out)
{
    irqflags_t flags = spin_lock(&lock);

    *out = current;
    spin_unlock(&lock, flags);
}

uint32_t keymap_compose(const struct keymap_table *t, uint32_t dead,
                        uint32_t base)
{
    for (size_t i = 0; i < t->compose_count; i++)
        if (t->compose[i].dead == dead && t->compose[i].base == base)
            return t->compose[i].result;
    return 0;
}
