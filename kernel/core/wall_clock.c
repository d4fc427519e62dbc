/*
 * The wall clock: the monotonic clock plus an offset. The firmware's time, as
 * the loader read it, is the first; the machine's own clock has the better word
 * once its driver is there. wall_clock_now: any context; the rest: threads.
 */
#include <rayos/rtc.h>

#include <errno.h>

#include <arch/cpu.h>
#include <rayos/boot.h>
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/sync.h>

#define SECONDS_MAX INT64_C(9223372035) /* what fits in nanoseconds */
/* Both were read in whole seconds of the same chip: so far apart they may be
 * without saying anything. */
#define APART_MAX (2 * (int64_t)NS_PER_SEC)

static int64_t offset; /* atomic: wall clock minus monotonic clock, ns */
static bool started;   /* atomic: `offset` has its first value */

static struct mutex lock = MUTEX_INIT(lock);
static const struct rtc_ops *rtc; /* lock */

/* What the loader was told, and when. */
static int64_t firmware_offset(void)
{
    const struct boot_info *boot = boot_info_get();

    if (boot->wall_clock <= 0 || boot->wall_clock > SECONDS_MAX)
        return 0;
    /* Negative: read before the kernel's entry, which is the clock's zero. */
    int64_t age = (int64_t)(arch_tsc() - boot->wall_clock_tsc);
    nstime_t ns = age > 0 ? clock_from_tsc((uint64_t)age + clock_to_tsc(0)) : 0;

    return boot->wall_clock * (int64_t)NS_PER_SEC + (int64_t)ns -
           (int64_t)clock_now();
}

/* Two that come first at once store the same but for nanoseconds. */
static void start(void)
{
    int64_t zero = 0;

    __atomic_compare_exchange_n(&offset, &zero, firmware_offset(), false,
                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    __atomic_store_n(&started, true, __ATOMIC_RELEASE);
}

int64_t wall_clock_now(void)
{
    if (!__atomic_load_n(&started, __ATOMIC_ACQUIRE))
        start();
    return __atomic_load_n(&offset, __ATOMIC_RELAXED) + (int64_t)clock_now();
}

static void step(int64_t unix_ns)
{
    __atomic_store_n(&offset, unix_ns - (int64_t)clock_now(), __ATOMIC_SEQ_CST);
    __atomic_store_n(&started, true, __ATOMIC_RELEASE);
}

static int write_locked(int64_t unix_seconds)
{
    return rtc ? rtc->write(unix_seconds) : -ENODEV;
}

int wall_clock_set(int64_t unix_ns, bool hardware)
{
    /* To the nearest second: a clock of seconds can do no better. */
    int64_t seconds = (unix_ns + (int64_t)NS_PER_SEC / 2) / (int64_t)NS_PER_SEC;
    int err = 0;

    if (unix_ns < 0 || unix_ns > SECONDS_MAX * (int64_t)NS_PER_SEC)
        return -EINVAL;
    mutex_lock(&lock);
    nstime_t began = clock_now();

    if (hardware)
        err = write_locked(seconds);
    if (err != -EINVAL)
        step(unix_ns + (int64_t)(clock_now() - began));
    mutex_unlock(&lock);
    return err;
}

int rtc_read(int64_t *unix_seconds)
{
    int err;

    mutex_lock(&lock);
    err = rtc ? rtc->read(unix_seconds) : -ENODEV;
    mutex_unlock(&lock);
    return err;
}

/* Lock held. */
static void follow(const struct rtc_ops *ops)
{
    int64_t seconds, apart;
    int err = ops->read(&seconds);

    if (err || seconds < 0 || seconds > SECONDS_MAX) {
        log_warn("rtc", "the clock does not tell the time: error %d", err);
        return;
    }
    apart = seconds * (int64_t)NS_PER_SEC - wall_clock_now();
    if (apart >= -APART_MAX && apart <= APART_MAX)
        return;
    step(seconds * (int64_t)NS_PER_SEC);
    log_info("rtc", "the wall clock was %lld s off and follows",
             (long long)(apart / (int64_t)NS_PER_SEC));
}

int rtc_attach(const struct rtc_ops *ops)
{
    int err = -EBUSY;

    mutex_lock(&lock);
    if (!rtc) {
        rtc = ops;
        follow(ops);
        err = 0;
    }
    mutex_unlock(&lock);
    return err;
}

void rtc_detach(const struct rtc_ops *ops)
{
    mutex_lock(&lock);
    if (rtc == ops)
        rtc = NULL;
    mutex_unlock(&lock);
}
