/* sources: kernel/libc/number_parse.c kernel/libc/number_decimal.c */
/*
 * Any text as a number: value to the last bit, end and range error are those of
 * the C library's strtod.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <math.h>

#include "kernel/libc/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    char *text = fuzz_text(&in), *their_end;
    const char *our_end;
    bool range = false;
    double ours = libc_number_parse(text, &our_end, &range), theirs;

    errno = 0;
    theirs = strtod(text, &their_end);
    /* A NaN's number in brackets makes a range error there when it is long. */
    if (our_end != their_end ||
        (isnan(theirs) ? !isnan(ours)
                       : memcmp(&ours, &theirs, sizeof(ours)) != 0 ||
                             range != (errno == ERANGE))) {
        fprintf(stderr, "\"%s\": %a, %td bytes, range %d; expected ", text,
                ours, our_end - text, range);
        fprintf(stderr, "%a, %td bytes, range %d\n", theirs, their_end - text,
                errno == ERANGE);
        abort();
    }
    free(text);
    return 0;
}
