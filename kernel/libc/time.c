/*
 * Time and chance for the C library. The time zone is UTC: newlib's own code
 * takes it from TZ, which nobody sets. Thread context.
 */
#include <errno.h>
#include <reent.h>
#include <string.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include <rayos/clock.h>
#include <rayos/percpu.h>
#include <rayos/random.h>
#include <rayos/rtc.h>
#include <rayos/thread.h>

int _gettimeofday_r(struct _reent *r, struct timeval *tv, void *zone)
{
    int64_t us = wall_clock_now() / (int64_t)NS_PER_US;

    (void)r, (void)zone;
    tv->tv_sec = (time_t)(us / 1000000);
    tv->tv_usec = (suseconds_t)(us % 1000000);
    return 0;
}

/* clock() is the sum of these: the CPU time of the current thread, which is its
 * domain's. */
clock_t _times_r(struct _reent *r, struct tms *out)
{
    const nstime_t tick = NS_PER_SEC / CLOCKS_PER_SEC;
    struct thread *t = thread_current();

    (void)r;
    memset(out, 0, sizeof(*out));
    if (t)
        out->tms_utime = (clock_t)(thread_cpu_time(t) / tick);
    return (clock_t)(clock_now() / tick);
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    return _gettimeofday_r(_REENT, tv, zone);
}

clock_t times(struct tms *out)
{
    return _times_r(_REENT, out);
}

/* --- chance --- */

#define ENTROPY_MAX 256 /* as getentropy(3) has it */

/* Before the generator is seeded there is no pretending: -1, EAGAIN. */
int getentropy(void *buf, size_t size)
{
    if (size > ENTROPY_MAX) {
        errno = EIO;
        return -1;
    }
    if (!random_ready()) {
        errno = EAGAIN;
        return -1;
    }
    random_bytes(buf, size);
    return 0;
}
