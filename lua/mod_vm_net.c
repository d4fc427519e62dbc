/* vm.networks(): the switches that connect guests. Domain's thread. */
#include <rayos/switch.h>

#include "lua/mod_vm.h"

static void set_count(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

int vm_networks(lua_State *L)
{
    struct switch_info info;

    lua_newtable(L);
    for (size_t i = 0; switch_port_at(i, &info); i++) {
        const struct switch_counters *c = &info.counters;

        lua_newtable(L);
        lua_pushstring(L, info.name);
        lua_setfield(L, -2, "network");
        lua_pushstring(L, info.port);
        lua_setfield(L, -2, "port");
        set_count(L, "sent", c->sent);
        set_count(L, "sent_bytes", c->sent_bytes);
        set_count(L, "received", c->received);
        set_count(L, "received_bytes", c->received_bytes);
        set_count(L, "dropped", c->dropped);
        set_count(L, "refused", c->refused);
        set_count(L, "spoofed", c->spoofed);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}
