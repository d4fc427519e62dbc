/*
 * Scan code set 1 to key codes (the set that the 8042's translation produces;
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard"). It remembers
 * which keys are down, so that it can tell a repeat from a press, drop releases
 * that belong to no press, and release everything when the keyboard says that
 * it lost track. Pure: any context.
 */
#include "scancode.h"

#include <string.h>

#define PREFIX_EXTENDED 0xe0
#define PREFIX_PAUSE    0xe1
#define BREAK_BIT       0x80

/* "Overrun or key detection error": 00 or FF, depending on the set that the
 * keyboard itself uses and on translation. */
#define CODE_ERROR_A 0x00
#define CODE_ERROR_B 0xff

/* Plain codes that are not their own key code. */
static const uint8_t plain_high[] = {
    [0x54 - 0x54] = KEY_SYSRQ, /* Alt+PrintScreen */
    [0x56 - 0x54] = KEY_102ND,
    [0x57 - 0x54] = KEY_F11,
    [0x58 - 0x54] = KEY_F12,
    [0x59 - 0x54] = KEY_KPEQUAL,
    [0x70 - 0x54] = KEY_KATAKANAHIRAGANA,
    [0x73 - 0x54] = KEY_RO,
    [0x79 - 0x54] = KEY_HENKAN,
    [0x7b - 0x54] = KEY_MUHENKAN,
    [0x7d - 0x54] = KEY_YEN,
    [0x7e - 0x54] = KEY_KPCOMMA,
};

static const uint8_t extended[128] = {
    [0x10] = KEY_PREVIOUSSONG, [0x19] = KEY_NEXTSONG,
    [0x1c] = KEY_KPENTER,      [0x1d] = KEY_RIGHTCTRL,
    [0x20] = KEY_MUTE,         [0x21] = KEY_CALC,
    [0x22] = KEY_PLAYPAUSE,    [0x24] = KEY_STOPCD,
    [0x2e] = KEY_VOLUMEDOWN,   [0x30] = KEY_VOLUMEUP,
    [0x32] = KEY_HOMEPAGE,     [0x35] = KEY_KPSLASH,
    [0x37] = KEY_SYSRQ,        [0x38] = KEY_RIGHTALT,
    [0x46] = KEY_PAUSE, /* Ctrl+Pause */
    [0x47] = KEY_HOME,         [0x48] = KEY_UP,
    [0x49] = KEY_PAGEUP,       [0x4b] = KEY_LEFT,
    [0x4d] = KEY_RIGHT,        [0x4f] = KEY_END,
    [0x50] = KEY_DOWN,         [0x51] = KEY_PAGEDOWN,
    [0x52] = KEY_INSERT,       [0x53] = KEY_DELETE,
    [0x5b] = KEY_LEFTMETA,     [0x5c] = KEY_RIGHTMETA,
    [0x5d] = KEY_COMPOSE,      [0x5e] = KEY_POWER,
    [0x5f] = KEY_SLEEP,        [0x63] = KEY_WAKEUP,
    [0x65] = KEY_SEARCH,       [0x66] = KEY_BOOKMARKS,
    [0x67] = KEY_REFRESH,      [0x68] = KEY_STOP,
    [0x69] = KEY_FORWARD,      [0x6a] = KEY_BACK,
    [0x6b] = KEY_COMPUTER,     [0x6c] = KEY_MAIL,
    [0x6d] = KEY_MEDIA,
    /* 0x2a and 0x36 are shifts that the keyboard makes up around navigation
     * keys; they stay 0 and are ignored. */
};

/* Pause is the only key of its kind: E1 1D 45 E1 9D C5 at its press, nothing at
 * its release. */
static const uint8_t pause_make[2] = {0x1d, 0x45};
static const uint8_t pause_break[2] = {0x9d, 0xc5};

static uint16_t plain_code(uint8_t code)
{
    if (code <= KEY_KPDOT)
        return code;
    size_t i = (size_t)code - 0x54;

    return i < sizeof(plain_high) ? plain_high[i] : KEY_RESERVED;
}

static void key_change(struct scancode_state *s, uint16_t key, bool released,
                       scancode_emit_t emit, void *arg)
{
    uint8_t *byte = &s->down[key / 8], bit = (uint8_t)(1u << key % 8);
    bool was_down = *byte & bit;

    if (key == KEY_RESERVED || (released && !was_down))
        return;
    if (released)
        *byte &= (uint8_t)~bit;
    else
        *byte |= bit;
    emit(arg, key,
         released   ? KEY_RELEASED
         : was_down ? KEY_REPEATED
                    : KEY_PRESSED);
}

void scancode_release_all(struct scancode_state *s, scancode_emit_t emit,
                          void *arg)
{
    s->prefix = 0;
    s->pause_bytes = 0;
    for (uint16_t key = 1; key < KEY_COUNT; key++)
        key_change(s, key, true, emit, arg);
}

/* After E1: the press is reported with the last byte of its first half, the
 * release with the last of the second. Any other byte ends the sequence. */
static void pause_take(struct scancode_state *s, uint8_t byte,
                       scancode_emit_t emit, void *arg)
{
    uint8_t i = s->pause_bytes;
    bool make = byte == pause_make[i], release = byte == pause_break[i];

    s->pause_bytes = 0;
    if (!make && !release) {
        s->prefix = 0;
    } else if (i == 0) {
        s->pause_bytes = 1;
    } else {
        s->prefix = 0;
        key_change(s, KEY_PAUSE, release, emit, arg);
    }
}

void scancode_feed(struct scancode_state *s, uint8_t byte, scancode_emit_t emit,
                   void *arg)
{
    if (byte == CODE_ERROR_A || byte == CODE_ERROR_B) {
        scancode_release_all(s, emit, arg);
    } else if (byte == PREFIX_EXTENDED || byte == PREFIX_PAUSE) {
        s->prefix = byte;
        s->pause_bytes = 0;
    } else if (s->prefix == PREFIX_PAUSE) {
        pause_take(s, byte, emit, arg);
    } else {
        uint8_t code = byte & (uint8_t)~BREAK_BIT;
        uint16_t key = s->prefix ? extended[code] : plain_code(code);

        s->prefix = 0;
        key_change(s, key, byte & BREAK_BIT, emit, arg);
    }
}
