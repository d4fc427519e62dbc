/* sources: kernel/fs/path.c */
/*
 * A normalized path is absolute, has no empty, "." or ".." component, is its
 * own normal form, and fits in the room that was given.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/fs/path.h"

static void check_normal(const char *path)
{
    const char *rest;

    FUZZ_CHECK(path[0] == '/');
    if (!path[1])
        return;
    for (rest = path; rest; rest = strchr(rest + 1, '/')) {
        size_t n = strcspn(rest + 1, "/");

        FUZZ_CHECK(n > 0);
        FUZZ_CHECK(n != 1 || rest[1] != '.');
        FUZZ_CHECK(n != 2 || rest[1] != '.' || rest[2] != '.');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    size_t room = 2 + fuzz_byte(&in) * 4;
    char *path = fuzz_text(&in), *other = fuzz_text(&in);
    char *out = malloc(room), *again = malloc(room), *third = malloc(room);

    if (path_normalize(path, out, room) == 0) {
        FUZZ_CHECK(strnlen(out, room) < room);
        check_normal(out);
        FUZZ_CHECK(path_normalize(out, again, room) == 0);
        FUZZ_CHECK(strcmp(out, again) == 0);
        FUZZ_CHECK(*path_below(out, out) == '\0');
        FUZZ_CHECK(path_below(out, "/") == out + 1);
        if (path_normalize(other, third, room) == 0) {
            const char *below = path_below(out, third);
            int order = path_compare(out, strlen(out), third, strlen(third));

            FUZZ_CHECK(!below || strncmp(out, third, strlen(third)) == 0);
            FUZZ_CHECK(!order == !strcmp(out, third));
            FUZZ_CHECK((order < 0) == (path_compare(third, strlen(third), out,
                                                    strlen(out)) > 0));
        }
    }
    free(third);
    free(again);
    free(out);
    free(other);
    free(path);
    return 0;
}
