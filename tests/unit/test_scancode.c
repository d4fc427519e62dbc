/* sources: drivers/input/scancode.c */
#include <stdlib.h>
#include <string.h>

#include "../../drivers/input/scancode.h"

#include "check.h"

static struct scancode_state state;
static char events[65536]; /* "30+ 30- ": pressed, released; "30*": repeated */

static void emit(void *arg, uint16_t code, int32_t value)
{
    size_t n = strlen(events);

    (void)arg;
    snprintf(events + n, sizeof(events) - n, "%u%c ", code, "-+*"[value]);
}

static const char *feed(const char *bytes, size_t n)
{
    events[0] = '\0';
    for (size_t i = 0; i < n; i++)
        scancode_feed(&state, (uint8_t)bytes[i], emit, NULL);
    return events;
}

#define FEED(bytes) feed(bytes, sizeof(bytes) - 1)

static void begin(void)
{
    memset(&state, 0, sizeof(state));
}

/* The 105 keys of an ISO keyboard but Pause: code in set 1, key code. */
static const struct {
    uint16_t scan; /* 0xe0xx: extended */
    uint16_t key;
} keys[] = {
    {0x01, KEY_ESC},        {0x3b, KEY_F1},          {0x3c, KEY_F2},
    {0x3d, KEY_F3},         {0x3e, KEY_F4},          {0x3f, KEY_F5},
    {0x40, KEY_F6},         {0x41, KEY_F7},          {0x42, KEY_F8},
    {0x43, KEY_F9},         {0x44, KEY_F10},         {0x57, KEY_F11},
    {0x58, KEY_F12},        {0xe037, KEY_SYSRQ},     {0x46, KEY_SCROLLLOCK},
    {0x29, KEY_GRAVE},      {0x02, KEY_1},           {0x03, KEY_2},
    {0x04, KEY_3},          {0x05, KEY_4},           {0x06, KEY_5},
    {0x07, KEY_6},          {0x08, KEY_7},           {0x09, KEY_8},
    {0x0a, KEY_9},          {0x0b, KEY_0},           {0x0c, KEY_MINUS},
    {0x0d, KEY_EQUAL},      {0x0e, KEY_BACKSPACE},   {0x0f, KEY_TAB},
    {0x10, KEY_Q},          {0x11, KEY_W},           {0x12, KEY_E},
    {0x13, KEY_R},          {0x14, KEY_T},           {0x15, KEY_Y},
    {0x16, KEY_U},          {0x17, KEY_I},           {0x18, KEY_O},
    {0x19, KEY_P},          {0x1a, KEY_LEFTBRACE},   {0x1b, KEY_RIGHTBRACE},
    {0x1c, KEY_ENTER},      {0x3a, KEY_CAPSLOCK},    {0x1e, KEY_A},
    {0x1f, KEY_S},          {0x20, KEY_D},           {0x21, KEY_F},
    {0x22, KEY_G},          {0x23, KEY_H},           {0x24, KEY_J},
    {0x25, KEY_K},          {0x26, KEY_L},           {0x27, KEY_SEMICOLON},
    {0x28, KEY_APOSTROPHE}, {0x2b, KEY_BACKSLASH},   {0x2a, KEY_LEFTSHIFT},
    {0x56, KEY_102ND},      {0x2c, KEY_Z},           {0x2d, KEY_X},
    {0x2e, KEY_C},          {0x2f, KEY_V},           {0x30, KEY_B},
    {0x31, KEY_N},          {0x32, KEY_M},           {0x33, KEY_COMMA},
    {0x34, KEY_DOT},        {0x35, KEY_SLASH},       {0x36, KEY_RIGHTSHIFT},
    {0x1d, KEY_LEFTCTRL},   {0xe05b, KEY_LEFTMETA},  {0x38, KEY_LEFTALT},
    {0x39, KEY_SPACE},      {0xe038, KEY_RIGHTALT},  {0xe05c, KEY_RIGHTMETA},
    {0xe05d, KEY_COMPOSE},  {0xe01d, KEY_RIGHTCTRL}, {0xe052, KEY_INSERT},
    {0xe047, KEY_HOME},     {0xe049, KEY_PAGEUP},    {0xe053, KEY_DELETE},
    {0xe04f, KEY_END},      {0xe051, KEY_PAGEDOWN},  {0xe048, KEY_UP},
    {0xe04b, KEY_LEFT},     {0xe050, KEY_DOWN},      {0xe04d, KEY_RIGHT},
    {0x45, KEY_NUMLOCK},    {0xe035, KEY_KPSLASH},   {0x37, KEY_KPASTERISK},
    {0x4a, KEY_KPMINUS},    {0x47, KEY_KP7},         {0x48, KEY_KP8},
    {0x49, KEY_KP9},        {0x4e, KEY_KPPLUS},      {0x4b, KEY_KP4},
    {0x4c, KEY_KP5},        {0x4d, KEY_KP6},         {0x4f, KEY_KP1},
    {0x50, KEY_KP2},        {0x51, KEY_KP3},         {0xe01c, KEY_KPENTER},
    {0x52, KEY_KP0},        {0x53, KEY_KPDOT},
};

TEST(every_key_is_pressed_repeated_and_released)
{
    begin();
    CHECK_EQ(sizeof(keys) / sizeof(*keys), 104);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        char bytes[6], expected[64];
        size_t n = 0;

        for (int k = 0; k < 3; k++) {
            if (keys[i].scan >> 8)
                bytes[n++] = (char)0xe0;
            bytes[n++] = (char)(keys[i].scan | (k == 2 ? 0x80 : 0));
        }
        snprintf(expected, sizeof(expected), "%u+ %u* %u- ", keys[i].key,
                 keys[i].key, keys[i].key);
        CHECK_STR(feed(bytes, n), expected);
    }
}

TEST(pause_is_pressed_and_released_by_its_long_sequence)
{
    begin();
    CHECK_STR(FEED("\xe1\x1d\x45\xe1\x9d\xc5"), "119+ 119- ");
    CHECK_STR(FEED("\xe0\x46\xe0\xc6"), "119+ 119- ");
    /* cut short, then a key */
    CHECK_STR(FEED("\xe1\x1d\x1e"), "");
    CHECK_STR(FEED("\x1e\x9e"), "30+ 30- ");
}

TEST(print_screen_is_one_key_with_and_without_modifiers)
{
    begin();
    CHECK_STR(FEED("\xe0\x2a\xe0\x37\xe0\xb7\xe0\xaa"), "99+ 99- ");
    CHECK_STR(FEED("\xe0\x37\xe0\xb7"), "99+ 99- ");
    CHECK_STR(FEED("\x54\xd4"), "99+ 99- ");
}

/* Around navigation keys keyboards send shifts that nobody pressed. */
TEST(made_up_shifts_are_ignored)
{
    begin();
    CHECK_STR(FEED("\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa"), "103+ 103- ");
    CHECK_STR(FEED("\x2a\xe0\xaa\xe0\x48\xe0\xc8\xe0\x2a\xaa"),
              "42+ 103+ 103- 42- ");
    CHECK_STR(FEED("\xe0\xb6\xe0\x36"), "");
}

TEST(a_release_without_a_press_says_nothing)
{
    begin();
    CHECK_STR(FEED("\x9e\xe0\xc8\xaa"), "");
}

TEST(an_error_code_releases_every_key)
{
    begin();
    CHECK_STR(FEED("\x1e\x2a\xe0\x48"), "30+ 42+ 103+ ");
    CHECK_STR(FEED("\xff"), "30- 42- 103- ");
    CHECK_STR(FEED("\x9e\xaa"), "");
    CHECK_STR(FEED("\x1d"), "29+ ");
    CHECK_STR(FEED("\xe0\0"), "29- ");
    /* and the prefix is forgotten */
    CHECK_STR(FEED("\x48\xc8"), "72+ 72- ");
}

TEST(garbage_never_leaves_a_key_that_cannot_be_released)
{
    begin();
    srand(1);
    for (int round = 0; round < 2000; round++) {
        char bytes[50];

        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (char)rand();
        feed(bytes, sizeof(bytes));
        FEED("\xff");
        for (size_t i = 0; i < sizeof(state.down); i++)
            CHECK_EQ(state.down[i], 0);
        CHECK_STR(FEED("\x1e\x9e"), "30+ 30- ");
    }
}

CHECK_MAIN
