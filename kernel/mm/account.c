/* Accounts: counters of who pays for memory. Any context. */
#include <rayos/mm.h>

void account_init(struct account *a, size_t limit)
{
    a->used = 0;
    a->peak = 0;
    a->refused = 0;
    a->limit = limit;
}

/* Set *counter to `to` if it still is *from; else *from is what it is. */
static bool counter_swap(_Atomic size_t *counter, size_t *from, size_t to)
{
    return __atomic_compare_exchange_n((size_t *)counter, from, to, true,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool account_charge(struct account *a, size_t bytes)
{
    size_t used = a->used, peak = a->peak;

    do {
        if (used > a->limit || bytes > a->limit - used) {
            a->refused++;
            return false;
        }
    } while (!counter_swap(&a->used, &used, used + bytes));
    while (used + bytes > peak && !counter_swap(&a->peak, &peak, used + bytes))
        ;
    return true;
}

void account_credit(struct account *a, size_t bytes)
{
    a->used -= bytes;
}
