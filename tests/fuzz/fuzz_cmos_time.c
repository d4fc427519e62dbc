/* sources: drivers/rtc/cmos_time.c */
/*
 * Any bytes as the registers of a CMOS clock. What is understood lies in the
 * years that there are, and written and read again it is the same.
 */
#include "tests/fuzz/fuzz.h"

#include "drivers/rtc/cmos_time.h"

#define YEAR_3000 INT64_C(32503680000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    bool has_century = fuzz_byte(&in) & 1;
    struct cmos_time t, again;
    int64_t seconds, same;

    fuzz_take(&in, &t, sizeof(t));
    if (cmos_time_decode(&t, has_century, &seconds) == 0) {
        FUZZ_CHECK(seconds >= 0 && seconds < YEAR_3000);
        again = t;
        /* A year from 1970 on without a century is read as it was written. */
        if (cmos_time_encode(seconds, has_century, &again) == 0) {
            FUZZ_CHECK(cmos_time_decode(&again, has_century, &same) == 0);
            FUZZ_CHECK(same == seconds);
        }
    }
    fuzz_take(&in, &seconds, sizeof(seconds));
    again = t;
    if (cmos_time_encode(seconds, has_century, &again) == 0) {
        FUZZ_CHECK(cmos_time_decode(&again, has_century, &same) == 0);
        FUZZ_CHECK(same == seconds);
    }
    return 0;
}
