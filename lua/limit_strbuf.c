/* lua-cjson's buffers, unmodified but for where their memory comes from.
 * Domain's thread. */
#include <stdio.h>
#include <string.h>

#include <lua.h>

#include "lua/limit_cjson.h"

#include <strbuf.c>
