/*
 * Names and times of FAT directories. What is written there may be anything; a
 * name that could not be used in a path is none. Pure; any context.
 */
#include <string.h>

#include "fat.h"

/* FAT 6: the entry */
#define SHORT_LENGTH 11
#define SHORT_BASE   8
#define CASE_FLAGS   12
#define LOWER_BASE   0x08
#define LOWER_EXT    0x10
#define KANJI_E5     0x05 /* stands for 0xe5, which would mean "free" */

#define REPLACEMENT 0xfffdu /* U+FFFD */

/* --- long names --- */

static bool forbidden(uint32_t c)
{
    return c < 0x20 || c == 0x7f || c == '/' || c == '\\';
}

/* Surrogates without their other half become U+FFFD. */
static uint32_t take_character(const uint8_t *p, size_t units, size_t *at)
{
    uint32_t c = p[2 * *at] | (uint32_t)p[2 * *at + 1] << 8;

    ++*at;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c >= 0xdc00 || *at == units)
        return REPLACEMENT;
    uint32_t low = p[2 * *at] | (uint32_t)p[2 * *at + 1] << 8;

    if (low < 0xdc00 || low > 0xdfff)
        return REPLACEMENT;
    ++*at;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

static size_t put_utf8(uint32_t c, uint8_t out[4])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)((0xf00 >> n & 0xf0) | c);
    return n;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

size_t fat_long_name(const uint8_t *utf16, size_t units,
                     char out[FAT_NAME_MAX + 1])
{
    size_t at = 0, length = 0;

    while (at < units) {
        uint8_t utf8[4];
        uint32_t c = take_character(utf16, units, &at);
        size_t n = put_utf8(c, utf8);

        if (forbidden(c) || length + n > FAT_NAME_MAX)
            return 0;
        memcpy(out + length, utf8, n);
        length += n;
    }
    out[length] = '\0';
    return is_dots(out) ? 0 : length;
}

/* --- short names --- */

/* Without the blanks at the end. Letters that are not ASCII are of a code page
 * that nobody knows: they become '_'. */
static size_t put_part(const uint8_t *p, size_t length, bool lower, char *out)
{
    size_t n = length;

    while (n > 0 && p[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i];

        if (c >= 'A' && c <= 'Z' && lower)
            c |= 0x20;
        out[i] = (char)(c < 0x80 ? c : '_');
    }
    return n;
}

size_t fat_short_name(const uint8_t entry[32], char out[FAT_NAME_MAX + 1])
{
    uint8_t name[SHORT_LENGTH], flags = entry[CASE_FLAGS];
    size_t length, extension;

    memcpy(name, entry, sizeof(name));
    if (name[0] == KANJI_E5)
        name[0] = 0xe5;
    if (name[0] == ' ')
        return 0;
    for (size_t i = 0; i < SHORT_LENGTH; i++)
        if (forbidden(name[i]))
            return 0;
    length = put_part(name, SHORT_BASE, flags & LOWER_BASE, out);
    extension = put_part(name + SHORT_BASE, SHORT_LENGTH - SHORT_BASE,
                         flags & LOWER_EXT, out + length + 1);
    if (extension) {
        out[length] = '.';
        length += 1 + extension;
    }
    out[length] = '\0';
    return is_dots(out) ? 0 : length;
}

uint8_t fat_short_checksum(const uint8_t name[11])
{
    uint8_t sum = 0; /* FAT 7.2 */

    for (size_t i = 0; i < SHORT_LENGTH; i++)
        sum = (uint8_t)((sum << 7 | sum >> 1) + name[i]);
    return sum;
}

int fat_name_compare(const char *a, const char *b)
{
    for (;; a++, b++) {
        int x = (uint8_t)*a, y = (uint8_t)*b;

        x = x >= 'A' && x <= 'Z' ? x | 0x20 : x;
        y = y >= 'A' && y <= 'Z' ? y | 0x20 : y;
        if (x != y || !x)
            return x - y;
    }
}

/* --- times --- */

/* Days since 1970-01-01 of a date from 1980 to 2107, of which every fourth
 * year but 2100 is a leap year. */
static int64_t days(uint32_t year, uint32_t month, uint32_t day)
{
    static const uint16_t before[12] = {0,   31,  59,  90,  120, 151,
                                        181, 212, 243, 273, 304, 334};
    bool leap = year % 4 == 0 && year != 2100;
    uint32_t leaps = (year - 1969) / 4 - (year > 2100);

    return (int64_t)(year - 1970) * 365 + leaps + before[month - 1] +
           (leap && month > 2) + day - 1;
}

int64_t fat_time(uint32_t date, uint32_t time)
{
    uint32_t month = date >> 5 & 0xf, day = date & 0x1f;

    if (month < 1 || month > 12 || day < 1)
        return 0; /* "not set", or nonsense */
    return days(1980 + (date >> 9 & 0x7f), month, day) * 86400 +
           (time >> 11 & 0x1f) * 3600 + (time >> 5 & 0x3f) * 60 +
           (time & 0x1f) * 2;
}
