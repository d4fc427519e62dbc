/*
 * Capability sets of domains. Pure; any context.
 */
#include <string.h>

#include "lua/caps.h"

bool caps_add(struct caps *set, const char *name)
{
    size_t length = strlen(name);

    if (!length || length >= CAPS_NAME_MAX || set->count == CAPS_MAX)
        return false;
    memcpy(set->names[set->count++], name, length + 1);
    return true;
}

/* "fs" covers "fs" and "fs.write", not "fsck". */
static bool name_covers(const char *have, const char *name)
{
    size_t length = strlen(have);

    return !strcmp(have, "*") ||
           (!strncmp(have, name, length) &&
            (name[length] == '\0' || name[length] == '.'));
}

bool caps_has(const struct caps *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (name_covers(set->names[i], name))
            return true;
    return false;
}

bool caps_cover(const struct caps *set, const struct caps *wanted,
                const char **missing)
{
    for (size_t i = 0; i < wanted->count; i++) {
        if (!caps_has(set, wanted->names[i])) {
            *missing = wanted->names[i];
            return false;
        }
    }
    return true;
}
