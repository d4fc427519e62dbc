/*
 * Messages: the codec's bytes in the kernel's heap, with references to the
 * domains that are named in them. Thread context; any thread.
 */
#include <string.h>

#include <lauxlib.h>

#include "lua/codec.h"
#include "lua/message.h"

static _Atomic uint64_t message_last_id;

static void *handle_test(lua_State *L, int index)
{
    return domain_test_handle(L, index);
}

static void handle_push(lua_State *L, void *handle)
{
    domain_push_handle(L, handle);
}

static const struct codec_handles handle_ops = {handle_test, handle_push};

static struct message *message_create(enum message_kind kind, size_t size,
                                      size_t handles)
{
    /* The array of handles follows the data, aligned. */
    size_t data = ALIGN_UP(size, sizeof(void *));
    struct message *m = kalloc(sizeof(*m) + data + handles * sizeof(void *));

    if (!m)
        return NULL;
    *m = (struct message){.kind = kind, .size = size};
    m->id = ++message_last_id;
    m->handles = (struct domain **)(void *)(m->data + data);
    list_init(&m->node);
    return m;
}

struct message *message_encode(lua_State *L, int first, int count,
                               const char *what)
{
    struct codec c;
    struct message *m;

    codec_init(&c, &handle_ops, DOMAIN_MESSAGE_MAX);
    if (!codec_encode(L, &c, lua_absindex(L, first), count, what))
        lua_error(L);
    m = message_create(MESSAGE_SEND, c.size, c.handle_count);
    if (!m)
        luaL_error(L, "not enough memory for the message");
    if (c.size) /* else there are no data at all */
        memcpy(m->data, c.data, c.size);
    for (size_t i = 0; i < c.handle_count; i++) {
        domain_get(c.handles[i]);
        m->handles[m->handle_count++] = c.handles[i];
    }
    lua_pop(L, 1);
    return m;
}

int message_decode(lua_State *L, const struct message *m)
{
    int n = codec_decode(L, &handle_ops, (void *const *)m->handles,
                         m->handle_count, m->data, m->size);

    return n >= 0 ? n : luaL_error(L, "the message is damaged");
}

struct message *message_create_down(void)
{
    return message_create(MESSAGE_DOWN, 0, 0);
}

void message_free(struct message *m)
{
    for (size_t i = 0; i < m->handle_count; i++)
        domain_put(m->handles[i]);
    if (m->from)
        domain_put(m->from);
    if (m->port) {
        reply_port_answer(m->port, NULL);
        reply_port_put(m->port);
    }
    kfree(m);
}
