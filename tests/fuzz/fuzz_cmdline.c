/* sources: kernel/core/cmdline.c tests/fuzz/host.c */
/*
 * Any text as the kernel's command line: its names are found, a bare name is
 * there, values are parts of the text.
 */
#include "tests/fuzz/fuzz.h"

#include <rayos/boot_info.h>
#include <rayos/cmdline.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    char *line = fuzz_text(&in), *name = fuzz_text(&in);
    char word[32];
    size_t n;

    cmdline_init(line);
    FUZZ_CHECK(strlen(cmdline_text()) < BOOT_CMDLINE_MAX);
    FUZZ_CHECK(strncmp(cmdline_text(), line, BOOT_CMDLINE_MAX - 1) == 0);
    FUZZ_CHECK(cmdline_has(name) == (cmdline_get(name) != NULL));
    if (!cmdline_has(name))
        FUZZ_CHECK(cmdline_number(name, 7) == 7);
    cmdline_number("n", 0);
    n = strspn(line, "abcdefghijklmnopqrstuvwxyz");
    if (n && n < sizeof(word) && (!line[n] || strchr("= \t\n\r", line[n]))) {
        memcpy(word, line, n);
        word[n] = '\0';
        FUZZ_CHECK(cmdline_has(word));
    }
    free(name);
    free(line);
    return 0;
}
