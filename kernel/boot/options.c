/*
 * From boot.cfg and load options to one command line, and look-up of the few
 * words that the loader itself understands. The kernel has its own parser
 * (core/cmdline.c) with the same idea of words and quotes. Pure; loader and
 * host tests.
 */
#include "kernel/boot/options.h"

#include <errno.h>
#include <string.h>

#include <rayos/boot_info.h>

#define UTF8_BOM      "\xef\xbb\xbf"
#define UTF8_BOM_SIZE 3

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Append the words of one line. On an error the command line is as it was. */
static int line_append(char *cmdline, size_t max, const char *line,
                       size_t length, bool comments)
{
    size_t start = strlen(cmdline), used = start;
    bool quoted = false, blank = true;
    int error = 0;

    for (size_t i = 0; i < length && !error; i++) {
        char c = line[i];

        if (!quoted && is_blank(c)) {
            blank = true;
            continue;
        }
        if (comments && !quoted && blank && c == '#')
            break;
        if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f)
            error = -EINVAL;
        else if (used + (blank && used) + 1 >= max)
            error = -E2BIG;
        if (error)
            break;
        quoted ^= c == '"';
        if (blank && used)
            cmdline[used++] = ' ';
        cmdline[used++] = c;
        blank = false;
    }
    if (quoted && !error)
        error = -EINVAL;
    cmdline[error ? start : used] = '\0';
    return error;
}

int options_add_file(char *cmdline, size_t max, const char *text, size_t size,
                     unsigned *line)
{
    *line = 0;
    if (size >= UTF8_BOM_SIZE && memcmp(text, UTF8_BOM, UTF8_BOM_SIZE) == 0) {
        text += UTF8_BOM_SIZE;
        size -= UTF8_BOM_SIZE;
    }
    while (size) {
        const char *newline = memchr(text, '\n', size);
        size_t length = newline ? (size_t)(newline - text) : size;
        size_t step = newline ? length + 1 : length;
        int error;

        ++*line;
        if (length && text[length - 1] == '\r')
            length--;
        error = line_append(cmdline, max, text, length, true);
        if (error)
            return error;
        text += step;
        size -= step;
    }
    return 0;
}

static bool ends_in_efi(const char *word, size_t length)
{
    static const char suffix[] = ".efi";

    if (length && word[length - 1] == '"')
        length--;
    if (length < 4)
        return false;
    word += length - 4;
    for (size_t i = 0; i < 4; i++) {
        char c = word[i];

        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != suffix[i])
            return false;
    }
    return true;
}

/* Offset of what follows the image's name; 0 when the text does not start with
 * one. */
static size_t skip_image_name(const char *text, size_t length)
{
    size_t start = 0, end;
    bool quoted = false;

    while (start < length && is_blank(text[start]))
        start++;
    for (end = start; end < length && (quoted || !is_blank(text[end])); end++)
        quoted ^= text[end] == '"';
    return ends_in_efi(text + start, end - start) ? end : 0;
}

int options_add_utf16(char *cmdline, size_t max, const void *options,
                      size_t bytes)
{
    const uint8_t *p = options;
    char text[BOOT_CMDLINE_MAX];
    size_t length = 0, skip;

    for (; length < bytes / 2; length++) {
        unsigned c = p[2 * length] | (unsigned)p[2 * length + 1] << 8;

        if (!c)
            break;
        if (length == sizeof(text))
            return -E2BIG;
        if ((c < ' ' && c != '\t') || c >= 0x7f)
            return -EILSEQ;
        text[length] = (char)c;
    }
    skip = skip_image_name(text, length);
    return line_append(cmdline, max, text + skip, length - skip, false);
}

/* Is the word of `length` bytes `name`, or `name=...`? The value's offset, or
 * 0. */
static size_t word_matches(const char *word, size_t length, const char *name)
{
    size_t n = strlen(name);

    if (length < n || memcmp(word, name, n) != 0)
        return 0;
    if (length == n)
        return n;
    return word[n] == '=' ? n + 1 : 0;
}

static void value_copy(char *value, size_t size, const char *from, size_t n)
{
    size_t used = 0;

    for (size_t i = 0; i < n && used + 1 < size; i++)
        if (from[i] != '"')
            value[used++] = from[i];
    value[used] = '\0';
}

bool options_get(const char *cmdline, const char *name, char *value,
                 size_t size)
{
    bool found = false;

    while (*cmdline) {
        size_t length = 0, offset;
        bool quoted = false;

        for (; cmdline[length] && (quoted || !is_blank(cmdline[length]));
             length++)
            quoted ^= cmdline[length] == '"';
        offset = word_matches(cmdline, length, name);
        if (offset) {
            value_copy(value, size, cmdline + offset, length - offset);
            found = true;
        }
        cmdline += length;
        while (is_blank(*cmdline))
            cmdline++;
    }
    return found;
}
