/* sources: kernel/boot/manifest.c */
/* The loader's list of digests: what sha256sum(1) writes is read, anything else
 * is an error that names its line. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "kernel/boot/manifest.h"

#define A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define B "FFfefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0"

static uint8_t digest[SHA256_SIZE];
static unsigned line;

/* The text is given without its NUL, so that a read past the end is found. */
static int find(const char *text, const char *name)
{
    size_t size = strlen(text);
    char *exact = malloc(size ? size : 1);
    int result;

    memcpy(exact, text, size);
    memset(digest, 0x55, sizeof(digest));
    result = manifest_find(exact, size, name, digest, &line);
    free(exact);
    return result;
}

TEST(both_modes_of_sha256sum_are_read)
{
    CHECK_EQ(find(A "  kernel.elf\n" B " *boot.tar\n", "kernel.elf"), 0);
    CHECK_EQ(digest[0], 0);
    CHECK_EQ(digest[31], 0x1f);
    CHECK_EQ(find(A "  kernel.elf\n" B " *boot.tar\n", "boot.tar"), 0);
    CHECK_EQ(digest[0], 0xff);
    CHECK_EQ(digest[31], 0xe0);
}

TEST(other_line_ends_and_the_current_directory_are_taken)
{
    CHECK_EQ(find("\r\n" A "  ./kernel.elf\r\n\n" B "  x", "kernel.elf"), 0);
    CHECK_EQ(find(A "  kernel.elf", "kernel.elf"), 0);
}

TEST(a_name_is_compared_whole)
{
    CHECK_EQ(find(A "  kernel.elf2\n", "kernel.elf"), -ENOENT);
    CHECK_EQ(find(A "  kernel.el\n", "kernel.elf"), -ENOENT);
    CHECK_EQ(find(A "   kernel.elf\n", "kernel.elf"), -ENOENT);
    CHECK_EQ(find("", "kernel.elf"), -ENOENT);
}

TEST(a_name_listed_twice_is_an_error)
{
    CHECK_EQ(find(A "  k\n" B "  x\n" A "  k\n", "k"), -EEXIST);
    CHECK_EQ(line, 3);
}

TEST(a_malformed_line_is_named_even_behind_the_one_wanted)
{
    static const char *const bad[] = {
        "garbage",
        A,
        A " ",
        A "  ",
        A "\tk",
        A " k",
        A "x k",
        "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f  k",
        "\\" A "  k\\nl",
        "0001  k",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[300];

        snprintf(text, sizeof(text), A "  w\n%s\n", bad[i]);
        CHECK_EQ(find(text, "w"), -EINVAL);
        CHECK_EQ(line, 2);
        CHECK_EQ(find(bad[i], "w"), -EINVAL);
        CHECK_EQ(line, 1);
    }
}

TEST(bytes_of_zero_do_not_end_the_list)
{
    static const char text[] = A "  k\n\0\n";

    CHECK_EQ(manifest_find(text, sizeof(text) - 1, "k", digest, &line),
             -EINVAL);
    CHECK_EQ(line, 2);
}

CHECK_MAIN
