/*
 * Names for our copies of LPeg's files, which are used in place of the stock
 * ones: see limit_lpvm.c, limit_lpcap.c, limit_lptree.c.
 */
#ifndef RAYOS_LUA_LIMIT_LPEG_H
#define RAYOS_LUA_LIMIT_LPEG_H

#define match        limit_lpeg_match
#define runtimecap   limit_lpeg_runtimecap
#define getcaptures  limit_lpeg_getcaptures
#define finddyncap   limit_lpeg_finddyncap
#define luaopen_lpeg limit_open_lpeg
#define lp_gc        limit_lpeg_gc

/* Stack that the deepest leaf function may want. */
#define LIMIT_STACK_RESERVE (96u << 10)

#endif
