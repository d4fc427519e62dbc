/*
 * Lua values as bytes: nil, booleans, numbers, strings, tables (shared and
 * cyclic references kept, metatables not), and handles, which the caller
 * knows. Pure: needs only the Lua API. The bytes are for the same machine and
 * the same build; decoding checks them nevertheless.
 */
#ifndef RAYOS_LUA_CODEC_H
#define RAYOS_LUA_CODEC_H

#include <lua.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CODEC_DEPTH_MAX  100
#define CODEC_HANDLE_MAX 64

/* Handles: userdata that stand for something that can be shared. */
struct codec_handles {
    /* The thing behind the value at `index`, NULL: not a handle. */
    void *(*test)(lua_State *L, int index);
    void (*push)(lua_State *L, void *handle);
};

/* Most messages are short: those need no memory of Lua's. */
#define CODEC_SHORT 256

struct codec {
    const struct codec_handles *ops;
    size_t size_max;
    uint8_t *data; /* `bytes`, or in a userdata that codec_encode leaves on the
                      stack */
    size_t size;
    size_t handle_count;
    void *handles[CODEC_HANDLE_MAX]; /* those met, borrowed from the values */
    uint8_t bytes[CODEC_SHORT];
};

/* The arrays need no contents, and clearing them would cost more than to encode
 * a number. */
static inline void codec_init(struct codec *c, const struct codec_handles *ops,
                              size_t size_max)
{
    c->ops = ops;
    c->size_max = size_max;
}

/*
 * Encode the `count` values from `first` on. true: c->data and c->size are
 * good while the one value left on the stack is. false: a text was pushed that
 * says which value cannot be sent and why; `what` names the first value.
 * Raises when memory is short.
 */
bool codec_encode(lua_State *L, struct codec *c, int first, int count,
                  const char *what);
/* Push the values; their number, or -1 when the bytes are damaged. */
int codec_decode(lua_State *L, const struct codec_handles *ops,
                 void *const *handles, size_t handle_count, const uint8_t *data,
                 size_t size);

#endif
