/* sources: kernel/core/panic_record.c */
/* A panic record is read again only when it is whole. */
#include "check.h"

#include <stdlib.h>

#include "kernel/core/panic_record.h"

#define SIZE 128

static struct panic_record *make(void *region, const char *text)
{
    struct panic_record *r = panic_record_begin(region, SIZE);

    panic_record_append(r, SIZE, text, strlen(text));
    return r;
}

TEST(what_was_written_is_read_after_every_piece)
{
    uint64_t region[SIZE / 8];
    struct panic_record *r = make(region, "one ");
    const struct panic_record *found = panic_record_check(region, SIZE);

    CHECK(found && found->length == 4);
    panic_record_append(r, SIZE, "two", 3);
    found = panic_record_check(region, SIZE);
    CHECK(found && found->length == 7 && !memcmp(found->text, "one two", 7));
}

TEST(the_checksum_is_the_usual_crc_32)
{
    uint64_t region[SIZE / 8];

    CHECK_EQ(make(region, "123456789")->crc, 0xcbf43926);
}

TEST(a_long_text_is_cut_at_the_end_of_the_region)
{
    struct panic_record *r = malloc(SIZE);
    char text[SIZE * 2];

    memset(text, 'x', sizeof(text));
    panic_record_begin(r, SIZE);
    panic_record_append(r, SIZE, text, sizeof(text));
    panic_record_append(r, SIZE, text, 1);
    CHECK_EQ(r->length, SIZE - sizeof(*r));
    CHECK(panic_record_check(r, SIZE) == r);
    free(r);
}

TEST(any_damaged_bit_makes_it_none)
{
    uint64_t region[SIZE / 8] = {0};
    size_t used = sizeof(struct panic_record) + 5;

    make(region, "panic");
    for (size_t bit = 0; bit < used * 8; bit++) {
        ((uint8_t *)region)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!panic_record_check(region, SIZE));
        ((uint8_t *)region)[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(panic_record_check(region, SIZE) != NULL);
}

TEST(no_region_or_a_small_one_holds_no_record)
{
    uint64_t region[2] = {PANIC_RECORD_MAGIC, 0};

    CHECK(!panic_record_begin(NULL, SIZE));
    CHECK(!panic_record_begin(region, 8));
    CHECK(!panic_record_check(NULL, SIZE));
    CHECK(!panic_record_check(region, 8));
    CHECK(!panic_record_check(region, sizeof(region))); /* no text */
    panic_record_clear(NULL, SIZE);
    panic_record_clear(region, 8);
}

TEST(a_record_that_was_cleared_is_none)
{
    uint64_t region[SIZE / 8];

    make(region, "panic");
    panic_record_clear(region, SIZE);
    CHECK(!panic_record_check(region, SIZE));
}

CHECK_MAIN
