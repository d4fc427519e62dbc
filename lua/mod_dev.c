/*
 * Module `device_tree`: the device tree, as lua/dev.lua uses it. What is read
 * is copied under the tree's lock and made into Lua values after it; what
 * changes the tree runs on a thread of its own, for a probe must not end half
 * way because its caller is killed. Domain's thread.
 */
#include <errno.h>
#include <string.h>

#include <rayos/device.h>
#include <rayos/fmt.h>
#include <rayos/pci.h>
#include <rayos/workq.h>

#include "lua/module.h"

#define CAPABILITY     "dev"
#define ROWS_SPARE     16 /* that may come between counting and copying */
#define PROPERTIES_MAX 96
#define ASSIGN_MAX     512

static const char *const owner_names[] = {
    [DEVICE_OURS] = "ours",
    [DEVICE_GUEST] = "guest",
    [DEVICE_LEFT] = "left",
    [DEVICE_LEFT + 1] = NULL,
};

static const char *const state_names[] = {
    [DEVICE_UNBOUND] = "unbound",
    [DEVICE_BOUND] = "bound",
    [DEVICE_FAILED] = "failed",
};

static void set_text(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* --- listing --- */

struct row {
    char name[DEVICE_NAME_MAX], parent[DEVICE_NAME_MAX];
    char reserved_for[DEVICE_NAME_MAX], why[64];
    const char *bus, *driver; /* constants of the kernel */
    uint32_t id;
    enum device_state state;
    enum device_owner owner;
    int error;
    uint64_t binds;
};

struct rows {
    size_t count, size;
    struct row row[];
};

static int count_row(struct device *d, void *arg)
{
    (void)d;
    ++*(size_t *)arg;
    return 0;
}

static int copy_row(struct device *d, void *arg)
{
    struct rows *rows = arg;
    struct row *r = &rows->row[rows->count];

    if (rows->count == rows->size)
        return 1;
    memcpy(r->name, d->name, sizeof(r->name));
    memset(r->parent, 0, sizeof(r->parent));
    if (d->parent)
        memcpy(r->parent, d->parent->name, sizeof(r->parent));
    memcpy(r->reserved_for, d->reserved_for, sizeof(r->reserved_for));
    memcpy(r->why, d->why, sizeof(r->why));
    r->bus = d->bus->name;
    r->driver = d->driver ? d->driver->name : NULL;
    r->id = d->id;
    r->state = d->state;
    r->owner = d->owner;
    r->error = d->error;
    r->binds = d->binds;
    rows->count++;
    return 0;
}

static void push_row(lua_State *L, const struct row *r)
{
    lua_createtable(L, 0, 10);
    set_text(L, "name", r->name);
    if (r->parent[0])
        set_text(L, "parent", r->parent);
    set_text(L, "bus", r->bus);
    if (r->driver)
        set_text(L, "driver", r->driver);
    set_text(L, "state", state_names[r->state]);
    set_text(L, "owner", owner_names[r->owner]);
    if (r->reserved_for[0])
        set_text(L, "guest", r->reserved_for);
    set_text(L, "why", r->why);
    set_number(L, "id", r->id);
    set_number(L, "binds", r->binds);
    if (r->error)
        set_text(L, "error", strerror(-r->error));
}

/* list() -> rows, parents before their children. */
static int tree_list(lua_State *L)
{
    size_t size = ROWS_SPARE;
    struct rows *rows;

    device_for_each(count_row, &size);
    rows = lua_newuserdatauv(L, sizeof(*rows) + size * sizeof(rows->row[0]), 0);
    rows->count = 0;
    rows->size = size;
    device_for_each(copy_row, rows);
    lua_createtable(L, (int)rows->count, 0);
    for (size_t i = 0; i < rows->count; i++) {
        push_row(L, &rows->row[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* drivers() -> { { name, bus } } */
static int tree_drivers(lua_State *L)
{
    const struct driver *drv;

    lua_newtable(L);
    for (size_t i = 0; (drv = driver_at(i)); i++) {
        lua_createtable(L, 0, 2);
        set_text(L, "name", drv->name);
        set_text(L, "bus", drv->bus->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* --- properties --- */

struct property {
    char name[DEVICE_NAME_MAX];
    char text[160]; /* when it is one */
    uint64_t value;
    enum { IS_NUMBER, IS_HEX, IS_TEXT } kind;
};

struct properties {
    struct device_report report;
    size_t count;
    struct property list[PROPERTIES_MAX];
};

static struct property *property_new(struct device_report *r, const char *name)
{
    struct properties *all = container_of(r, struct properties, report);
    struct property *p;

    if (all->count == PROPERTIES_MAX)
        return NULL;
    p = &all->list[all->count++];
    fmt_snprintf(p->name, sizeof(p->name), "%s", name);
    return p;
}

static void on_number(struct device_report *r, const char *name, uint64_t value,
                      bool hex)
{
    struct property *p = property_new(r, name);

    if (!p)
        return;
    p->value = value;
    p->kind = hex ? IS_HEX : IS_NUMBER;
}

static void on_text(struct device_report *r, const char *name, const char *text)
{
    struct property *p = property_new(r, name);

    if (!p)
        return;
    fmt_snprintf(p->text, sizeof(p->text), "%s", text);
    p->kind = IS_TEXT;
}

static int copy_properties(struct device *d, void *arg)
{
    struct properties *all = arg;

    device_describe(d, &all->report);
    return 0;
}

/* properties(name) -> { { name, value, is_hex } } in the order in which they
 * are told. */
static int tree_properties(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct properties *all = lua_newuserdatauv(L, sizeof(*all), 0);
    int err;

    all->report = (struct device_report){.number = on_number, .text = on_text};
    all->count = 0;
    err = device_with(name, copy_properties, all);
    if (err)
        return module_fail(L, err, name);
    lua_createtable(L, (int)all->count, 0);
    for (size_t i = 0; i < all->count; i++) {
        const struct property *p = &all->list[i];

        lua_createtable(L, 3, 0);
        lua_pushstring(L, p->name);
        lua_rawseti(L, -2, 1);
        if (p->kind == IS_TEXT)
            lua_pushstring(L, p->text);
        else
            lua_pushinteger(L, (lua_Integer)p->value);
        lua_rawseti(L, -2, 2);
        lua_pushboolean(L, p->kind == IS_HEX);
        lua_rawseti(L, -2, 3);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int tree_changes(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)device_changes());
    return 1;
}

/* --- changes --- */

struct change {
    struct work work;
    const char *name, *driver;
    const struct device_assignment *list;
    size_t count;
    size_t bad;
    int result;
};

/* On a thread of its own, waited for whatever happens to the caller. */
static int change_run(struct change *c, void (*fn)(struct work *w))
{
    struct workq *q;
    int err = workq_create("device", PRIO_CONTROL, &q);

    if (err)
        return err;
    work_init(&c->work, fn);
    work_submit(q, &c->work);
    workq_destroy(q);
    return c->result;
}

static int change_answer(lua_State *L, int err, const char *what)
{
    if (err)
        return module_fail(L, err, what);
    lua_pushboolean(L, true);
    return 1;
}

static void run_bind(struct work *w)
{
    struct change *c = container_of(w, struct change, work);

    c->result = device_bind(c->name, c->driver);
}

/* bind(name, driver?) */
static int tree_bind(lua_State *L)
{
    struct change c = {
        .name = luaL_checkstring(L, 1),
        .driver = luaL_optstring(L, 2, NULL),
    };

    return change_answer(L, change_run(&c, run_bind), c.name);
}

static void run_unbind(struct work *w)
{
    struct change *c = container_of(w, struct change, work);

    c->result = device_unbind(c->name);
}

static int tree_unbind(lua_State *L)
{
    struct change c = {.name = luaL_checkstring(L, 1)};

    return change_answer(L, change_run(&c, run_unbind), c.name);
}

static void run_rescan(struct work *w)
{
    struct change *c = container_of(w, struct change, work);

    c->count = pci_rescan();
}

/* rescan() -> how many were found */
static int tree_rescan(lua_State *L)
{
    struct change c = {0};
    int err = change_run(&c, run_rescan);

    if (err)
        return module_fail(L, err, NULL);
    lua_pushinteger(L, (lua_Integer)c.count);
    return 1;
}

static void run_assign(struct work *w)
{
    struct change *c = container_of(w, struct change, work);

    c->result = device_assign_all(c->list, c->count, &c->bad);
}

/* A text of the table on top, which goes on to hold it; NULL. */
static const char *field_text(lua_State *L, const char *name)
{
    const char *text = NULL;

    if (lua_getfield(L, -1, name) == LUA_TSTRING)
        text = lua_tostring(L, -1);
    lua_pop(L, 1);
    return text;
}

static enum device_owner field_owner(lua_State *L)
{
    const char *name = field_text(L, "owner");

    for (int i = 0; owner_names[i]; i++)
        if (name && strcmp(name, owner_names[i]) == 0)
            return (enum device_owner)i;
    luaL_error(L, "owner: one of ours, guest, left");
    return DEVICE_LEFT;
}

/* assign { { name, owner, guest, driver, why }, ... }: all or nothing; or nil,
 * message, code, index of the bad one. */
static int tree_assign(lua_State *L)
{
    struct device_assignment *list;
    struct change c = {0};
    int err;

    luaL_checktype(L, 1, LUA_TTABLE);
    c.count = lua_rawlen(L, 1);
    luaL_argcheck(L, c.count <= ASSIGN_MAX, 1, "too many");
    list = lua_newuserdatauv(L, (c.count + 1) * sizeof(*list), 0);
    for (size_t i = 0; i < c.count; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        list[i] = (struct device_assignment){
            .name = field_text(L, "name"),
            .owner = field_owner(L),
            .reserved_for = field_text(L, "guest"),
            .driver = field_text(L, "driver"),
            .why = field_text(L, "why"),
        };
        luaL_argcheck(L, list[i].name, 1, "a device without a name");
        lua_pop(L, 1);
    }
    c.list = list;
    err = change_run(&c, run_assign);
    if (!err)
        return change_answer(L, 0, NULL);
    module_fail(L, err, c.bad < c.count ? list[c.bad].name : NULL);
    lua_pushinteger(L, (lua_Integer)c.bad + 1);
    return 4;
}

/* --- the policy file --- */

/* status() -> { in_force, loads, failures, error } */
static int tree_status(lua_State *L)
{
    struct device_policy_status s;

    device_policy_get(&s);
    lua_createtable(L, 0, 4);
    lua_pushboolean(L, s.in_force);
    lua_setfield(L, -2, "in_force");
    set_number(L, "loads", s.loads);
    set_number(L, "failures", s.failures);
    if (s.error[0])
        set_text(L, "error", s.error);
    return 1;
}

/* note(error?): what became of loading it */
static int tree_note(lua_State *L)
{
    device_policy_note(luaL_optstring(L, 1, NULL));
    return 0;
}

static const struct lua_function device_tree_functions[] = {
    {"list", tree_list, NULL},
    {"drivers", tree_drivers, NULL},
    {"properties", tree_properties, NULL},
    {"changes", tree_changes, NULL},
    {"bind", tree_bind, CAPABILITY},
    {"unbind", tree_unbind, CAPABILITY},
    {"rescan", tree_rescan, CAPABILITY},
    {"assign", tree_assign, CAPABILITY},
    {"status", tree_status, NULL},
    {"note", tree_note, CAPABILITY},
    {0},
};

LUA_MODULE(device_tree, .functions = device_tree_functions);
