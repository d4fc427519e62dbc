/* Bounded retries with backoff: see inject.h. Pure; any context. */
#include "vmm/inject.h"

void retry_init(struct retry *r)
{
    *r = (struct retry){0};
}

enum retry_answer retry_not_delivered(struct retry *r, nstime_t now)
{
    r->delay = r->attempts ? r->delay * 2 : RETRY_DELAY_FIRST;
    if (r->delay > RETRY_DELAY_MAX)
        r->delay = RETRY_DELAY_MAX;
    r->attempts++;
    if (r->attempts > r->attempts_most)
        r->attempts_most = r->attempts;
    if (r->attempts >= RETRY_ATTEMPTS_MAX) {
        r->attempts = 0;
        r->failed++;
        return RETRY_FAILED;
    }
    r->retried++;
    r->due = now + r->delay;
    return RETRY_LATER;
}
