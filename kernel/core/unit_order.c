/*
 * Topological order of units. Pure; boot and host tests. Quadratic, for some
 * dozens of units.
 */
#include <rayos/fmt.h>

#include <errno.h>
#include <string.h>

#include "unit_order.h"

/* The words of an `after` list. */
struct word {
    const char *text;
    size_t length;
};

static bool next_word(const char **list, struct word *w)
{
    const char *s = *list;

    while (*s == ' ')
        s++;
    w->text = s;
    while (*s && *s != ' ')
        s++;
    w->length = (size_t)(s - w->text);
    *list = s;
    return w->length != 0;
}

static bool is_named(const struct unit *u, const struct word *w)
{
    return strncmp(u->name, w->text, w->length) == 0 &&
           u->name[w->length] == '\0';
}

/* Index of the unit, n when there is none. */
static size_t find_unit(const struct unit *units, size_t n,
                        const struct word *w)
{
    size_t i = 0;

    while (i < n && !is_named(&units[i], w))
        i++;
    return i;
}

static int check_names(const struct unit *units, size_t n, char *error,
                       size_t size)
{
    for (size_t i = 0; i < n; i++) {
        const char *list = units[i].after ? units[i].after : "";
        struct word w = {units[i].name, strlen(units[i].name)};

        if (find_unit(units, n, &w) != i) {
            fmt_snprintf(error, size, "two units are named '%s'",
                         units[i].name);
            return -EINVAL;
        }
        while (next_word(&list, &w)) {
            if (find_unit(units, n, &w) < n)
                continue;
            fmt_snprintf(error, size,
                         "unit '%s' comes after '%.*s', which no unit is named",
                         units[i].name, (int)w.length, w.text);
            return -EINVAL;
        }
    }
    return 0;
}

/* A unit that `u` waits for, by index; n when all are placed. */
static size_t first_missing(const struct unit *units, size_t n,
                            const struct unit *u, const bool *placed)
{
    const char *list = u->after ? u->after : "";
    struct word w;

    while (next_word(&list, &w)) {
        size_t i = find_unit(units, n, &w);

        if (!placed[i])
            return i;
    }
    return n;
}

/* Each unit not placed waits for another such, so following them must come
 * round: after n steps we are on a cycle. */
static void describe_cycle(const struct unit *units, size_t n,
                           const bool *placed, char *error, size_t size)
{
    size_t i = 0, start;
    int at;

    while (placed[i])
        i++;
    for (size_t steps = 0; steps < n; steps++)
        i = first_missing(units, n, &units[i], placed);
    start = i;
    at = fmt_snprintf(error, size, "units wait for each other: %s",
                      units[start].name);
    do {
        i = first_missing(units, n, &units[i], placed);
        if ((size_t)at < size)
            at += fmt_snprintf(error + at, size - (size_t)at, " after %s",
                               units[i].name);
    } while (i != start);
}

int unit_order(const struct unit *units, size_t n, uint16_t order[UNIT_MAX],
               char *error, size_t error_size)
{
    bool placed[UNIT_MAX] = {false};
    size_t done = 0, before;
    int err;

    if (n > UNIT_MAX) {
        fmt_snprintf(error, error_size, "%zu units, the limit is %d", n,
                     UNIT_MAX);
        return -EINVAL;
    }
    err = check_names(units, n, error, error_size);
    if (err)
        return err;
    do {
        before = done;
        for (size_t i = 0; i < n; i++) {
            if (placed[i] || first_missing(units, n, &units[i], placed) != n)
                continue;
            placed[i] = true;
            order[done++] = (uint16_t)i;
        }
    } while (done < n && done > before);
    if (done == n)
        return 0;
    describe_cycle(units, n, placed, error, error_size);
    return -EINVAL;
}
