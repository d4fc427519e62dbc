/*
 * What Linux is measured by: the same operations as RayOS's own benchmarks, one
 * line a row on standard output: "BENCH name count min max sum", in ticks of
 * the TSC or in bytes. Static, runs as root in the initramfs.
 *
 * usage: peer_bench start          at once: time and memory
 *        peer_bench rows ROUNDS CREATIONS    everything else
 *        peer_bench disk ROUNDS    of that, the disk alone
 *        peer_bench guest ROUNDS   timer and disk, as rows named vm_...: in a
 *                                  virtual machine
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define FIFO_PRIORITY    80
#define INTERVAL_NS      1000000
#define NS_PER_S         1000000000LL
#define LOCKS_PER_SAMPLE 64

/* Of the disk, as in tests/kernel/bench_disk.c. */
#define DISK       "/dev/vda"
#define DISK_BYTES (8 << 20)
#define GAP        200

struct result {
    uint64_t count, min, max, sum;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void record(struct result *r, uint64_t ticks)
{
    r->min = r->count && r->min < ticks ? r->min : ticks;
    r->max = r->max > ticks ? r->max : ticks;
    r->sum += ticks;
    r->count++;
}

static const char *prefix = "";

static void report(const char *row, const struct result *r)
{
    printf("BENCH %s%s %llu %llu %llu %llu\n", prefix, row,
           (unsigned long long)r->count, (unsigned long long)r->min,
           (unsigned long long)r->max, (unsigned long long)r->sum);
    fflush(stdout);
}

static void report_one(const char *row, uint64_t value)
{
    struct result r = {0};

    record(&r, value);
    report(row, &r);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void be_fifo(int priority)
{
    struct sched_param p = {.sched_priority = priority};

    if (sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &p))
        fail("sched_setscheduler");
}

/* --- at the start --- */

static uint64_t meminfo(const char *field)
{
    char line[200];
    unsigned long kib = 0;
    FILE *f = fopen("/proc/meminfo", "r");

    if (!f)
        fail("/proc/meminfo");
    while (fgets(line, sizeof(line), f))
        if (!strncmp(line, field, strlen(field)))
            kib = strtoul(line + strlen(field), NULL, 10);
    fclose(f);
    return (uint64_t)kib * 1024;
}

static void at_start(void)
{
    uint64_t tsc = __rdtsc(); /* before all else */

    report_one("boot", tsc);
    report_one("memory", meminfo("MemTotal:") - meminfo("MemFree:"));
}

/* --- processes --- */

static void kernel_call(int rounds)
{
    struct result r = {0};
    uint64_t start = __rdtsc();

    for (int i = 0; i < rounds; i++)
        syscall(SYS_getppid);
    r.sum = __rdtsc() - start;
    r.count = (uint64_t)rounds;
    report("kernel_call", &r);
}

static void pipe_round_trip(int rounds)
{
    struct result r = {0};
    int there[2], back[2];
    char byte = 1;
    pid_t child;

    if (pipe(there) || pipe(back))
        fail("pipe");
    child = fork();
    if (child == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1)
            if (write(back[1], &byte, 1) != 1)
                break;
        _exit(0);
    }
    for (int i = -1; i < rounds; i++) { /* the first is not counted */
        uint64_t start = __rdtsc();

        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            fail("pipe");
        if (i >= 0)
            record(&r, __rdtsc() - start);
    }
    close(there[1]);
    waitpid(child, NULL, 0);
    report("message_round_trip", &r);
}

/* An interpreter that does nothing, from its making to its end. */
static void create(int rounds)
{
    char *const argv[] = {"lua5.4", "-e", "", NULL}, *const env[] = {NULL};
    struct result r = {0};

    for (int i = -1; i < rounds; i++) {
        uint64_t start = __rdtsc();
        pid_t child;
        int status;

        if (posix_spawn(&child, "/bin/lua5.4", NULL, NULL, argv, env))
            fail("posix_spawn");
        if (waitpid(child, &status, 0) != child || status)
            fail("lua5.4");
        if (i >= 0)
            record(&r, __rdtsc() - start);
    }
    report("create", &r);
}

/* --- threads --- */

struct pair {
    sem_t there, back;
    int rounds;
};

static void *partner(void *arg)
{
    struct pair *p = arg;

    be_fifo(FIFO_PRIORITY);
    for (int i = 0; i < p->rounds; i++) {
        sem_wait(&p->there);
        sem_post(&p->back);
    }
    return NULL;
}

/* Half of a round trip by semaphores (futexes). */
static void context_switch(int rounds)
{
    struct pair p = {.rounds = rounds};
    struct result r = {0};
    pthread_t t;

    be_fifo(FIFO_PRIORITY);
    sem_init(&p.there, 0, 0);
    sem_init(&p.back, 0, 0);
    if (pthread_create(&t, NULL, partner, &p))
        fail("pthread_create");
    for (int i = 0; i < rounds; i++) {
        uint64_t start = __rdtsc();

        sem_post(&p.there);
        sem_wait(&p.back);
        record(&r, (__rdtsc() - start) / 2);
    }
    pthread_join(t, NULL);
    be_fifo(0);
    report("context_switch", &r);
}

static void mutex_lock_unlock(int rounds)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    struct result r = {0};

    for (int i = 0; i < rounds; i++) {
        uint64_t start = __rdtsc();

        for (int k = 0; k < LOCKS_PER_SAMPLE; k++) {
            pthread_mutex_lock(&m);
            pthread_mutex_unlock(&m);
        }
        record(&r, __rdtsc() - start);
    }
    report("mutex_lock_unlock", &r);
}

/* As cyclictest does it; nanoseconds become ticks by the rate of the run. */
static void timer_to_thread(int rounds)
{
    struct result ns = {0};
    int64_t due, first_ns, last_ns;
    uint64_t first_tsc, last_tsc;
    double rate;

    be_fifo(FIFO_PRIORITY);
    first_tsc = __rdtsc();
    due = first_ns = now_ns();
    for (int i = 0; i < rounds; i++) {
        struct timespec t;

        due += INTERVAL_NS;
        t.tv_sec = due / NS_PER_S;
        t.tv_nsec = due % NS_PER_S;
        if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
            fail("clock_nanosleep");
        record(&ns, (uint64_t)(now_ns() - due));
    }
    last_tsc = __rdtsc();
    last_ns = now_ns();
    be_fifo(0);
    rate = (double)(last_tsc - first_tsc) / (double)(last_ns - first_ns);
    ns.min = (uint64_t)((double)ns.min * rate);
    ns.max = (uint64_t)((double)ns.max * rate);
    ns.sum = (uint64_t)((double)ns.sum * rate);
    report("timer_to_thread", &ns);
}

/* --- the disk --- */

static volatile int spin_stop;
static volatile uint64_t spun; /* ticks */

/* Whoever runs while nobody else does, measuring itself: see bench_disk.c. */
static void *spin(void *arg)
{
    const struct sched_param p = {0};
    uint64_t last;

    (void)arg;
    if (sched_setscheduler(0, SCHED_IDLE, &p))
        fail("sched_setscheduler");
    last = __rdtsc();
    while (!spin_stop) {
        uint64_t now = __rdtsc();

        if (now - last < GAP)
            spun += now - last;
        last = now;
    }
    return NULL;
}

/* Past the page cache, as RayOS has none in the way. */
static void disk(const char *row, int rounds, int write, size_t bytes)
{
    int fd = open(DISK, O_RDWR | O_DIRECT);
    struct result r = {0};
    void *buffer;

    if (fd < 0 || posix_memalign(&buffer, 4096, bytes))
        fail(DISK);
    memset(buffer, 0, bytes);
    for (int i = -1; i < rounds; i++) { /* the first is not counted */
        off_t at = (off_t)((size_t)(i + 1) * bytes % DISK_BYTES);
        uint64_t before = spun, start = __rdtsc();
        ssize_t n = write ? pwrite(fd, buffer, bytes, at)
                          : pread(fd, buffer, bytes, at);
        uint64_t ticks = __rdtsc() - start - (spun - before);

        if (n != (ssize_t)bytes)
            fail(row);
        if (i >= 0)
            record(&r, ticks);
    }
    free(buffer);
    close(fd);
    report(row, &r);
}

static void disks(int rounds)
{
    pthread_t spinner;

    if (pthread_create(&spinner, NULL, spin, NULL))
        fail("pthread_create");
    be_fifo(FIFO_PRIORITY);
    disk("disk_read_4k", rounds, 0, 4096);
    disk("disk_write_4k", rounds, 1, 4096);
    disk("disk_read_1m", (rounds + 9) / 10, 0, 1 << 20);
    disk("disk_write_1m", (rounds + 9) / 10, 1, 1 << 20);
    be_fifo(0);
    spin_stop = 1;
    pthread_join(spinner, NULL);
}

int main(int argc, char **argv)
{
    int rounds, creations;

    if (argc == 2 && !strcmp(argv[1], "start")) {
        at_start();
        return 0;
    }
    if (argc == 3 && !strcmp(argv[1], "disk") && (rounds = atoi(argv[2])) > 0) {
        disks(rounds);
        return 0;
    }
    if (argc == 3 && !strcmp(argv[1], "guest") &&
        (rounds = atoi(argv[2])) > 0) {
        prefix = "vm_";
        timer_to_thread(rounds);
        disks(rounds);
        return 0;
    }
    if (argc != 4 || strcmp(argv[1], "rows") || (rounds = atoi(argv[2])) < 1 ||
        (creations = atoi(argv[3])) < 1)
        return 2;
    kernel_call(rounds);
    pipe_round_trip(rounds);
    create(creations);
    context_switch(rounds);
    mutex_lock_unlock(rounds);
    timer_to_thread(rounds);
    disks(rounds);
    return 0;
}
