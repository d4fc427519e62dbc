/*
 * Capabilities: a set of names such as "console" or "fs.write". A name covers
 * the names below it ("fs" covers "fs.write"), "*" covers all. A set is
 * constant once made. Pure; thread context.
 */
#ifndef RAYOS_LUA_CAPS_H
#define RAYOS_LUA_CAPS_H

#include <stdbool.h>
#include <stddef.h>

#define CAPS_MAX      32
#define CAPS_NAME_MAX 24

struct caps {
    size_t count;
    char names[CAPS_MAX][CAPS_NAME_MAX];
};

/* false: the set is full, or the name is too long or empty. */
bool caps_add(struct caps *set, const char *name);
/* Does the set cover `name`? */
bool caps_has(const struct caps *set, const char *name);
/* Does `set` cover everything in `wanted`? Else *missing is the first name that
 * it does not. */
bool caps_cover(const struct caps *set, const struct caps *wanted,
                const char **missing);

#endif
