/* sources: kernel/boot/options.c kernel/core/cmdline.c tests/fuzz/host.c */
/*
 * boot.cfg and load options: whatever they hold, the command line stays a
 * printable string that fits, an error adds nothing of that line, and the
 * kernel reads the same words in it as the loader.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>

#include <rayos/boot_info.h>
#include <rayos/cmdline.h>

#include "kernel/boot/options.h"

static void check_line(const char *line, size_t max)
{
    size_t n = strnlen(line, max);
    bool quoted = false;

    FUZZ_CHECK(n < max);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK((uint8_t)line[i] >= ' ' || line[i] == '\t');
        FUZZ_CHECK(line[i] != 0x7f);
        quoted ^= line[i] == '"';
    }
    FUZZ_CHECK(!quoted);
}

/* The loader takes names literally; the kernel spares their quotes. */
static bool has_quoted_name(const char *line)
{
    bool quoted = false, in_value = false;

    for (; *line; line++) {
        if (!quoted && (*line == ' ' || *line == '\t'))
            in_value = false;
        else if (*line == '=')
            in_value = true;
        if (*line == '"') {
            if (!in_value)
                return true;
            quoted = !quoted;
        }
    }
    return false;
}

static void check_same_word(const char *line, const char *name)
{
    char value[BOOT_CMDLINE_MAX];
    bool found = options_get(line, name, value, sizeof(value));
    const char *kernels = cmdline_get(name);

    FUZZ_CHECK(found == !!kernels);
    FUZZ_CHECK(!found || strcmp(value, kernels) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    char line[BOOT_CMDLINE_MAX] = "", before[BOOT_CMDLINE_MAX], small[4];
    size_t max = fuzz_byte(&in) & 1 ? sizeof(line) : 40;
    char *text = fuzz_text(&in);
    void *options = fuzz_copy(in.at, in.left);
    unsigned number;

    if (options_add_file(line, max, text, strlen(text), &number) == 0)
        check_line(line, max);
    memcpy(before, line, sizeof(line));
    if (options_add_utf16(line, max, options, in.left))
        FUZZ_CHECK(strcmp(before, line) == 0);
    check_line(line, max);
    cmdline_init(line);
    if (!has_quoted_name(line)) {
        check_same_word(line, "video");
        check_same_word(line, "x");
        check_same_word(line, "headless");
    }
    options_get(line, "x", small, sizeof(small));
    free(options);
    free(text);
    return 0;
}
