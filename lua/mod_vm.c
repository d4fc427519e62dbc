/* Module `vm_core`: virtual machines, under lua/vm.lua. Domain's thread. */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/fmt.h>
#include <rayos/mm.h>

#include "lua/mod_vm.h"
#include "vmm/crash.h"

#define VM_CLASS    "vm"
#define OUTPUT_PART 1024

struct vm *vm_check(lua_State *L, int index)
{
    struct vm **box = luaL_checkudata(L, index, VM_CLASS);

    luaL_argcheck(L, *box, index, "the handle is closed");
    return *box;
}

static struct vm **new_handle(lua_State *L)
{
    struct vm **box = lua_newuserdatauv(L, sizeof(*box), 0);

    *box = NULL;
    luaL_setmetatable(L, VM_CLASS);
    return box;
}

static int answer(lua_State *L, int err, const char *what)
{
    if (err)
        return module_fail(L, err, what && what[0] ? what : NULL);
    lua_pushboolean(L, true);
    return 1;
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

/* --- host --- */

static int vm_lua_host(lua_State *L)
{
    const struct vmm_host *h = vmm_host();

    lua_newtable(L);
    if (h->vendor)
        lua_pushstring(L, h->vendor);
    else
        lua_pushboolean(L, false);
    lua_setfield(L, -2, "vendor");
    if (!h->vendor) {
        lua_pushstring(L, h->reason);
        lua_setfield(L, -2, "reason");
        return 1;
    }
    set_flag(L, "nested_paging", h->nested_paging);
    set_flag(L, "next_rip", h->next_rip);
    set_flag(L, "decode_assists", h->decode_assists);
    set_flag(L, "flush_by_asid", h->flush_by_asid);
    set_flag(L, "tsc_scaling", h->tsc_scaling);
    set_flag(L, "apic_registers", h->apic_registers);
    set_flag(L, "virtual_interrupts", h->virtual_interrupts);
    set_flag(L, "virtual_x2apic", h->virtual_x2apic);
    set_flag(L, "virtual_interrupts_erratum", h->virtual_interrupts_erratum);
    set_flag(L, "tpr_shadow", h->tpr_shadow);
    set_flag(L, "preemption_timer", h->preemption_timer);
    set_flag(L, "unrestricted", h->unrestricted);
    set_number(L, "asids", h->asids);
    return 1;
}

/* --- define --- */

static int vm_lua_define(lua_State *L)
{
    struct vm_config *c;
    char error[VM_ERROR_MAX] = "";
    struct vm **box;
    int err;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    c = lua_newuserdatauv(L, sizeof(*c), 0);
    vm_take_config(L, c);
    box = new_handle(L);
    err = vm_define(c, box, error, sizeof(error));
    return err ? module_fail(L, err, error[0] ? error : NULL) : 1;
}

static int vm_lua_get(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct vm **box = new_handle(L);

    *box = vm_find(name);
    return *box ? 1 : module_fail(L, -ENOENT, name);
}

static int vm_lua_list(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0;; i++) {
        struct vm **box;

        domain_check(L);
        box = new_handle(L);
        *box = vm_at(i);
        if (!*box)
            break;
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pop(L, 1);
    return 1;
}

/* --- life cycle --- */

static int method_start(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);

    return answer(L, vm_start(vm), vm->error);
}

/* What waits for vCPUs may be cancelled, and is tried again. */
static int do_until_done(lua_State *L, int (*what)(struct vm *vm))
{
    struct vm *vm = vm_check(L, 1);
    int err;

    do
        err = what(vm);
    while (domain_wait_again(L, err));
    return answer(L, err, err == -EBUSY ? vm_state_name(vm->state) : NULL);
}

static int method_pause(lua_State *L)
{
    return do_until_done(L, vm_pause);
}

static int method_resume(lua_State *L)
{
    return do_until_done(L, vm_resume);
}

static int method_reset(lua_State *L)
{
    return do_until_done(L, vm_reset);
}

static int method_nmi(lua_State *L)
{
    return do_until_done(L, vm_nmi);
}

static int method_kill(lua_State *L)
{
    return do_until_done(L, vm_kill);
}

static int method_destroy(lua_State *L)
{
    return do_until_done(L, vm_destroy);
}

/* wait(state, seconds): true, or nil and why. */
static int method_wait(lua_State *L)
{
    static const char *const names[] = {
        "defined", "starting", "running", "paused", "stopped", "crashed", NULL};
    struct vm *vm = vm_check(L, 1);
    enum vm_state state = (enum vm_state)luaL_checkoption(L, 2, NULL, names);
    nstime_t deadline = module_deadline(L, 3);
    int err;

    do
        err = vm_wait(vm, state, deadline);
    while (domain_wait_again(L, err));
    return answer(L, err, err ? vm_state_name(vm->state) : NULL);
}

/* --- what it is about --- */

static int method_name(lua_State *L)
{
    lua_pushstring(L, vm_check(L, 1)->config.name);
    return 1;
}

/* state() -> name, why */
static int method_state(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    char why[VM_ERROR_MAX];

    mutex_lock(&vm->lock);
    memcpy(why, vm->error, sizeof(why));
    mutex_unlock(&vm->lock);
    lua_pushstring(L, vm_state_name(vm->state));
    if (!why[0])
        return 1;
    lua_pushstring(L, why);
    return 2;
}

/* disks(): what they are made of, in their order. */
static int method_disks(lua_State *L)
{
    const struct vm_config *c = &vm_check(L, 1)->config;

    lua_createtable(L, (int)c->disk_count, 0);
    for (uint32_t i = 0; i < c->disk_count; i++) {
        lua_createtable(L, 0, 2);
        lua_pushstring(L, c->disks[i].source);
        lua_setfield(L, -2, "source");
        lua_pushboolean(L, c->disks[i].read_only);
        lua_setfield(L, -2, "read_only");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int method_exit_code(lua_State *L)
{
    lua_pushinteger(L, vm_check(L, 1)->exit_code);
    return 1;
}

static int method_output(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    uint64_t from = 0;
    luaL_Buffer b;
    size_t n;

    luaL_buffinit(L, &b);
    do {
        n = vm_output_read(vm, &from, luaL_prepbuffsize(&b, OUTPUT_PART),
                           OUTPUT_PART);
        luaL_addsize(&b, n);
    } while (n);
    luaL_pushresult(&b);
    return 1;
}

struct counters {
    uint64_t exits[EXIT_REASONS];
    uint64_t delivered, retried, failed, guest_ticks, memory, tables;
};

static void counters_take(struct vm *vm, struct counters *c)
{
    mutex_lock(&vm->lock);
    memcpy(c->exits, vm->exits_before, sizeof(c->exits));
    c->delivered = vm->delivered_before;
    c->retried = vm->retried_before;
    c->failed = vm->failed_before;
    c->guest_ticks = vm->ticks_before;
    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        const struct vcpu *v = vm->vcpus[i];

        for (unsigned r = 0; r < EXIT_REASONS; r++)
            c->exits[r] += v->exits[r];
        c->delivered += v->retry.delivered;
        c->retried += v->retry.retried;
        c->failed += v->retry.failed;
        c->guest_ticks += v->guest_ticks;
    }
    c->memory = vm->memory ? guest_memory_size(vm->memory) : 0;
    c->tables = vm->memory ? guest_memory_table_frames(vm->memory) : 0;
    mutex_unlock(&vm->lock);
}

static int method_stats(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    struct counters *c = lua_newuserdatauv(L, sizeof(*c), 0);

    memset(c, 0, sizeof(*c));
    counters_take(vm, c);
    lua_newtable(L);
    lua_newtable(L);
    for (unsigned r = 0; r < EXIT_REASONS; r++)
        if (c->exits[r])
            set_number(L, exit_reason_name(r), c->exits[r]);
    lua_setfield(L, -2, "exits");
    set_number(L, "boots", vm->boots);
    set_number(L, "injected", c->delivered);
    set_number(L, "inject_retries", c->retried);
    set_number(L, "inject_failures", c->failed);
    set_number(L, "unknown_msrs", vm->unknown_msrs);
    set_number(L, "unknown_ports", vm->unknown_ports);
    set_number(L, "memory", c->memory);
    set_number(L, "table_frames", c->tables);
    lua_pushnumber(L, (lua_Number)c->guest_ticks / (lua_Number)clock_tsc_hz());
    lua_setfield(L, -2, "guest_seconds");
    return 1;
}

static void set_registers(lua_State *L, const struct vcpu_registers *r,
                          const struct vcpu_state *s)
{
    static const char *const names[GPR_COUNT] = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

    lua_newtable(L);
    for (unsigned i = 0; i < GPR_COUNT; i++)
        set_number(L, names[i], r->gpr[i]);
    set_number(L, "rip", r->rip);
    set_number(L, "rflags", r->rflags);
    set_number(L, "cr0", s->cr0);
    set_number(L, "cr2", s->cr2);
    set_number(L, "cr3", s->cr3);
    set_number(L, "cr4", s->cr4);
    set_number(L, "efer", s->efer);
    set_number(L, "cs", s->segment[SEGMENT_CS].selector);
    set_number(L, "ss", s->segment[SEGMENT_SS].selector);
}

/* regs(cpu): of a VM that is paused. */
static int method_regs(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    lua_Integer i = luaL_optinteger(L, 2, 0);
    struct vcpu_registers regs;
    struct vcpu_state state;
    int err = 0;

    mutex_lock(&vm->lock);
    if (vm->state != VM_PAUSED) {
        err = -EBUSY;
    } else if (i < 0 || i >= (lua_Integer)vm->vcpu_count) {
        err = -EINVAL;
    } else {
        regs = vm->vcpus[i]->regs;
        vmm_backend()->get_state(vm->vcpus[i], &state);
    }
    mutex_unlock(&vm->lock);
    if (err)
        return module_fail(L, err, "pause it first; CPUs count from 0");
    set_registers(L, &regs, &state);
    return 1;
}

/* Text of the last crash, or of a VM that is paused. */
static int method_dump(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    char *copy = lua_newuserdatauv(L, CRASH_TEXT_MAX, 0), *text = NULL;

    copy[0] = '\0';
    mutex_lock(&vm->lock);
    if (vm->state == VM_PAUSED)
        text = crash_describe(vm->vcpus[0], "paused");
    if (text || vm->dump)
        fmt_snprintf(copy, CRASH_TEXT_MAX, "%s", text ? text : vm->dump);
    mutex_unlock(&vm->lock);
    kfree(text);
    if (!copy[0])
        return module_fail(L, -EBUSY, "it is neither crashed nor paused");
    lua_pushstring(L, copy);
    return 1;
}

static int handle_gc(lua_State *L)
{
    struct vm **box = luaL_checkudata(L, 1, VM_CLASS);
    struct vm *vm = *box;

    *box = NULL;
    if (vm)
        vm_put(vm);
    return 0;
}

static int handle_tostring(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    char text[VM_NAME_MAX + 32];

    fmt_snprintf(text, sizeof(text), "vm \"%s\" (%s)", vm->config.name,
                 vm_state_name(vm->state));
    lua_pushstring(L, text);
    return 1;
}

static int handle_eq(lua_State *L)
{
    struct vm **a = luaL_testudata(L, 1, VM_CLASS);
    struct vm **b = luaL_testudata(L, 2, VM_CLASS);

    lua_pushboolean(L, a && b && *a && *a == *b);
    return 1;
}

static const struct lua_function methods[] = {
    {"start", method_start, VM_CAPABILITY},
    {"pause", method_pause, VM_CAPABILITY},
    {"resume", method_resume, VM_CAPABILITY},
    {"reset", method_reset, VM_CAPABILITY},
    {"nmi", method_nmi, VM_CAPABILITY},
    {"kill", method_kill, VM_CAPABILITY},
    {"destroy", method_destroy, VM_CAPABILITY},
    {"wait", method_wait, NULL},
    {"name", method_name, NULL},
    {"state", method_state, NULL},
    {"exit_code", method_exit_code, NULL},
    {"disks", method_disks, NULL},
    {"output", method_output, NULL},
    {"stats", method_stats, NULL},
    {"regs", method_regs, VM_CAPABILITY},
    {"dump", method_dump, VM_CAPABILITY},
    {0}};

static const luaL_Reg meta[] = {{"__gc", handle_gc},
                                {"__close", handle_gc},
                                {"__tostring", handle_tostring},
                                {"__eq", handle_eq},
                                {NULL, NULL}};

static void extend(lua_State *L)
{
    module_new_class(L, VM_CLASS, methods, meta);
    lua_getfield(L, -1, "__index");
    module_set_functions(L, vm_display_methods);
    module_set_functions(L, vm_console_methods);
    module_set_functions(L, vm_trace_methods);
    lua_setfield(L, -3, "methods"); /* lua/vm.lua adds some */
    lua_pop(L, 1);
}

static const struct lua_function functions[] = {
    {"host", vm_lua_host, NULL},
    {"define", vm_lua_define, VM_CAPABILITY},
    {"get", vm_lua_get, VM_CAPABILITY},
    {"list", vm_lua_list, VM_CAPABILITY},
    {"networks", vm_networks, VM_CAPABILITY},
    {0}};

LUA_MODULE(vm_core, .functions = functions, .extend = extend);
