/* sources: kernel/core/panic_record.c */
/*
 * Memory after a reset holds anything: no damaged record is taken for one, and
 * what is written there is read again, cut to what fits.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/core/panic_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    size_t region = fuzz_byte(&in), written = 0, room;
    const struct panic_record *found;
    struct panic_record *r;
    uint8_t *memory;

    memory = fuzz_copy(in.at, in.left);
    found = panic_record_check(memory, in.left);
    if (found)
        FUZZ_CHECK(found->length && found->length <= in.left - sizeof(*found));
    free(memory);

    memory = malloc(region ? region : 1);
    memset(memory, 0x5a, region);
    r = panic_record_begin(memory, region);
    FUZZ_CHECK(!r == (region < sizeof(*r)));
    room = r ? region - sizeof(*r) : 0;
    while (r && in.left) {
        size_t n = fuzz_byte(&in) % 32;

        n = n < in.left ? n : in.left;
        panic_record_append(r, region, (const char *)in.at, n);
        FUZZ_CHECK(!memcmp(r->text + written, in.at,
                           n < room - written ? n : room - written));
        in.at += n;
        in.left -= n;
        written = written + n < room ? written + n : room;
        FUZZ_CHECK(r->length == written);
        FUZZ_CHECK(panic_record_check(memory, region) == (written ? r : NULL));
    }
    panic_record_clear(memory, region);
    FUZZ_CHECK(!panic_record_check(memory, region));
    free(memory);
    return 0;
}
