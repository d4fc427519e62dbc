/* sources: kernel/core/keymap.c kernel/core/keymap_table.c */
#include <errno.h>
#include <string.h>

#include <rayos/keycodes.h>
#include <rayos/keymap.h>

#include "check.h"

static struct keymap_state state;

/* What one event sends, readable: ^X for control codes, ^? for DEL. */
static const char *event(uint16_t code, int32_t value)
{
    static char text[64];
    struct input_event e = {.code = code, .value = value};
    char out[KEYMAP_OUT_MAX];
    size_t n = keymap_translate(&state, &e, out), k = 0;

    CHECK(n <= KEYMAP_OUT_MAX);
    for (size_t i = 0; i < n; i++) {
        if ((uint8_t)out[i] < 0x20 || out[i] == 0x7f) {
            text[k++] = '^';
            text[k++] = (char)(out[i] ^ 0x40);
        } else {
            text[k++] = out[i];
        }
    }
    text[k] = '\0';
    return text;
}

/* Press the key with these modifier keys held, all released afterwards. */
static const char *press(uint16_t code, uint16_t mod1, uint16_t mod2)
{
    static char text[64];

    if (mod1)
        CHECK_STR(event(mod1, KEY_PRESSED), "");
    if (mod2)
        CHECK_STR(event(mod2, KEY_PRESSED), "");
    strcpy(text, event(code, KEY_PRESSED));
    CHECK_STR(event(code, KEY_RELEASED), "");
    if (mod2)
        CHECK_STR(event(mod2, KEY_RELEASED), "");
    if (mod1)
        CHECK_STR(event(mod1, KEY_RELEASED), "");
    return text;
}

static const char *plain(uint16_t code)
{
    return press(code, 0, 0);
}

static const char *shift(uint16_t code)
{
    return press(code, KEY_LEFTSHIFT, 0);
}

static const char *ctrl(uint16_t code)
{
    return press(code, KEY_RIGHTCTRL, 0);
}

static const char *alt(uint16_t code)
{
    return press(code, KEY_LEFTALT, 0);
}

TEST(characters_come_plain_and_shifted)
{
    static const uint16_t keys[] = {
        KEY_GRAVE,     KEY_1,          KEY_2,         KEY_3,     KEY_4,
        KEY_5,         KEY_6,          KEY_7,         KEY_8,     KEY_9,
        KEY_0,         KEY_MINUS,      KEY_EQUAL,     KEY_Q,     KEY_P,
        KEY_LEFTBRACE, KEY_RIGHTBRACE, KEY_BACKSLASH, KEY_A,     KEY_L,
        KEY_SEMICOLON, KEY_APOSTROPHE, KEY_Z,         KEY_M,     KEY_COMMA,
        KEY_DOT,       KEY_SLASH,      KEY_SPACE,     KEY_102ND,
    };
    static const char lower[] = "`1234567890-=qp[]\\al;'zm,./ \\";
    static const char upper[] = "~!@#$%^&*()_+QP{}|AL:\"ZM<>? |";

    keymap_init(&state);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        CHECK_EQ(plain(keys[i])[0], lower[i]);
        CHECK_EQ(shift(keys[i])[0], upper[i]);
        CHECK_EQ(press(keys[i], KEY_RIGHTSHIFT, 0)[0], upper[i]);
    }
}

TEST(a_repeat_sends_again_and_a_release_nothing)
{
    keymap_init(&state);
    CHECK_STR(event(KEY_A, KEY_PRESSED), "a");
    CHECK_STR(event(KEY_A, KEY_REPEATED), "a");
    CHECK_STR(event(KEY_A, KEY_RELEASED), "");
    CHECK_STR(event(KEY_UP, KEY_REPEATED), "^[[A");
}

TEST(caps_lock_turns_letters_only)
{
    keymap_init(&state);
    CHECK_STR(plain(KEY_CAPSLOCK), "");
    CHECK_STR(plain(KEY_A), "A");
    CHECK_STR(shift(KEY_A), "a");
    CHECK_STR(plain(KEY_1), "1");
    CHECK_STR(event(KEY_CAPSLOCK, KEY_PRESSED), "");
    CHECK_STR(event(KEY_CAPSLOCK, KEY_REPEATED), "");
    CHECK_STR(event(KEY_CAPSLOCK, KEY_RELEASED), "");
    CHECK_STR(plain(KEY_A), "a");
}

TEST(either_shift_holds_until_both_are_up)
{
    keymap_init(&state);
    event(KEY_LEFTSHIFT, KEY_PRESSED);
    event(KEY_RIGHTSHIFT, KEY_PRESSED);
    event(KEY_LEFTSHIFT, KEY_RELEASED);
    CHECK_STR(event(KEY_A, KEY_PRESSED), "A");
    CHECK_EQ(keymap_modifiers(&state), KEYMAP_SHIFT | KEYMAP_NUM_LOCK);
    event(KEY_RIGHTSHIFT, KEY_RELEASED);
    CHECK_STR(event(KEY_A, KEY_PRESSED), "a");
    CHECK_EQ(keymap_modifiers(&state), KEYMAP_NUM_LOCK);
}

TEST(ctrl_makes_control_codes)
{
    keymap_init(&state);
    CHECK_STR(ctrl(KEY_A), "^A");
    CHECK_STR(ctrl(KEY_C), "^C");
    CHECK_STR(ctrl(KEY_Z), "^Z");
    CHECK_STR(press(KEY_C, KEY_LEFTCTRL, KEY_LEFTSHIFT), "^C");
    CHECK_STR(ctrl(KEY_SPACE), "^@");
    CHECK_STR(ctrl(KEY_2), "^@");
    CHECK_STR(ctrl(KEY_LEFTBRACE), "^[");
    CHECK_STR(ctrl(KEY_BACKSLASH), "^\\");
    CHECK_STR(ctrl(KEY_RIGHTBRACE), "^]");
    CHECK_STR(ctrl(KEY_6), "^^");
    CHECK_STR(press(KEY_MINUS, KEY_LEFTCTRL, KEY_LEFTSHIFT), "^_");
    CHECK_STR(ctrl(KEY_SLASH), "^_");
    CHECK_STR(press(KEY_SLASH, KEY_LEFTCTRL, KEY_LEFTSHIFT), "^?");
    CHECK_STR(ctrl(KEY_1), "1");
    CHECK_STR(ctrl(KEY_SEMICOLON), ";");
}

TEST(alt_puts_an_escape_in_front)
{
    keymap_init(&state);
    CHECK_STR(alt(KEY_B), "^[b");
    CHECK_STR(press(KEY_B, KEY_LEFTALT, KEY_LEFTSHIFT), "^[B");
    CHECK_STR(press(KEY_B, KEY_LEFTALT, KEY_LEFTCTRL), "^[^B");
    CHECK_STR(press(KEY_B, KEY_RIGHTALT, 0), "^[b");
    CHECK_STR(alt(KEY_ENTER), "^[^M");
    CHECK_STR(alt(KEY_BACKSPACE), "^[^?");
}

TEST(editing_keys_send_what_terminals_send)
{
    keymap_init(&state);
    CHECK_STR(plain(KEY_ENTER), "^M");
    CHECK_STR(plain(KEY_KPENTER), "^M");
    CHECK_STR(plain(KEY_BACKSPACE), "^?");
    CHECK_STR(ctrl(KEY_BACKSPACE), "^H");
    CHECK_STR(plain(KEY_TAB), "^I");
    CHECK_STR(shift(KEY_TAB), "^[[Z");
    CHECK_STR(plain(KEY_ESC), "^[");
}

TEST(cursor_and_function_keys_send_xterm_sequences)
{
    static const struct {
        uint16_t key;
        const char *plain, *ctrl;
    } cases[] = {
        {KEY_UP, "^[[A", "^[[1;5A"},      {KEY_DOWN, "^[[B", "^[[1;5B"},
        {KEY_RIGHT, "^[[C", "^[[1;5C"},   {KEY_LEFT, "^[[D", "^[[1;5D"},
        {KEY_HOME, "^[[H", "^[[1;5H"},    {KEY_END, "^[[F", "^[[1;5F"},
        {KEY_INSERT, "^[[2~", "^[[2;5~"}, {KEY_DELETE, "^[[3~", "^[[3;5~"},
        {KEY_PAGEUP, "^[[5~", "^[[5;5~"}, {KEY_PAGEDOWN, "^[[6~", "^[[6;5~"},
        {KEY_F1, "^[OP", "^[[1;5P"},      {KEY_F2, "^[OQ", "^[[1;5Q"},
        {KEY_F3, "^[OR", "^[[1;5R"},      {KEY_F4, "^[OS", "^[[1;5S"},
        {KEY_F5, "^[[15~", "^[[15;5~"},   {KEY_F6, "^[[17~", "^[[17;5~"},
        {KEY_F7, "^[[18~", "^[[18;5~"},   {KEY_F8, "^[[19~", "^[[19;5~"},
        {KEY_F9, "^[[20~", "^[[20;5~"},   {KEY_F10, "^[[21~", "^[[21;5~"},
        {KEY_F11, "^[[23~", "^[[23;5~"},  {KEY_F12, "^[[24~", "^[[24;5~"},
    };

    keymap_init(&state);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        CHECK_STR(plain(cases[i].key), cases[i].plain);
        CHECK_STR(ctrl(cases[i].key), cases[i].ctrl);
    }
}

TEST(modifiers_add_up_in_sequences)
{
    keymap_init(&state);
    CHECK_STR(shift(KEY_UP), "^[[1;2A");
    CHECK_STR(alt(KEY_UP), "^[[1;3A");
    CHECK_STR(press(KEY_UP, KEY_LEFTSHIFT, KEY_LEFTALT), "^[[1;4A");
    CHECK_STR(press(KEY_UP, KEY_LEFTSHIFT, KEY_LEFTCTRL), "^[[1;6A");
    CHECK_STR(press(KEY_F12, KEY_LEFTALT, KEY_LEFTCTRL), "^[[24;7~");
}

TEST(the_keypad_follows_num_lock)
{
    keymap_init(&state);
    CHECK_STR(plain(KEY_KP7), "7");
    CHECK_STR(plain(KEY_KPDOT), ".");
    CHECK_STR(shift(KEY_KP7), "^[[H");
    CHECK_STR(plain(KEY_NUMLOCK), "");
    CHECK_EQ(keymap_modifiers(&state), 0);
    CHECK_STR(plain(KEY_KP7), "^[[H");
    CHECK_STR(plain(KEY_KP4), "^[[D");
    CHECK_STR(plain(KEY_KP5), "");
    CHECK_STR(plain(KEY_KPDOT), "^[[3~");
    CHECK_STR(shift(KEY_KP7), "7");
    CHECK_STR(plain(KEY_KPPLUS), "+");
    CHECK_STR(plain(KEY_KPSLASH), "/");
    CHECK_STR(plain(KEY_KPASTERISK), "*");
    CHECK_STR(plain(KEY_KPMINUS), "-");
}

TEST(keys_that_no_terminal_knows_send_nothing)
{
    keymap_init(&state);
    for (unsigned code = 0; code < 65536; code++) {
        if (code <= KEY_DELETE && code != KEY_SYSRQ)
            continue;
        const char *text = plain((uint16_t)code);

        if (*text && code != KEY_KPEQUAL && code != KEY_KPCOMMA)
            CHECK_FAIL("key %u sends %s", code, text);
    }
    CHECK_STR(plain(KEY_SYSRQ), "");
}

/* --- layouts --- */

static struct keymap_table before, other;

/* A map with a third level and a dead key, as lua/keymap.lua makes them. */
static void install_other(void)
{
    keymap_current(&before);
    other = (struct keymap_table){
        .name = "other",
        .altgr = true,
        .symbols = {[KEY_Q] = {'q', 'Q', '@'},
                    [KEY_E] = {'e', 'E', 0x20ac},
                    [KEY_A] = {'a', 'A', 0x1f600, 0xe4},
                    [KEY_Y] = {'z', 'Z'},
                    [KEY_8] = {'8', '(', '['},
                    [KEY_SPACE] = {' ', ' '},
                    [KEY_APOSTROPHE] = {0xe4, 0xc4},
                    [KEY_MINUS] = {0xdf, '?', '\\', 0x1e9e},
                    [KEY_GRAVE] = {'^' | KEYMAP_DEAD, 0xb0}},
        .compose = {{'^', 'a', 0xe2}, {'^', 'E', 0xca}},
        .compose_count = 2,
    };
    CHECK_EQ(keymap_install(&other), 0);
    keymap_init(&state);
}

static void remove_other(void)
{
    CHECK_EQ(keymap_install(&before), 0);
}

TEST(a_layout_gives_its_characters_in_utf_8)
{
    install_other();
    CHECK_STR(plain(KEY_Y), "z");
    CHECK_STR(plain(KEY_MINUS), "\xc3\x9f");
    CHECK_STR(shift(KEY_APOSTROPHE), "\xc3\x84");
    CHECK_STR(press(KEY_E, KEY_RIGHTALT, 0), "\xe2\x82\xac");
    CHECK_STR(press(KEY_A, KEY_RIGHTALT, 0), "\xf0\x9f\x98\x80");
    CHECK_STR(press(KEY_MINUS, KEY_RIGHTALT, KEY_LEFTSHIFT), "\xe1\xba\x9e");
    CHECK_STR(alt(KEY_APOSTROPHE), "^[\xc3\xa4");
    CHECK_STR(plain(KEY_B), "");
    CHECK_STR(press(KEY_Y, KEY_RIGHTALT, 0), "");
    remove_other();
}

TEST(alt_gr_is_no_alt_where_the_layout_has_levels)
{
    install_other();
    CHECK_STR(press(KEY_Q, KEY_RIGHTALT, 0), "@");
    CHECK_STR(press(KEY_Q, KEY_RIGHTALT, KEY_LEFTALT), "^[@");
    CHECK_STR(press(KEY_8, KEY_RIGHTALT, KEY_LEFTCTRL), "^[");
    CHECK_STR(press(KEY_UP, KEY_RIGHTALT, 0), "^[[A");
    CHECK_STR(ctrl(KEY_Y), "^Z");
    remove_other();
    CHECK_STR(press(KEY_Q, KEY_RIGHTALT, 0), "^[q");
}

TEST(caps_lock_knows_the_letters_of_latin_1)
{
    install_other();
    plain(KEY_CAPSLOCK);
    CHECK_STR(plain(KEY_APOSTROPHE), "\xc3\x84");
    CHECK_STR(shift(KEY_APOSTROPHE), "\xc3\xa4");
    CHECK_STR(plain(KEY_MINUS), "\xc3\x9f");
    CHECK_STR(plain(KEY_8), "8");
    remove_other();
}

TEST(a_dead_key_waits_for_its_letter)
{
    install_other();
    CHECK_STR(plain(KEY_GRAVE), "");
    CHECK_STR(plain(KEY_A), "\xc3\xa2");
    CHECK_STR(plain(KEY_A), "a");
    CHECK_STR(plain(KEY_GRAVE), "");
    CHECK_STR(shift(KEY_E), "\xc3\x8a");
    CHECK_STR(plain(KEY_GRAVE), "");
    CHECK_STR(plain(KEY_SPACE), "^^" + 1);
    CHECK_STR(plain(KEY_GRAVE), "");
    CHECK_STR(plain(KEY_Q), "^q");
    CHECK_STR(plain(KEY_GRAVE), "");
    CHECK_STR(plain(KEY_GRAVE), "^^");
    /* A key that is no character forgets it. */
    CHECK_STR(plain(KEY_GRAVE), "");
    CHECK_STR(plain(KEY_BACKSPACE), "^?");
    CHECK_STR(plain(KEY_A), "a");
    CHECK_STR(plain(KEY_GRAVE), "");
    CHECK_STR(ctrl(KEY_A), "^A");
    CHECK_STR(plain(KEY_A), "a");
    remove_other();
}

TEST(a_bad_table_leaves_the_old_one_in_force)
{
    static const uint32_t bad[] = {'\n',   0x7f,     0x9f,
                                   0xd800, 0x110000, 27 | KEYMAP_DEAD};
    static struct keymap_table t;

    install_other();
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        t = other;
        t.symbols[KEY_Q][LEVEL_SHIFT] = bad[i];
        CHECK_EQ(keymap_install(&t), -EINVAL);
    }
    t = other;
    t.compose_count = KEYMAP_COMPOSE_MAX + 1;
    CHECK_EQ(keymap_install(&t), -EINVAL);
    t = other;
    t.compose[1].result = 0;
    CHECK_EQ(keymap_install(&t), -EINVAL);
    t = other;
    memset(t.name, 'x', sizeof(t.name));
    CHECK_EQ(keymap_install(&t), -EINVAL);
    CHECK_STR(press(KEY_Q, KEY_RIGHTALT, 0), "@");
    remove_other();
}

CHECK_MAIN
