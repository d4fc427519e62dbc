/* Listings of module `sys`: memory, CPUs, threads, interrupts, units. Domain's
 * thread. */
#include <string.h>

#include <rayos/irq.h>
#include <rayos/unit.h>

#include "lua/mod_sys.h"

#define THREADS_MAX 1024

int sys_memory(lua_State *L)
{
    struct frame_stats st;

    frame_get_stats(&st);
    lua_createtable(L, 0, 4);
    sys_set_integer(L, "total", st.total * PAGE_SIZE);
    sys_set_integer(L, "free", st.free * PAGE_SIZE);
    sys_set_integer(L, "used", (st.total - st.free) * PAGE_SIZE);
    lua_createtable(L, FRAME_MAX_ORDER + 1, 0);
    for (int i = 0; i <= FRAME_MAX_ORDER; i++) {
        lua_pushinteger(L, (lua_Integer)st.free_blocks[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "blocks");
    return 1;
}

int sys_cpus(lua_State *L)
{
    uint32_t count = cpu_count();

    lua_createtable(L, (int)count, 0);
    for (uint32_t id = 0; id < count; id++) {
        const struct cpu *cpu = cpu_get(id);

        lua_createtable(L, 0, 4);
        sys_set_integer(L, "id", id);
        sys_set_integer(L, "apic_id", cpu->apic_id);
        sys_set_integer(L, "interrupts", cpu->irq_count);
        sys_set_seconds(L, "idle", sched_idle_time(id));
        lua_rawseti(L, -2, (lua_Integer)id + 1);
    }
    return 1;
}

struct thread_row {
    char name[THREAD_NAME_MAX];
    uint32_t id;
    enum thread_state state;
    uint8_t priority;
    nstime_t cpu_time;
    uint64_t switches;
};

struct thread_rows {
    size_t count, size;
    struct thread_row *rows;
};

/* Under the list lock: copies only. */
static void copy_thread(struct thread *t, void *arg)
{
    struct thread_rows *r = arg;
    struct thread_row *row = &r->rows[r->count];

    if (r->count == r->size)
        return;
    memcpy(row->name, t->name, sizeof(row->name));
    row->name[sizeof(row->name) - 1] = '\0';
    row->id = t->id;
    row->state = t->state;
    row->priority = t->priority;
    row->cpu_time = thread_cpu_time(t);
    row->switches = t->switches;
    r->count++;
}

int sys_threads(lua_State *L)
{
    struct thread_rows r = {.size = THREADS_MAX};

    r.rows = lua_newuserdatauv(L, r.size * sizeof(*r.rows), 0);
    thread_for_each(copy_thread, &r);
    lua_createtable(L, (int)r.count, 0);
    for (size_t i = 0; i < r.count; i++) {
        const struct thread_row *row = &r.rows[i];

        lua_createtable(L, 0, 6);
        sys_set_integer(L, "id", row->id);
        sys_set_string(L, "name", row->name);
        sys_set_string(L, "state", thread_state_name(row->state));
        sys_set_integer(L, "priority", row->priority);
        sys_set_seconds(L, "cpu", row->cpu_time);
        sys_set_integer(L, "switches", row->switches);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int sys_interrupts(lua_State *L)
{
    struct irq_info info;
    lua_Integer n = 0;

    lua_newtable(L);
    for (int vector = 0; vector < 256; vector++) {
        if (!irq_get_info(vector, &info))
            continue;
        lua_createtable(L, 0, 4);
        sys_set_integer(L, "vector", (uint64_t)info.vector);
        sys_set_string(L, "name", info.name);
        sys_set_integer(L, "count", info.count);
        if (info.gsi >= 0)
            sys_set_integer(L, "gsi", (uint64_t)info.gsi);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

int sys_units(lua_State *L)
{
    static const char *const states[] = {
        [UNIT_IDLE] = "idle",
        [UNIT_STARTED] = "started",
        [UNIT_ABSENT] = "absent",
        [UNIT_FAILED] = "failed",
    };
    const struct unit *u;

    lua_newtable(L);
    for (size_t i = 0; (u = unit_at(i)); i++) {
        lua_createtable(L, 0, 4);
        sys_set_string(L, "name", u->name);
        sys_set_string(L, "state", states[*u->state]);
        sys_set_string(L, "after", u->after ? u->after : "");
        sys_set_seconds(L, "duration", unit_start_duration(i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}
