/* The table that vm.define takes. Domain's thread. */
#include <string.h>

#include <rayos/mac.h>

#include "lua/mod_vm.h"
#include "vmm/devices/guest_ports.h"

#define MEMORY_MIB (UINT64_C(1) << 20)

/* Of the table on top of the stack; `what` names it in errors. */
static void take_text(lua_State *L, const char *what, const char *key,
                      char *out, size_t size)
{
    size_t n = 0;
    const char *text = "";

    if (lua_getfield(L, -1, key) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "vm.define: %s%s must be a string", what, key);
        text = lua_tolstring(L, -1, &n);
    }
    if (n >= size || strlen(text) != n)
        luaL_error(L, "vm.define: %s%s has more than %d bytes, or a NUL", what,
                   key, (int)size - 1);
    memcpy(out, text, n + 1);
    lua_pop(L, 1);
}

static uint32_t take_number(lua_State *L, const char *what, const char *key,
                            uint32_t fallback)
{
    int is_integer;
    lua_Integer n = fallback;

    if (lua_getfield(L, -1, key) != LUA_TNIL) {
        n = lua_tointegerx(L, -1, &is_integer);
        if (!is_integer || n < 0 || n > UINT32_MAX)
            luaL_error(L, "vm.define: %s%s must be a whole number of 32 bits",
                       what, key);
    }
    lua_pop(L, 1);
    return (uint32_t)n;
}

static bool take_flag(lua_State *L, const char *what, const char *key,
                      bool fallback)
{
    int type = lua_getfield(L, -1, key);
    bool on = type == LUA_TNIL ? fallback : lua_toboolean(L, -1);

    if (type != LUA_TNIL && type != LUA_TBOOLEAN)
        luaL_error(L, "vm.define: %s%s must be true or false", what, key);
    lua_pop(L, 1);
    return on;
}

/* For each element of the list `key`, a table on top of the stack: `take`. */
static uint32_t take_list(lua_State *L, const char *key, uint32_t most,
                          void (*take)(lua_State *L, struct vm_config *c,
                                       uint32_t i),
                          struct vm_config *c)
{
    uint32_t count = 0;

    if (lua_getfield(L, -1, key) != LUA_TNIL) {
        luaL_checktype(L, -1, LUA_TTABLE);
        while (lua_geti(L, -1, count + 1) != LUA_TNIL) {
            if (!lua_istable(L, -1))
                luaL_error(L, "vm.define: %s[%d] must be a table", key,
                           (int)count + 1);
            if (count == most)
                luaL_error(L, "vm.define: %s has more than %d elements", key,
                           (int)most);
            take(L, c, count++);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return count;
}

static void take_cpuid(lua_State *L, struct vm_config *c, uint32_t i)
{
    struct vm_cpuid *l = &c->cpuid[i];
    const char *what = "cpuid: ";

    l->leaf = take_number(L, what, "leaf", 0);
    l->subleaf = take_number(L, what, "subleaf", 0);
    l->eax = take_number(L, what, "eax", 0);
    l->ebx = take_number(L, what, "ebx", 0);
    l->ecx = take_number(L, what, "ecx", 0);
    l->edx = take_number(L, what, "edx", 0);
}

static void take_disk(lua_State *L, struct vm_config *c, uint32_t i)
{
    struct vm_disk *d = &c->disks[i];
    const char *what = "disks: ";

    take_text(L, what, "source", d->source, sizeof(d->source));
    take_text(L, what, "serial", d->serial, sizeof(d->serial));
    d->read_only = take_flag(L, what, "read_only", false);
    if (!d->source[0])
        luaL_error(L,
                   "vm.define: disks[%d] has no source: a block device's "
                   "name or a file's path",
                   (int)i + 1);
}

/* Of element i of `nets`, if it has one. */
static void take_mac(lua_State *L, struct vm_net *n, uint32_t i)
{
    char text[24];
    const char *wrong;
    unsigned at;

    if (lua_getfield(L, -1, "mac") != LUA_TNIL) {
        lua_pop(L, 1);
        take_text(L, "nets: ", "mac", text, sizeof(text));
        wrong = mac_parse(text, n->mac, &at);
        if (wrong)
            luaL_error(L,
                       "vm.define: nets[%d]: mac '%s': byte %d %s; it must be "
                       "of the form 52:00:00:00:00:01",
                       (int)i + 1, text, (int)at, wrong);
        return;
    }
    lua_pop(L, 1);
}

static void take_net(lua_State *L, struct vm_config *c, uint32_t i)
{
    struct vm_net *n = &c->nets[i];
    const char *what = "nets: ";

    take_text(L, what, "network", n->network, sizeof(n->network));
    if (!n->network[0])
        luaL_error(L,
                   "vm.define: nets[%d] has no network: the name of a "
                   "switch, which is made if it is not there",
                   (int)i + 1);
    take_mac(L, n, i);
    n->spoof = take_flag(L, what, "spoof", false);
}

/* The agent's port comes first, unless there shall be none; more by name. */
static void take_ports(lua_State *L, struct vm_config *c)
{
    const char *what = "";

    c->has_console = take_flag(L, what, "console", true);
    if (take_flag(L, what, "agent", c->has_console))
        strcpy(c->ports[c->port_count++], GUEST_AGENT);
    if (lua_getfield(L, -1, "ports") != LUA_TNIL) {
        luaL_checktype(L, -1, LUA_TTABLE);
        for (lua_Integer i = 1; lua_geti(L, -1, i) != LUA_TNIL; i++) {
            size_t n;
            const char *name = lua_tolstring(L, -1, &n);

            if (c->port_count == VM_PORTS_MAX)
                luaL_error(L, "vm.define: there are more than %d ports",
                           VM_PORTS_MAX);
            if (!name || n >= sizeof(c->ports[0]) || strlen(name) != n)
                luaL_error(L,
                           "vm.define: ports[%d] must be a name, 47 bytes "
                           "at most",
                           (int)i);
            memcpy(c->ports[c->port_count++], name, n + 1);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void take_apic(lua_State *L, struct vm_config *c)
{
    char text[16];

    take_text(L, "", "apic", text, sizeof(text));
    if (strcmp(text, "hardware") == 0)
        c->apic = VM_APIC_HARDWARE;
    else if (strcmp(text, "software") == 0)
        c->apic = VM_APIC_SOFTWARE;
    else if (text[0])
        luaL_error(L,
                   "vm.define: apic is '%s': it may be hardware, software, "
                   "or nothing, which takes the better one",
                   text);
    if (c->apic == VM_APIC_HARDWARE && !vmm_host()->virtual_interrupts)
        luaL_error(L, "vm.define: apic is 'hardware', and this CPU does not "
                      "run guests' local APICs: vm.host().virtual_interrupts");
}

void vm_take_config(lua_State *L, struct vm_config *c)
{
    const char *what = "";

    memset(c, 0, sizeof(*c));
    lua_pushvalue(L, 1);
    take_text(L, what, "name", c->name, sizeof(c->name));
    take_text(L, what, "kernel", c->kernel, sizeof(c->kernel));
    take_text(L, what, "initrd", c->initrd, sizeof(c->initrd));
    take_text(L, what, "cmdline", c->cmdline, sizeof(c->cmdline));
    take_text(L, what, "loader", c->loader, sizeof(c->loader));
    c->cpus = take_number(L, what, "cpus", 1);
    c->memory = take_number(L, what, "memory", 64) * MEMORY_MIB;
    c->has_rng = take_flag(L, what, "rng", false);
    take_apic(L, c);
    c->cpuid_count = take_list(L, "cpuid", VM_CPUID_EDITS, take_cpuid, c);
    c->disk_count = take_list(L, "disks", VM_DISKS_MAX, take_disk, c);
    c->net_count = take_list(L, "nets", VM_NETS_MAX, take_net, c);
    take_ports(L, c);
    lua_pop(L, 1);
    vm_take_display(L, c);
}
