/* sources: kernel/boot/manifest.c */
/*
 * Any bytes as the list of digests. A digest that is found stands in the text,
 * and a list that is good stays good when a line is put behind it.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "kernel/boot/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char more[] =
        "\n0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
        "  kernel.elf\n";
    char *copy = fuzz_copy(data, size), *longer;
    uint8_t digest[SHA256_SIZE] = {0};
    unsigned line;
    int r = manifest_find(copy, size, "kernel.elf", digest, &line), again;

    FUZZ_CHECK(line <= size);
    FUZZ_CHECK(r == 0 || r == -ENOENT || r == -EINVAL || r == -EEXIST);
    longer = malloc(size + sizeof(more) - 1);
    memcpy(longer, copy, size);
    memcpy(longer + size, more, sizeof(more) - 1);
    again = manifest_find(longer, size + sizeof(more) - 1, "kernel.elf", digest,
                          &line);
    FUZZ_CHECK(again == (r == 0 ? -EEXIST : r == -ENOENT ? 0 : r));
    FUZZ_CHECK(again || (digest[0] == 0x01 && digest[31] == 0xef));
    free(longer);
    free(copy);
    return 0;
}
