/*
 * Attempts to deliver an event to a guest, bounded, with exponential backoff.
 * Pure: the caller says what time it is and how each attempt went; see
 * vmm/deliver.c. A delivery ends delivered or failed, and is counted as such.
 */
#ifndef VMM_INJECT_H
#define VMM_INJECT_H

#include <rayos/types.h>

/* The first attempt is at once; then 2, 4, 8, ... microseconds lie between. */
#define RETRY_DELAY_FIRST  (2 * NS_PER_US)
#define RETRY_DELAY_MAX    (1 * NS_PER_MS)
#define RETRY_ATTEMPTS_MAX 16

enum retry_answer {
    RETRY_LATER, /* try again at `due` */
    RETRY_FAILED /* given up: report it */
};

struct retry {
    uint32_t attempts; /* that failed, of the delivery under way; 0: none is */
    nstime_t delay;    /* before the next one */
    nstime_t due;      /* when the next one may be made */
    /* Since the start of the vCPU. */
    uint64_t delivered, retried, failed;
    uint32_t attempts_most; /* that one delivery took */
};

void retry_init(struct retry *r);
/* May an attempt be made now? */
static inline bool retry_may_try(const struct retry *r, nstime_t now)
{
    return !r->attempts || now >= r->due;
}

/* The attempt succeeded. */
static inline void retry_delivered(struct retry *r)
{
    r->delivered++;
    r->attempts = 0;
}

/* The attempt did not succeed. */
enum retry_answer retry_not_delivered(struct retry *r, nstime_t now);

#endif
