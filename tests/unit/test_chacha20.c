/* sources: kernel/core/chacha20.c */
/* ChaCha20 against the test vectors of RFC 8439. */
#include "../../kernel/core/chacha20.h"
#include "check.h"

static void hex(const char *text, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;

        sscanf(text + 2 * i, "%2x", &byte);
        out[i] = (uint8_t)byte;
    }
}

static void check_stream(const char *key, uint32_t counter, const char *nonce,
                         const char *stream)
{
    uint8_t k[CHACHA20_KEY_SIZE], n[CHACHA20_NONCE_SIZE];
    uint8_t expected[512], out[512];
    size_t size = strlen(stream) / 2;
    struct chacha20 c;

    hex(key, k, sizeof(k));
    hex(nonce, n, sizeof(n));
    hex(stream, expected, size);
    chacha20_init(&c, k, counter, n);
    chacha20_stream(&c, out, size);
    for (size_t i = 0; i < size; i++)
        CHECK_EQ(out[i], expected[i]);
}

#define ZERO_KEY                       \
    "00000000000000000000000000000000" \
    "00000000000000000000000000000000"
#define ZERO_NONCE "000000000000000000000000"
#define COUNTING_KEY                   \
    "000102030405060708090a0b0c0d0e0f" \
    "101112131415161718191a1b1c1d1e1f"

TEST(the_block_of_section_2_3_2)
{
    check_stream(COUNTING_KEY, 1, "000000090000004a00000000",
                 "10f1e7e4d13b5915500fdd1fa32071c4"
                 "c7d1f4c733c068030422aa9ac3d46c4e"
                 "d2826446079faa0914c2d705d98b02a2"
                 "b5129cd1de164eb9cbd083e8a2503c4e");
}

/* The two blocks under the text of the example. */
TEST(the_key_stream_of_section_2_4_2)
{
    check_stream(COUNTING_KEY, 1, "000000000000004a00000000",
                 "224f51f3401bd9e12fde276fb8631ded"
                 "8c131f823d2c06e27e4fcaec9ef3cf78"
                 "8a3b0aa372600a92b57974cded2b9334"
                 "794cba40c63e34cdea212c4cf07d41b7"
                 "69a6749f3f630f4122cafe28ec4dc47e"
                 "26d4346d70b98c73f3e9c53ac40c5945"
                 "398b6eda1a832c89c167eacd901d7e2b"
                 "f363");
}

TEST(appendix_a_1_vectors_1_and_2_are_one_stream)
{
    check_stream(ZERO_KEY, 0, ZERO_NONCE,
                 "76b8e0ada0f13d90405d6ae55386bd28"
                 "bdd219b8a08ded1aa836efcc8b770dc7"
                 "da41597c5157488d7724e03fb8d84a37"
                 "6a43b8f41518a11cc387b669b2ee6586"
                 "9f07e7be5551387a98ba977c732d080d"
                 "cb0f29a048e3656912c6533e32ee7aed"
                 "29b721769ce64e43d57133b074d839d5"
                 "31ed1f28510afb45ace10a1f4b794d6f");
}

TEST(appendix_a_1_vectors_3_to_5)
{
    check_stream("00000000000000000000000000000000"
                 "00000000000000000000000000000001",
                 1, ZERO_NONCE,
                 "3aeb5224ecf849929b9d828db1ced4dd"
                 "832025e8018b8160b82284f3c949aa5a"
                 "8eca00bbb4a73bdad192b5c42f73f2fd"
                 "4e273644c8b36125a64addeb006c13a0");
    check_stream("00ff0000000000000000000000000000"
                 "00000000000000000000000000000000",
                 2, ZERO_NONCE,
                 "72d54dfbf12ec44b362692df94137f32"
                 "8fea8da73990265ec1bbbea1ae9af0ca"
                 "13b25aa26cb4a648cb9b9d1be65b2c09"
                 "24a66c54d545ec1b7374f4872e99f096");
    check_stream(ZERO_KEY, 0, "000000000000000000000002",
                 "c2c64d378cd536374ae204b9ef933fcd"
                 "1a8b2288b3dfa49672ab765b54ee27c7"
                 "8a970e0e955c14f3a88e741b97c286f7"
                 "5f8fc299e8148362fa198a39531bed6d");
}

/* Whole blocks, as for a request of more than one. */
TEST(pieces_of_whole_blocks_are_one_stream)
{
    static const uint8_t key[CHACHA20_KEY_SIZE] = {7};
    static const uint8_t nonce[CHACHA20_NONCE_SIZE];
    uint8_t once[5 * 64], pieces[5 * 64];
    struct chacha20 c;

    chacha20_init(&c, key, 0, nonce);
    chacha20_stream(&c, once, sizeof(once));
    chacha20_init(&c, key, 0, nonce);
    chacha20_stream(&c, pieces, 64);
    chacha20_stream(&c, pieces + 64, 3 * 64);
    chacha20_stream(&c, pieces + 4 * 64, 64);
    CHECK(memcmp(once, pieces, sizeof(once)) == 0);
}

CHECK_MAIN
