/*
 * Who raises how much. Each pair of type and source has a place in a small
 * table, found by hashing; what has no place is not limited. Counts may be off
 * by a few when several CPUs raise for one source: nothing here locks. Any
 * context.
 */
#include <rayos/clock.h>

#include "event_internal.h"

#define SOURCES        256 /* a power of two */
#define PROBES         8
#define LIMIT_DEFAULT  20000
#define WINDOWS_PER_S  100  /* a limit counts in windows of 10 ms */
#define SILENT         1000 /* windows after which a place may be taken */
#define KEY_TYPE_SHIFT 32
#define KEY_USED       (UINT64_C(1) << 63)

struct source {
    uint64_t key;    /* atomic; 0: free */
    uint64_t window; /* number of the window that `count` is of; atomic */
    uint32_t count;  /* atomic */
    uint64_t raised, limited; /* atomic */
};

static struct source sources[SOURCES];
static uint32_t limit = LIMIT_DEFAULT; /* atomic */

void event_set_source_limit(uint32_t per_second)
{
    __atomic_store_n(&limit, per_second, __ATOMIC_RELAXED);
}

uint32_t event_source_limit(void)
{
    return __atomic_load_n(&limit, __ATOMIC_RELAXED);
}

/* Fibonacci hashing: the top bits of a product with 2^64 / phi. */
static uint32_t hash(uint64_t key)
{
    return (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 56);
}

_Static_assert(SOURCES == 1 << (64 - 56), "the hash has as many values");

/* Have the place for `key`, which `has` had; false: another was faster. What
 * was counted for that one goes. */
static bool take_place(struct source *s, uint64_t has, uint64_t key)
{
    if (!__atomic_compare_exchange_n(&s->key, &has, key, false,
                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return false;
    __atomic_store_n(&s->raised, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&s->limited, 0, __ATOMIC_RELAXED);
    return true;
}

/* Its place: the one it has, a free one, or that of a source which has been
 * silent for long; NULL: there is none near. */
static struct source *source_of(uint64_t key, uint64_t window)
{
    struct source *old = NULL;

    for (uint32_t i = 0; i < PROBES; i++) {
        struct source *s = &sources[(hash(key) + i) % SOURCES];
        uint64_t has = __atomic_load_n(&s->key, __ATOMIC_RELAXED);

        if (has == key || (!has && take_place(s, 0, key)))
            return s;
        if (__atomic_load_n(&s->window, __ATOMIC_RELAXED) + SILENT < window)
            old = s;
    }
    return old && take_place(old, old->key, key) ? old : NULL;
}

bool event_source_admit(uint16_t type, uint32_t source, uint64_t tsc)
{
    uint32_t most = event_source_limit();
    uint64_t window = tsc / (clock_tsc_hz() / WINDOWS_PER_S + 1);
    struct source *s = source_of(
        KEY_USED | (uint64_t)type << KEY_TYPE_SHIFT | source, window);

    if (!s)
        return true;
    __atomic_fetch_add(&s->raised, 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&s->window, __ATOMIC_RELAXED) != window) {
        __atomic_store_n(&s->window, window, __ATOMIC_RELAXED);
        __atomic_store_n(&s->count, 0, __ATOMIC_RELAXED);
    }
    if (!most || __atomic_fetch_add(&s->count, 1, __ATOMIC_RELAXED) <
                     most / WINDOWS_PER_S + 1)
        return true;
    __atomic_fetch_add(&s->limited, 1, __ATOMIC_RELAXED);
    return false;
}

bool event_source_at(size_t i, struct event_source_info *out)
{
    for (uint32_t k = 0; k < SOURCES; k++) {
        const struct source *s = &sources[k];
        uint64_t key = __atomic_load_n(&s->key, __ATOMIC_RELAXED);
        struct event of = {
            .type = (uint16_t)((key & ~KEY_USED) >> KEY_TYPE_SHIFT)};

        if (!key || i--)
            continue;
        *out = (struct event_source_info){
            .type = event_type_of(&of),
            .source = (uint32_t)key,
            .raised = __atomic_load_n(&s->raised, __ATOMIC_RELAXED),
            .limited = __atomic_load_n(&s->limited, __ATOMIC_RELAXED),
        };
        return true;
    }
    return false;
}
