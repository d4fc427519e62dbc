/*
 * Lua values as bytes and back. Pure, thread context of the state's owner.
 *
 * A value is a tag and what belongs to it: i and n eight bytes, s length and
 * bytes, d the number of a handle, { the array size, pairs up to }, r the
 * number of a table met before, in order of their beginnings.
 */
#include <lauxlib.h>

#include <stdio.h>
#include <string.h>

#include "lua/codec.h"

enum tag {
    TAG_NIL = 'N',
    TAG_FALSE = 'F',
    TAG_TRUE = 'T',
    TAG_INTEGER = 'i',
    TAG_NUMBER = 'n',
    TAG_STRING = 's',
    TAG_HANDLE = 'd',
    TAG_TABLE = '{',
    TAG_END = '}',
    TAG_SEEN = 'r',
};

struct writer {
    lua_State *L;
    struct codec *c;
    int buffer, seen; /* stack indices: a userdata or nil, a table or nil */
    size_t capacity;
    uint32_t tables;
    char error[96]; /* what is wrong, */
    char path[160]; /* and where: built from the inside out */
};

/* --- writing --- */

static bool writer_fail(struct writer *w, const char *text)
{
    snprintf(w->error, sizeof(w->error), "%s", text);
    return false;
}

static bool writer_grow(struct writer *w, size_t more)
{
    size_t need = w->c->size + more, capacity = w->capacity;
    void *data;

    if (need > w->c->size_max)
        return writer_fail(w, "the message is too long");
    while (capacity < need)
        capacity *= 2;
    data = lua_newuserdatauv(w->L, capacity, 0);
    memcpy(data, w->c->data, w->c->size);
    lua_replace(w->L, w->buffer);
    w->c->data = data;
    w->capacity = capacity;
    return true;
}

static bool put(struct writer *w, enum tag tag, const void *data, size_t size)
{
    if (w->c->size + 1 + size > w->capacity && !writer_grow(w, 1 + size))
        return false;
    w->c->data[w->c->size++] = (uint8_t)tag;
    if (size)
        memcpy(w->c->data + w->c->size, data, size);
    w->c->size += size;
    return true;
}

static bool put_string(struct writer *w, int index)
{
    size_t length;
    const char *s = lua_tolstring(w->L, index, &length);
    uint32_t size = (uint32_t)length;

    if (length > w->c->size_max)
        return writer_fail(w, "the message is too long");
    if (!put(w, TAG_STRING, &size, sizeof(size)))
        return false;
    if (w->c->size + length > w->capacity && !writer_grow(w, length))
        return false;
    memcpy(w->c->data + w->c->size, s, length);
    w->c->size += length;
    return true;
}

static bool put_number(struct writer *w, int index)
{
    if (lua_isinteger(w->L, index)) {
        lua_Integer i = lua_tointeger(w->L, index);
        return put(w, TAG_INTEGER, &i, sizeof(i));
    } else {
        lua_Number n = lua_tonumber(w->L, index);
        return put(w, TAG_NUMBER, &n, sizeof(n));
    }
}

static bool put_handle(struct writer *w, int index)
{
    void *handle = w->c->ops->test(w->L, index);
    uint32_t i;

    if (!handle)
        return writer_fail(w, "cannot send a userdata");
    for (i = 0; i < w->c->handle_count; i++)
        if (w->c->handles[i] == handle)
            break;
    if (i == CODEC_HANDLE_MAX)
        return writer_fail(w, "too many handles in one message");
    w->c->handles[i] = handle;
    if (i == w->c->handle_count)
        w->c->handle_count++;
    return put(w, TAG_HANDLE, &i, sizeof(i));
}

static bool put_value(struct writer *w, int index, int depth);

/* Put the key on top of the stack in front of the path. */
static void path_prepend(struct writer *w)
{
    char old[sizeof(w->path)];

    memcpy(old, w->path, sizeof(old));
    if (lua_type(w->L, -1) == LUA_TSTRING)
        snprintf(w->path, sizeof(w->path), ".%.40s%.110s",
                 lua_tostring(w->L, -1), old);
    else if (lua_isinteger(w->L, -1))
        snprintf(w->path, sizeof(w->path), "[%lld]%.110s",
                 (long long)lua_tointeger(w->L, -1), old);
    else
        snprintf(w->path, sizeof(w->path), "[%s]%.110s",
                 luaL_typename(w->L, -1), old);
}

/* true: the table was met before, and a reference to it was put (*ok says how
 * that went). */
static bool put_seen(struct writer *w, int index, bool *ok)
{
    lua_State *L = w->L;
    uint32_t i;

    if (lua_isnil(L, w->seen)) {
        lua_newtable(L);
        lua_replace(L, w->seen);
    }
    lua_pushvalue(L, index);
    if (lua_rawget(L, w->seen) == LUA_TNUMBER) {
        i = (uint32_t)lua_tointeger(L, -1);
        lua_pop(L, 1);
        *ok = put(w, TAG_SEEN, &i, sizeof(i));
        return true;
    }
    lua_pop(L, 1);
    lua_pushvalue(L, index);
    lua_pushinteger(L, w->tables++);
    lua_rawset(L, w->seen);
    return false;
}

static bool put_table(struct writer *w, int index, int depth)
{
    lua_State *L = w->L;
    uint32_t length = (uint32_t)lua_rawlen(L, index);
    bool ok = true;

    if (put_seen(w, index, &ok))
        return ok;
    if (depth == CODEC_DEPTH_MAX)
        return writer_fail(w, "tables are nested too deep");
    luaL_checkstack(L, 8, "message");
    if (!put(w, TAG_TABLE, &length, sizeof(length)))
        return false;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        int key = lua_gettop(L) - 1;

        ok = put_value(w, key, depth + 1) && put_value(w, key + 1, depth + 1);
        if (!ok) {
            lua_settop(L, key); /* what deeper levels left, too */
            path_prepend(w);
            return false;
        }
    }
    return put(w, TAG_END, NULL, 0);
}

/* `index` is absolute. */
static bool put_value(struct writer *w, int index, int depth)
{
    char text[40];

    switch (lua_type(w->L, index)) {
    case LUA_TNIL:
        return put(w, TAG_NIL, NULL, 0);
    case LUA_TBOOLEAN:
        return put(w, lua_toboolean(w->L, index) ? TAG_TRUE : TAG_FALSE, NULL,
                   0);
    case LUA_TNUMBER:
        return put_number(w, index);
    case LUA_TSTRING:
        return put_string(w, index);
    case LUA_TTABLE:
        return put_table(w, index, depth);
    case LUA_TUSERDATA:
        return put_handle(w, index);
    default:
        snprintf(text, sizeof(text), "cannot send a %s",
                 luaL_typename(w->L, index));
        return writer_fail(w, text);
    }
}

bool codec_encode(lua_State *L, struct codec *c, int first, int count,
                  const char *what)
{
    struct writer w; /* its texts stay as they are until they are wanted */

    luaL_checkstack(L, 8, "message");
    w.L = L;
    w.c = c;
    w.capacity = sizeof(c->bytes);
    w.tables = 0;
    w.path[0] = '\0';
    c->data = c->bytes;
    lua_pushnil(L);
    w.buffer = lua_gettop(L);
    lua_pushnil(L);
    w.seen = lua_gettop(L);
    c->size = c->handle_count = 0;
    for (int i = 0; i < count; i++) {
        if (!put_value(&w, first + i, 0)) {
            lua_settop(L, w.buffer - 1);
            if (i)
                lua_pushfstring(L, "%s %d%s: %s", what, i + 1, w.path, w.error);
            else
                lua_pushfstring(L, "%s%s: %s", what, w.path, w.error);
            return false;
        }
    }
    lua_settop(L, w.buffer);
    return true;
}

/* --- reading --- */

#define ELEMENT_SIZE_MIN 2 /* one byte for a key, one for a value */

struct reader {
    lua_State *L;
    const struct codec_handles *ops;
    void *const *handles;
    size_t handle_count;
    const uint8_t *at, *end;
    size_t room; /* array elements that the message can still hold */
    int seen;    /* stack index of the list of tables; nil: none yet */
    uint32_t tables;
};

static bool take(struct reader *r, void *out, size_t size)
{
    if ((size_t)(r->end - r->at) < size)
        return false;
    memcpy(out, r->at, size);
    r->at += size;
    return true;
}

static bool take_value(struct reader *r, int depth);

static bool take_string(struct reader *r)
{
    uint32_t size;

    if (!take(r, &size, sizeof(size)) || (size_t)(r->end - r->at) < size)
        return false;
    lua_pushlstring(r->L, (const char *)r->at, size);
    r->at += size;
    return true;
}

/* A key on top of the stack that no table can have. */
static bool is_no_key(lua_State *L)
{
    lua_Number n;

    if (lua_type(L, -1) != LUA_TNUMBER)
        return lua_isnil(L, -1);
    n = lua_tonumber(L, -1);
    return n != n;
}

static bool take_table(struct reader *r, int depth)
{
    uint32_t length;

    if (depth == CODEC_DEPTH_MAX || !take(r, &length, sizeof(length)))
        return false;
    /* Only advice: # of a sparse table may be any border. All tables together
     * get no more than there can be elements, lest a short message of many
     * such tables takes the receiver's memory. */
    if (length > r->room)
        length = (uint32_t)r->room;
    r->room -= length;
    luaL_checkstack(r->L, 8, "message");
    if (!r->tables) {
        lua_newtable(r->L);
        lua_replace(r->L, r->seen);
    }
    lua_createtable(r->L, (int)length, 0);
    lua_pushvalue(r->L, -1);
    lua_rawseti(r->L, r->seen, ++r->tables);
    while (r->at < r->end && *r->at != TAG_END) {
        if (!take_value(r, depth + 1) || is_no_key(r->L) ||
            !take_value(r, depth + 1))
            return false;
        lua_rawset(r->L, -3);
    }
    return r->at++ < r->end;
}

static bool take_reference(struct reader *r, enum tag tag)
{
    uint32_t i;

    if (!take(r, &i, sizeof(i)))
        return false;
    if (tag == TAG_SEEN)
        return i < r->tables &&
               lua_rawgeti(r->L, r->seen, (lua_Integer)i + 1) == LUA_TTABLE;
    if (i >= r->handle_count)
        return false;
    r->ops->push(r->L, r->handles[i]);
    return true;
}

static bool take_number(struct reader *r, enum tag tag)
{
    lua_Integer i;
    lua_Number n;

    if (tag == TAG_INTEGER) {
        if (!take(r, &i, sizeof(i)))
            return false;
        lua_pushinteger(r->L, i);
    } else {
        if (!take(r, &n, sizeof(n)))
            return false;
        lua_pushnumber(r->L, n);
    }
    return true;
}

/* Push one value. */
static bool take_value(struct reader *r, int depth)
{
    uint8_t tag;

    if (!take(r, &tag, 1))
        return false;
    switch (tag) {
    case TAG_NIL:
        lua_pushnil(r->L);
        return true;
    case TAG_FALSE:
    case TAG_TRUE:
        lua_pushboolean(r->L, tag == TAG_TRUE);
        return true;
    case TAG_INTEGER:
    case TAG_NUMBER:
        return take_number(r, tag);
    case TAG_STRING:
        return take_string(r);
    case TAG_TABLE:
        return take_table(r, depth);
    case TAG_SEEN:
    case TAG_HANDLE:
        return take_reference(r, tag);
    default:
        return false;
    }
}

int codec_decode(lua_State *L, const struct codec_handles *ops,
                 void *const *handles, size_t handle_count, const uint8_t *data,
                 size_t size)
{
    struct reader r = {.L = L,
                       .ops = ops,
                       .handles = handles,
                       .handle_count = handle_count,
                       .at = data,
                       .room = size / ELEMENT_SIZE_MIN,
                       .end = size ? data + size : data};
    int base = lua_gettop(L);
    int count = 0;

    luaL_checkstack(L, 8, "message");
    lua_pushnil(L);
    r.seen = base + 1;
    for (; r.at < r.end; count++) {
        luaL_checkstack(L, 8, "message");
        if (!take_value(&r, 0)) {
            lua_settop(L, base);
            return -1;
        }
    }
    lua_remove(L, r.seen);
    return count;
}
