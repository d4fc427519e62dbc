/*
 * The command line: words separated by blanks, `name` or `name=value`; a value
 * in double quotes may hold blanks. A later word wins over an earlier one of
 * the same name. Read-only after boot: any context.
 */
#ifndef RAYOS_CMDLINE_H
#define RAYOS_CMDLINE_H

#include <rayos/types.h>

/* Keep a copy of `text`. Boot, once. */
void cmdline_init(const char *text);
const char *cmdline_text(void);
bool cmdline_has(const char *name);
/* Value of `name=value` (NUL terminated), "" for a bare `name`, NULL when it is
 * not there. */
const char *cmdline_get(const char *name);
/* Number (decimal, or hex with 0x, with a suffix K, M or G); `fallback` when
 * absent or malformed (logged). */
uint64_t cmdline_number(const char *name, uint64_t fallback);

#endif
