/* sources: kernel/libc/number_parse.c kernel/libc/number_decimal.c */
/*
 * Any text as a number: value to the last bit, end and range error are those of
 * the C library's strtod, but for what its own faults allow.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#include "kernel/libc/number.h"

/* From the smallest normal number down, glibc 2.36 rounds some numerals of 54
 * bits wrongly, and does not call every inexact result a range error: there one
 * unit is allowed, and the error is not compared. */
static bool equal(double ours, double theirs, bool our_range, bool their_range)
{
    int64_t a, b;

    if (isnan(theirs))
        return isnan(ours); /* a long number in brackets is a range error */
    if (fabs(theirs) > DBL_MIN)
        return ours == theirs && our_range == their_range;
    memcpy(&a, &ours, sizeof(a));
    memcpy(&b, &theirs, sizeof(b));
    return a - b >= -1 && a - b <= 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    char *text = fuzz_text(&in), *their_end;
    const char *our_end;
    bool range = false;
    double ours = libc_number_parse(text, &our_end, &range), theirs;

    errno = 0;
    theirs = strtod(text, &their_end);
    if (our_end != their_end || !equal(ours, theirs, range, errno == ERANGE)) {
        fprintf(stderr, "\"%s\": %a, %td bytes, range %d; expected ", text,
                ours, our_end - text, range);
        fprintf(stderr, "%a, %td bytes, range %d\n", theirs, their_end - text,
                errno == ERANGE);
        abort();
    }
    free(text);
    return 0;
}
