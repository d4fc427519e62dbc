/* sources: kernel/core/sha256.c */
/* FIPS 180-4's examples, and that it does not matter how the data are cut. */
#include "check.h"

#include <stdlib.h>

#include <rayos/sha256.h>

static const char *hex(const uint8_t digest[SHA256_SIZE])
{
    static char text[2 * SHA256_SIZE + 1];

    for (unsigned i = 0; i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

static const char *digest_of(const void *data, size_t size)
{
    uint8_t digest[SHA256_SIZE];
    struct sha256 s;

    sha256_init(&s);
    sha256_update(&s, data, size);
    sha256_final(&s, digest);
    return hex(digest);
}

TEST(the_examples_of_the_standard_come_out)
{
    CHECK_STR(digest_of("abc", 3), "ba7816bf8f01cfea414140de5dae2223"
                                   "b00361a396177a9cb410ff61f20015ad");
    CHECK_STR(digest_of("", 0), "e3b0c44298fc1c149afbf4c8996fb924"
                                "27ae41e4649b934ca495991b7852b855");
    CHECK_STR(
        digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  56),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK_STR(
        digest_of("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                  "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                  112),
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

TEST(a_million_letters_a_come_out_in_any_chunks)
{
    static const size_t chunks[] = {1, 3, 55, 56, 63, 64, 65, 1000, 99991};
    static char data[1000000];

    memset(data, 'a', sizeof(data));
    for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]); c++) {
        uint8_t digest[SHA256_SIZE];
        struct sha256 s;

        sha256_init(&s);
        for (size_t at = 0; at < sizeof(data); at += chunks[c]) {
            size_t n = sizeof(data) - at;

            sha256_update(&s, data + at, n < chunks[c] ? n : chunks[c]);
        }
        sha256_final(&s, digest);
        CHECK_STR(hex(digest), "cdc76e5c9914fb9281a1c7e284d73e67"
                               "f1809a48a497200e046d39ccc7112cd0");
    }
}

TEST(every_length_around_a_block_is_padded_right)
{
    /* The digest of the digests of 0 to 129 zero bytes, computed by
     * another implementation. */
    static const uint8_t zeroes[130];
    uint8_t digest[SHA256_SIZE];
    struct sha256 all;

    sha256_init(&all);
    for (size_t n = 0; n < sizeof(zeroes); n++) {
        struct sha256 s;

        sha256_init(&s);
        sha256_update(&s, zeroes, n / 2);
        sha256_update(&s, zeroes, 0);
        sha256_update(&s, zeroes, n - n / 2);
        sha256_final(&s, digest);
        sha256_update(&all, digest, sizeof(digest));
    }
    sha256_final(&all, digest);
    CHECK_STR(
        hex(digest),
        "d26cf8eafa144521d64bdc66b8314175fd9e78310979a068c8b8b2ea18636450");
}

CHECK_MAIN
