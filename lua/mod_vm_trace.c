/*
 * What a VM's CPUs did last, of module `vm`. Domain's thread.
 *
 *	v:last_exits(cpu) -> { { time =, reason =, rip =, code =, info1 =,
 *	                         info2 = }, ... }
 */
#include <errno.h>

#include <rayos/clock.h>

#include "lua/mod_vm.h"
#include "vmm/exit_history.h"

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void push_record(lua_State *L, const struct vcpu_exit_record *r)
{
    lua_createtable(L, 0, 6);
    lua_pushnumber(L, (lua_Number)clock_from_tsc(r->tsc) / 1e9);
    lua_setfield(L, -2, "time");
    lua_pushstring(L, exit_reason_name(r->reason));
    lua_setfield(L, -2, "reason");
    set_number(L, "rip", r->rip);
    set_number(L, "code", r->code);
    set_number(L, "info1", r->info1);
    set_number(L, "info2", r->info2);
}

static int method_last_exits(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    lua_Integer cpu = luaL_checkinteger(L, 2);
    struct vcpu_exit_record *records;
    uint32_t n;

    luaL_argcheck(L, cpu >= 0 && cpu < VM_CPUS_MAX, 2, "CPUs count from 0");
    records = lua_newuserdatauv(L, VCPU_HISTORY * sizeof(*records), 0);
    mutex_lock(&vm->lock);
    n = exit_history_get(vm, (uint32_t)cpu, records);
    mutex_unlock(&vm->lock);
    lua_createtable(L, (int)n, 0);
    for (uint32_t i = 0; i < n; i++) {
        push_record(L, &records[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

const struct lua_function vm_trace_methods[] = {
    {"last_exits", method_last_exits, VM_CAPABILITY}, {0}};
