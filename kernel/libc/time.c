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

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>

int _gettimeofday_r(struct _reent *r, struct timeval *tv, void *zone)
{
    int64_t us = clock_wall() / (int64_t)NS_PER_US;

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

#define CPUID_FEATURES 1
#define CPUID_RDRAND   (1u << 30) /* ECX; Intel SDM 2A, CPUID leaf 1 */
#define RDRAND_TRIES   10         /* Intel SDM 1, 7.3.17.1 */

static bool rdrand(uint64_t *out)
{
    bool ok = false;

    for (unsigned i = 0; i < RDRAND_TRIES && !ok; i++)
        __asm__ volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
    return ok;
}

/* Without a source there is no pretending: -1, ENOSYS. */
int getentropy(void *buf, size_t size)
{
    char *p = buf;
    uint64_t v;

    if (size > 256) {
        errno = EIO;
        return -1;
    }
    if (!(arch_cpuid(CPUID_FEATURES, 0).ecx & CPUID_RDRAND)) {
        errno = ENOSYS;
        return -1;
    }
    for (size_t done = 0; done < size; done += sizeof(v)) {
        size_t left = size - done;

        if (!rdrand(&v)) {
            errno = EIO;
            return -1;
        }
        memcpy(p + done, &v, left < sizeof(v) ? left : sizeof(v));
    }
    return 0;
}
