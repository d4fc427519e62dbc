/* sources: kernel/core/fmt.c */
/*
 * The formatter beside the C library's: one conversion made of the input, with
 * any flags, width, precision, length and argument, in any room. Any text at
 * all as a format does no harm.
 */
#include "tests/fuzz/fuzz.h"

#include <stdarg.h>

#include <rayos/fmt.h>

#define FORMAT_MAX 24

struct result {
    int ours, theirs;
    char *our_text, *their_text;
};

static void both(struct result *r, size_t room, const char *f, ...)
{
    va_list ap, again;

    va_start(ap, f);
    va_copy(again, ap);
    r->ours = fmt_vsnprintf(r->our_text, room, f, ap);
    r->theirs = vsnprintf(r->their_text, room, f, again);
    va_end(again);
    va_end(ap);
}

static void check_conversion(struct fuzz_input *in)
{
    static const char flags[] = "-0+ #", conversions[] = "diuoxXcs";
    static const char *const lengths[] = {"hh", "h", "",  "l",
                                          "ll", "z", "t", "j"};
    uint8_t set = fuzz_byte(in), kind = fuzz_byte(in) % 8, n = 0;
    uint8_t length = fuzz_byte(in) % 8;
    size_t room = fuzz_byte(in) * 2;
    uint8_t width = fuzz_byte(in), precision = fuzz_byte(in);
    struct result r;
    uint64_t value;
    char f[64];
    char *text;

    fuzz_take(in, &value, sizeof(value));
    f[n++] = '%';
    for (unsigned i = 0; i < 5; i++)
        if (set >> i & 1)
            f[n++] = flags[i];
    n += (uint8_t)(set & 0x20 ? sprintf(f + n, "%u", width) : 0);
    n += (uint8_t)(set & 0x40 ? sprintf(f + n, ".%u", precision) : 0);
    sprintf(f + n, "%s%c", kind < 6 ? lengths[length] : "", conversions[kind]);
    r.our_text = calloc(1, room + 1);
    r.their_text = calloc(1, room + 1);
    text = fuzz_text(in);
    if (conversions[kind] == 's')
        both(&r, room, f, text);
    else
        both(&r, room, f, value);
    if (r.ours != r.theirs || strcmp(r.our_text, r.their_text) != 0) {
        fprintf(stderr, "\"%s\": \"%s\" (%d), expected \"%s\" (%d)\n", f,
                r.our_text, r.ours, r.their_text, r.theirs);
        abort();
    }
    free(text);
    free(r.our_text);
    free(r.their_text);
}

/* `%s` would take a number for a string: no s. A conversion takes at most
 * three arguments in five characters, so that there are always enough. */
static void check_any_format(struct fuzz_input *in)
{
    char *f = fuzz_text(in), out[64];
    int n;

    if (strlen(f) > FORMAT_MAX)
        f[FORMAT_MAX] = '\0';
    for (char *c = f; *c; c++)
        if (*c == 's')
            *c = 'd';
    n = fmt_snprintf(out, sizeof(out), f, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L,
                     10L, 11L, 12L, 13L, 14L, 15L, 16L);
    FUZZ_CHECK(n >= 0 && strlen(out) < sizeof(out));
    free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};

    if (fuzz_byte(&in) & 1)
        check_conversion(&in);
    else
        check_any_format(&in);
    return 0;
}
