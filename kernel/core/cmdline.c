/*
 * The command line, cut into words once. Pure; read-only after cmdline_init,
 * so any context.
 */
#include <rayos/boot_info.h>
#include <rayos/cmdline.h>
#include <rayos/fmt.h>
#include <rayos/log.h>

#include <string.h>

static char text[BOOT_CMDLINE_MAX];
/* Pairs of strings, one after the other: name, value. A pair takes at most one
 * byte more than its word (`name` has no `=`). */
static char words[2 * BOOT_CMDLINE_MAX];
static const char *words_end = words;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *s)
{
    while (is_blank(*s))
        s++;
    return s;
}

/* One word at `s` to `out`, without its quotes; both are moved on. */
static void parse_word(const char **s, char **out)
{
    bool quoted = false, in_value = false;
    const char *p = *s;
    char *o = *out;

    for (; *p && (quoted || !is_blank(*p)); p++) {
        if (*p == '"') {
            quoted = !quoted;
        } else if (*p == '=' && !in_value) {
            in_value = true;
            *o++ = '\0';
        } else {
            *o++ = *p;
        }
    }
    *o++ = '\0';
    if (!in_value)
        *o++ = '\0';
    *s = p;
    *out = o;
}

void cmdline_init(const char *line)
{
    size_t n = strnlen(line, sizeof(text) - 1);
    const char *s = text;
    char *out = words;

    memcpy(text, line, n);
    text[n] = '\0';
    for (s = skip_blanks(s); *s; s = skip_blanks(s))
        parse_word(&s, &out);
    words_end = out;
}

const char *cmdline_text(void)
{
    return text;
}

const char *cmdline_get(const char *name)
{
    const char *found = NULL;

    for (const char *w = words; w < words_end;) {
        const char *value = w + strlen(w) + 1;

        if (strcmp(w, name) == 0)
            found = value;
        w = value + strlen(value) + 1;
    }
    return found;
}

bool cmdline_has(const char *name)
{
    return cmdline_get(name) != NULL;
}

/* Bits that a suffix shifts by, -1 when it is none. */
static int suffix_shift(const char *s)
{
    if (!*s)
        return 0;
    if (s[1])
        return -1;
    switch (*s) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return -1;
    }
}

static bool parse_number(const char *s, uint64_t *out)
{
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    const char *start = hex ? s + 2 : s, *p = start;
    int base = hex ? 16 : 10, shift, digit;
    uint64_t n = 0;

    for (; (digit = fmt_hex_digit(*p)) >= 0 && digit < base; p++)
        if (__builtin_mul_overflow(n, (uint64_t)base, &n) ||
            __builtin_add_overflow(n, (uint64_t)digit, &n))
            return false;
    shift = suffix_shift(p);
    if (p == start || shift < 0 || n > UINT64_MAX >> shift)
        return false;
    *out = n << shift;
    return true;
}

uint64_t cmdline_number(const char *name, uint64_t fallback)
{
    const char *value = cmdline_get(name);
    uint64_t n;

    if (!value)
        return fallback;
    if (parse_number(value, &n))
        return n;
    log_warn("cmdline", "%s=%s is not a number, %llu is used", name, value,
             (unsigned long long)fallback);
    return fallback;
}
