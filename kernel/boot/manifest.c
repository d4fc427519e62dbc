/*
 * Parser for \rayos\sha256sums: lines of "<digest>  <name>" or "<digest>
 * *<name>", as sha256sum(1) writes them in text and in binary mode. Pure;
 * loader and host tests.
 */
#include "kernel/boot/manifest.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rayos/fmt.h>

#define DIGEST_DIGITS (2 * SHA256_SIZE)

/* `text` has DIGEST_DIGITS characters. */
static bool digest_parse(const char *text, uint8_t digest[SHA256_SIZE])
{
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        int high = fmt_hex_digit(text[2 * i]),
            low = fmt_hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* One line without its end: digest and name. A line of only a digest, or with
 * an escaped name (it starts with a backslash), is none of ours. */
static bool line_parse(const char *line, size_t length,
                       uint8_t digest[SHA256_SIZE], const char **name,
                       size_t *name_length)
{
    if (length < DIGEST_DIGITS + 3 || !digest_parse(line, digest))
        return false;
    if (line[DIGEST_DIGITS] != ' ' ||
        (line[DIGEST_DIGITS + 1] != ' ' && line[DIGEST_DIGITS + 1] != '*'))
        return false;
    *name = line + DIGEST_DIGITS + 2;
    *name_length = length - DIGEST_DIGITS - 2;
    if (*name_length > 2 && (*name)[0] == '.' && (*name)[1] == '/') {
        *name += 2;
        *name_length -= 2;
    }
    return true;
}

/* Length of the line at `text`, and of its end ("\n" or "\r\n") too. */
static size_t line_length(const char *text, size_t size, size_t *with_end)
{
    const char *newline = memchr(text, '\n', size);
    size_t length = newline ? (size_t)(newline - text) : size;

    *with_end = newline ? length + 1 : length;
    if (length && text[length - 1] == '\r')
        length--;
    return length;
}

int manifest_find(const char *text, size_t size, const char *name,
                  uint8_t digest[SHA256_SIZE], unsigned *line)
{
    size_t wanted = strlen(name), step;
    bool found = false;

    *line = 0;
    for (; size; text += step, size -= step) {
        size_t length = line_length(text, size, &step), listed_length;
        uint8_t value[SHA256_SIZE];
        const char *listed;

        ++*line;
        if (!length)
            continue;
        if (!line_parse(text, length, value, &listed, &listed_length))
            return -EINVAL;
        if (listed_length != wanted || memcmp(listed, name, wanted) != 0)
            continue;
        if (found)
            return -EEXIST;
        found = true;
        memcpy(digest, value, SHA256_SIZE);
    }
    return found ? 0 : -ENOENT;
}
