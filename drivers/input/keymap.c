/*
 * The US layout, and what a terminal of the xterm family sends for each key
 * (XTerm Control Sequences, "PC-Style Function Keys", "VT220-Style Function
 * Keys"; applications expect these everywhere). Right Alt acts as Alt, since
 * the layout has no third level. Pure: any context.
 */
#include <rayos/keymap.h>

#include <string.h>

#include <rayos/keycodes.h>

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
    s->held = 0;
    s->locks = KEYMAP_NUM_LOCK;
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

/* --- characters --- */

struct character {
    char plain, shifted;
};

static const struct character characters[] = {
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
};

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
    return (m & KEYMAP_SHIFT ? 1 : 0) +
           (m & (KEYMAP_ALT | KEYMAP_ALTGR) ? 2 : 0) +
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
static char control_code(char c)
{
    static const char from[] = " 2345678/";
    static const char to[] = "\x00\x00\x1b\x1c\x1d\x1e\x1f\x7f\x1f";
    const char *p = strchr(from, c);

    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 1);
    if (c >= '@' && c <= '_')
        return (char)(c & 0x1f);
    if (c == '?')
        return 0x7f;
    return p ? to[p - from] : c;
}

/* Alt puts an ESC in front. */
static void put_character(struct out *o, char c, unsigned m)
{
    if (m & (KEYMAP_ALT | KEYMAP_ALTGR))
        put(o, ESC[0]);
    put(o, c);
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
        put_character(o, ESC[0], m);
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

static void put_printable(struct out *o, uint16_t key, unsigned m)
{
    if (key >= ARRAY_SIZE(characters) || !characters[key].plain)
        return;
    const struct character *c = &characters[key];
    bool letter = c->plain >= 'a' && c->plain <= 'z';
    bool shift = m & KEYMAP_SHIFT;

    if (letter && m & KEYMAP_CAPS_LOCK)
        shift = !shift;
    char code = shift ? c->shifted : c->plain;

    put_character(o, m & KEYMAP_CTRL ? control_code(code) : code, m);
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
        put_character(o, keypad[i].digit, *m);
        return true;
    }
    if (digit)
        *m &= ~KEYMAP_SHIFT;
    *key = keypad[i].key;
    return false;
}

size_t keymap_translate(struct keymap_state *s, const struct input_event *e,
                        char out[KEYMAP_OUT_MAX])
{
    struct out o = {.text = out};
    uint16_t key = e->code;

    if (modifier_take(s, e) || e->value == KEY_RELEASED)
        return 0;
    unsigned m = keymap_modifiers(s);

    if (!put_keypad(&o, &key, &m) && !put_sequence(&o, key, m) &&
        !put_editing(&o, key, m))
        put_printable(&o, key, m);
    return o.length;
}
