/* Shared counters: words with names, for rules and for people. Made, never
 * removed. Thread context; the words themselves in any. */
#include <errno.h>
#include <string.h>

#include <rayos/reflex.h>
#include <rayos/spinlock.h>

static struct spinlock lock = SPINLOCK_INIT;
static char names[REFLEX_COUNTERS][REFLEX_NAME_MAX]; /* lock */
static uint64_t words[REFLEX_COUNTERS];              /* atomic */
static uint32_t used;                                /* lock */

/* Its place, or the number of those in use. Lock held. */
static uint32_t place_of(const char *name)
{
    uint32_t i = 0;

    while (i < used && strcmp(names[i], name))
        i++;
    return i;
}

int reflex_counter(const char *name, uint64_t **out)
{
    irqflags_t flags;
    uint32_t i;
    int err = 0;

    if (strnlen(name, REFLEX_NAME_MAX) == REFLEX_NAME_MAX)
        return -EINVAL;
    flags = spin_lock(&lock);
    i = place_of(name);
    if (i == REFLEX_COUNTERS) {
        err = -ENOSPC;
    } else if (i == used) {
        strcpy(names[i], name);
        used++;
    }
    spin_unlock(&lock, flags);
    if (!err)
        *out = &words[i];
    return err;
}

const char *reflex_counter_at(size_t i, uint64_t *value)
{
    irqflags_t flags = spin_lock(&lock);
    const char *name = i < used ? names[i] : NULL;

    spin_unlock(&lock, flags);
    if (name)
        *value = __atomic_load_n(&words[i], __ATOMIC_RELAXED);
    return name;
}
