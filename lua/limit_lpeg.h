/* What our wrappers of LPeg's files share: they take the place of the stock
 * files, of which one function is wrapped once more (limit_lpvm.c). */
#ifndef RAYOS_LUA_LIMIT_LPEG_H
#define RAYOS_LUA_LIMIT_LPEG_H

/* C stack that the deepest leaf function may want. */
#define LIMIT_STACK_RESERVE (96u << 10)

#endif
