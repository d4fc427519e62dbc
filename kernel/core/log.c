/*
 * The log ring. Any context, NMI included: no locks, no allocation.
 *
 * Each record has a stamp: 2 * seq when the record is whole, 2 * seq - 1 while
 * it is being written. A writer takes a number, then claims its record by
 * moving the stamp up. Should another writer still be at that record, a whole
 * ring behind, the new text is dropped: it cannot wait, since it may have
 * interrupted that very writer.
 */
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/percpu.h>

#include <string.h>

#define LOG_RECORDS 1024 /* a power of two */
#define LOG_WORDS   (sizeof(struct log_record) / sizeof(uint64_t))

struct slot {
    uint64_t stamp;
    /* Copied word by word with atomic accesses, a reader may come between. */
    uint64_t words[LOG_WORDS];
};

_Static_assert(sizeof(struct log_record) % sizeof(uint64_t) == 0,
               "records are copied in words");

static struct slot ring[LOG_RECORDS];
static uint64_t newest;
static void (*sink)(const struct log_record *r);
static enum log_level sink_level;
static void (*watcher)(const struct log_record *r);

static struct slot *slot_of(uint64_t seq)
{
    return &ring[seq & (LOG_RECORDS - 1)];
}

static bool slot_claim(struct slot *s, uint64_t seq)
{
    uint64_t stamp = __atomic_load_n(&s->stamp, __ATOMIC_RELAXED);

    return !(stamp & 1) && stamp < 2 * seq &&
           __atomic_compare_exchange_n(&s->stamp, &stamp, 2 * seq - 1, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void slot_write(const struct log_record *r)
{
    struct slot *s = slot_of(r->seq);
    uint64_t words[LOG_WORDS];

    if (!slot_claim(s, r->seq))
        return;
    /* The stamp is seen to be odd before any word is seen to change. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(words, r, sizeof(words));
    for (size_t i = 0; i < LOG_WORDS; i++)
        __atomic_store_n(&s->words[i], words[i], __ATOMIC_RELAXED);
    __atomic_store_n(&s->stamp, 2 * r->seq, __ATOMIC_RELEASE);
}

/* false: the record is not there, not yet or no longer. */
static bool slot_read(uint64_t seq, struct log_record *out)
{
    const struct slot *s = slot_of(seq);
    uint64_t words[LOG_WORDS];

    if (__atomic_load_n(&s->stamp, __ATOMIC_ACQUIRE) != 2 * seq)
        return false;
    for (size_t i = 0; i < LOG_WORDS; i++)
        words[i] = __atomic_load_n(&s->words[i], __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&s->stamp, __ATOMIC_RELAXED) != 2 * seq)
        return false;
    memcpy(out, words, sizeof(words));
    return true;
}

static void record_fill(struct log_record *r, enum log_level level,
                        const char *module, const char *fmt, va_list ap)
{
    size_t n = strnlen(module, LOG_MODULE_MAX - 1);
    int length;

    memset(r, 0, sizeof(*r));
    r->time = clock_now();
    r->cpu = (uint16_t)cpu_id();
    r->level = (uint8_t)level;
    memcpy(r->module, module, n);
    length = fmt_vsnprintf(r->text, LOG_TEXT_MAX, fmt, ap);
    r->length = (uint8_t)(length < LOG_TEXT_MAX ? length : LOG_TEXT_MAX - 1);
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    void (*fn)(const struct log_record *r);
    struct log_record r;
    va_list ap;

    va_start(ap, fmt);
    record_fill(&r, level, module, fmt, ap);
    va_end(ap);
    r.seq = __atomic_add_fetch(&newest, 1, __ATOMIC_RELAXED);
    slot_write(&r);
    fn = __atomic_load_n(&sink, __ATOMIC_ACQUIRE);
    if (fn && level >= __atomic_load_n(&sink_level, __ATOMIC_RELAXED))
        fn(&r);
    fn = __atomic_load_n(&watcher, __ATOMIC_ACQUIRE);
    if (fn && level >= LOG_WARN)
        fn(&r);
}

uint64_t log_newest(void)
{
    return __atomic_load_n(&newest, __ATOMIC_ACQUIRE);
}

bool log_read(uint64_t *seq, struct log_record *out)
{
    uint64_t last = log_newest(), s = *seq ? *seq : 1;

    if (last >= LOG_RECORDS && s <= last - LOG_RECORDS)
        s = last - LOG_RECORDS + 1;
    /* A record that is missing between others was dropped, or its writer was
     * interrupted: readers do not wait for it. */
    for (; s <= last; s++) {
        if (slot_read(s, out)) {
            *seq = s;
            return true;
        }
    }
    return false;
}

const char *log_level_name(enum log_level level)
{
    static const char *const names[LOG_LEVELS] = {
        [LOG_DEBUG] = "debug",
        [LOG_INFO] = "info",
        [LOG_WARN] = "warn",
        [LOG_ERROR] = "error",
    };

    return (unsigned)level < LOG_LEVELS ? names[level] : "?";
}

void log_set_sink(void (*fn)(const struct log_record *r), enum log_level level)
{
    /* No record of a lower level may slip through in between. */
    __atomic_store_n(&sink, NULL, __ATOMIC_RELEASE);
    __atomic_store_n(&sink_level, level, __ATOMIC_RELEASE);
    __atomic_store_n(&sink, fn, __ATOMIC_RELEASE);
}

void log_set_watcher(void (*fn)(const struct log_record *r))
{
    __atomic_store_n(&watcher, fn, __ATOMIC_RELEASE);
}
