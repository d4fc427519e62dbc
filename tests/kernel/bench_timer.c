/* Benchmark: from a timer's deadline to the thread that waited for it. */
#include <rayos/clock.h>

#include "bench.h"

#define INTERVAL NS_PER_MS /* as cyclictest's */

BENCH(timer_to_thread, "from the deadline of a sleep to the sleeper's next "
                       "look at the clock, the machine being idle before")
{
    nstime_t due = clock_now();

    for (uint32_t i = 0; i < rounds; i++) {
        nstime_t now;
        int err;

        due += INTERVAL;
        err = thread_sleep_until(due);
        now = clock_now();
        if (err)
            return err;
        bench_record(result, clock_to_tsc(now) - clock_to_tsc(due));
    }
    return 0;
}
