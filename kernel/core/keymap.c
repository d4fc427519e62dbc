/*
 * What a terminal of the xterm family sends for each key (XTerm Control
 * Sequences, "PC-Style Function Keys", "VT220-Style Function Keys";
 * applications expect these everywhere), in the layout of keymap_table.c. Any
 * context but NMI.
 */
#include <rayos/keymap.h>

#include <string.h>

#include <rayos/keycodes.h>

#include "keymap_table.h"

#define ESC "\x1b"

/* --- modifiers --- */

struct modifier {
    uint16_t key;
    uint16_t bit; /* in keymap_state.held: each key its own */
    unsigned modifier;
};

static const struct modifier modifiers[] = {
    {KEY_LEFTSHIFT, 1u << 0, KEYMAP_SHIFT},
    {KEY_RIGHTSHIFT, 1u << 1, KEYMAP_SHIFT},
    {KEY_LEFTCTRL, 1u << 2, KEYMAP_CTRL},
    {KEY_RIGHTCTRL, 1u << 3, KEYMAP_CTRL},
    {KEY_LEFTALT, 1u << 4, KEYMAP_ALT},
    {KEY_RIGHTALT, 1u << 5, KEYMAP_ALTGR},
    {KEY_LEFTMETA, 1u << 6, KEYMAP_META},
    {KEY_RIGHTMETA, 1u << 7, KEYMAP_META},
};

void keymap_init(struct keymap_state *s)
{
    *s = (struct keymap_state){.locks = KEYMAP_NUM_LOCK};
}

unsigned keymap_modifiers(const struct keymap_state *s)
{
    unsigned m = s->locks;

    for (size_t i = 0; i < ARRAY_SIZE(modifiers); i++)
        if (s->held & modifiers[i].bit)
            m |= modifiers[i].modifier;
    return m;
}

/* true: the key is a modifier or a lock, and is done with. */
static bool modifier_take(struct keymap_state *s, const struct input_event *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(modifiers); i++) {
        if (modifiers[i].key != e->code)
            continue;
        if (e->value == KEY_RELEASED)
            s->held &= (uint16_t)~modifiers[i].bit;
        else
            s->held |= modifiers[i].bit;
        return true;
    }
    if (e->code != KEY_CAPSLOCK && e->code != KEY_NUMLOCK)
        return false;
    if (e->value == KEY_PRESSED)
        s->locks ^= e->code == KEY_CAPSLOCK ? KEYMAP_CAPS_LOCK
                                            : KEYMAP_NUM_LOCK;
    return true;
}

/* --- the keypad --- */

/* The keypad with Num Lock, and the key that it is without. */
struct keypad {
    char digit;
    uint16_t key; /* KEY_RESERVED: none (5) */
};

static const struct keypad keypad[] = {
    [KEY_KP7 - KEY_KP7] = {'7', KEY_HOME},
    [KEY_KP8 - KEY_KP7] = {'8', KEY_UP},
    [KEY_KP9 - KEY_KP7] = {'9', KEY_PAGEUP},
    [KEY_KP4 - KEY_KP7] = {'4', KEY_LEFT},
    [KEY_KP5 - KEY_KP7] = {'5', KEY_RESERVED},
    [KEY_KP6 - KEY_KP7] = {'6', KEY_RIGHT},
    [KEY_KP1 - KEY_KP7] = {'1', KEY_END},
    [KEY_KP2 - KEY_KP7] = {'2', KEY_DOWN},
    [KEY_KP3 - KEY_KP7] = {'3', KEY_PAGEDOWN},
    [KEY_KP0 - KEY_KP7] = {'0', KEY_INSERT},
    [KEY_KPDOT - KEY_KP7] = {'.', KEY_DELETE},
};

/* --- keys that send sequences --- */

/* ESC [ 1 ; m final, or plain: introducer and final; with a number instead:
 * ESC [ number ; m ~. */
struct sequence {
    uint16_t key;
    uint8_t number; /* 0: `final` and `intro` count */
    char intro, final;
};

static const struct sequence sequences[] = {
    {KEY_UP, 0, '[', 'A'},   {KEY_DOWN, 0, '[', 'B'}, {KEY_RIGHT, 0, '[', 'C'},
    {KEY_LEFT, 0, '[', 'D'}, {KEY_HOME, 0, '[', 'H'}, {KEY_END, 0, '[', 'F'},
    {KEY_F1, 0, 'O', 'P'},   {KEY_F2, 0, 'O', 'Q'},   {KEY_F3, 0, 'O', 'R'},
    {KEY_F4, 0, 'O', 'S'},   {KEY_INSERT, 2, 0, 0},   {KEY_DELETE, 3, 0, 0},
    {KEY_PAGEUP, 5, 0, 0},   {KEY_PAGEDOWN, 6, 0, 0}, {KEY_F5, 15, 0, 0},
    {KEY_F6, 17, 0, 0},      {KEY_F7, 18, 0, 0},      {KEY_F8, 19, 0, 0},
    {KEY_F9, 20, 0, 0},      {KEY_F10, 21, 0, 0},     {KEY_F11, 23, 0, 0},
    {KEY_F12, 24, 0, 0},
};

struct out {
    char *text;
    size_t length;
};

static void put(struct out *o, char c)
{
    if (o->length < KEYMAP_OUT_MAX)
        o->text[o->length++] = c;
}

static void put_number(struct out *o, unsigned n)
{
    if (n >= 10)
        put(o, (char)('0' + n / 10));
    put(o, (char)('0' + n % 10));
}

/* Shift 1, Alt 2, Ctrl 4; xterm sends their sum plus one. */
static unsigned xterm_modifier(unsigned m)
{
    return (m & KEYMAP_SHIFT ? 1 : 0) + (m & KEYMAP_ALT ? 2 : 0) +
           (m & KEYMAP_CTRL ? 4 : 0);
}

static bool put_sequence(struct out *o, uint16_t key, unsigned m)
{
    const struct sequence *q = NULL;
    unsigned modifier = xterm_modifier(m);

    for (size_t i = 0; i < ARRAY_SIZE(sequences) && !q; i++)
        if (sequences[i].key == key)
            q = &sequences[i];
    if (!q)
        return false;
    put(o, ESC[0]);
    put(o, q->number || modifier ? '[' : q->intro);
    if (q->number || modifier)
        put_number(o, q->number ? q->number : 1);
    if (modifier) {
        put(o, ';');
        put_number(o, modifier + 1);
    }
    put(o, q->number ? '~' : q->final);
    return true;
}

/* What Ctrl makes of a character; characters that have no control code stay. */
static uint32_t control_code(uint32_t c)
{
    static const char from[] = " 2345678/";
    static const char to[] = "\x00\x00\x1b\x1c\x1d\x1e\x1f\x7f\x1f";
    const char *p = c && c < 0x80 ? strchr(from, (int)c) : NULL;

    if (c >= 'a' && c <= 'z')
        return c - 'a' + 1;
    if (c >= '@' && c <= '_')
        return c & 0x1f;
    if (c == '?')
        return 0x7f;
    return p ? (uint8_t)to[p - from] : c;
}

/* UTF-8 (RFC 3629). */
static void put_utf8(struct out *o, uint32_t c)
{
    if (c < 0x80) {
        put(o, (char)c);
        return;
    }
    if (c < 0x800) {
        put(o, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            put(o, (char)(0xe0 | c >> 12));
        } else {
            put(o, (char)(0xf0 | c >> 18));
            put(o, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        put(o, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    put(o, (char)(0x80 | (c & 0x3f)));
}

/* Alt puts an ESC in front. */
static void put_character(struct out *o, uint32_t c, unsigned m)
{
    if (m & KEYMAP_ALT)
        put(o, ESC[0]);
    put_utf8(o, c);
}

/* Keys with a meaning of their own. */
static bool put_editing(struct out *o, uint16_t key, unsigned m)
{
    switch (key) {
    case KEY_ENTER:
    case KEY_KPENTER:
        put_character(o, '\r', m);
        return true;
    case KEY_ESC:
        put_character(o, (uint8_t)ESC[0], m);
        return true;
    case KEY_BACKSPACE:
        put_character(o, m & KEYMAP_CTRL ? '\b' : 0x7f, m);
        return true;
    case KEY_TAB:
        if (!(m & KEYMAP_SHIFT)) {
            put_character(o, '\t', m);
            return true;
        }
        put(o, ESC[0]);
        put(o, '[');
        put(o, 'Z');
        return true;
    default:
        return false;
    }
}

/* Latin letters whose capital lies where ASCII and Latin-1 have it. */
static bool is_letter_pair(uint32_t small, uint32_t capital)
{
    return ((small >= 'a' && small <= 'z') ||
            (small >= 0xe0 && small <= 0xfe && small != 0xf7)) &&
           capital == small - 0x20;
}

/* The character of a key, perhaps with KEYMAP_DEAD. */
static uint32_t symbol_of(const struct keymap_table *t, uint16_t key,
                          unsigned m)
{
    const uint32_t *levels = t->symbols[key];
    unsigned base = m & KEYMAP_ALTGR ? LEVEL_ALTGR : LEVEL_PLAIN;
    bool shift = m & KEYMAP_SHIFT;

    if (m & KEYMAP_CAPS_LOCK && is_letter_pair(levels[base], levels[base + 1]))
        shift = !shift;
    return levels[base + shift];
}

/* A dead key and one that it does not fit to give both, a space only the
 * accent. */
static void put_composed(struct out *o, const struct keymap_table *t,
                         uint32_t dead, uint32_t c, unsigned m)
{
    uint32_t made = keymap_compose(t, dead, c);

    if (!made)
        put_character(o, dead, m);
    if (made || c != ' ')
        put_character(o, made ? made : c, m);
}

static void put_printable(struct keymap_state *s, struct out *o,
                          const struct keymap_table *t, uint16_t key,
                          unsigned m)
{
    uint32_t c = key < KEYMAP_KEYS ? symbol_of(t, key, m) : 0, dead = s->dead;

    if (!c)
        return;
    s->dead = 0;
    if (c & KEYMAP_DEAD && !(m & KEYMAP_CTRL)) {
        c &= ~KEYMAP_DEAD;
        if (!dead)
            s->dead = c;
        else
            put_composed(o, t, dead, c, m);
        return;
    }
    c &= ~KEYMAP_DEAD;
    if (m & KEYMAP_CTRL)
        put_character(o, control_code(c), m);
    else if (dead)
        put_composed(o, t, dead, c, m);
    else
        put_character(o, c, m);
}

/* Num Lock gives digits; Shift takes the other choice for the moment. A key on
 * the keypad that became another comes back in *key. */
static bool put_keypad(struct out *o, uint16_t *key, unsigned *m)
{
    size_t i = (size_t)*key - KEY_KP7;

    if (*key < KEY_KP7 || i >= ARRAY_SIZE(keypad) || !keypad[i].digit)
        return false;
    bool shift = *m & KEYMAP_SHIFT, digit = *m & KEYMAP_NUM_LOCK;

    if (digit != shift) {
        put_character(o, (uint8_t)keypad[i].digit, *m);
        return true;
    }
    if (digit)
        *m &= ~KEYMAP_SHIFT;
    *key = keypad[i].key;
    return false;
}

static void put_key(struct keymap_state *s, struct out *o,
                    const struct keymap_table *t, uint16_t key)
{
    unsigned m = keymap_modifiers(s);

    if (m & KEYMAP_ALTGR && !t->altgr)
        m = (m & ~KEYMAP_ALTGR) | KEYMAP_ALT;
    if (put_keypad(o, &key, &m) || put_sequence(o, key, m) ||
        put_editing(o, key, m))
        s->dead = 0;
    else
        put_printable(s, o, t, key, m);
}

size_t keymap_translate(struct keymap_state *s, const struct input_event *e,
                        char out[KEYMAP_OUT_MAX])
{
    struct out o = {.text = out};
    const struct keymap_table *t;
    irqflags_t flags;

    if (modifier_take(s, e) || e->value == KEY_RELEASED)
        return 0;
    t = keymap_table_lock(&flags);
    put_key(s, &o, t, e->code);
    keymap_table_unlock(flags);
    return o.length;
}
