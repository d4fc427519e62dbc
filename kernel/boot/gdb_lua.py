"""Commands for gdb that know Lua, loaded by `ninja gdb`.

    domains              list the Lua domains
    lua-bt NAME-OR-ID    the Lua traceback of a domain, coroutines included
"""

import gdb

# Variants of function values (Lua 5.4, lobject.h): type 6 with variant bits.
TYPE_MASK = 0x3F
LUA_CLOSURE, LIGHT_C, C_CLOSURE = 0x06, 0x16, 0x26
ABS_LINE = -0x80  # ldebug.h: ABSLINEINFO


def domains():
    """All records in the list of lua/domain.c."""
    head = gdb.parse_and_eval("&domains")
    kind = gdb.lookup_type("struct domain").pointer()
    offset = int(gdb.parse_and_eval("(long)&((struct domain *)0)->node"))
    node = head["next"]
    while node != head:
        address = int(node) - offset
        yield gdb.Value(address).cast(kind)
        node = node["next"]


def cast(value, name):
    return value.cast(gdb.lookup_type(name).pointer())


def current_line(proto, pc):
    """As luaG_getfuncline: absolute lines now and then, differences between."""
    if not int(proto["lineinfo"]):
        return "?"
    line, base = int(proto["linedefined"]), -1
    for i in range(int(proto["sizeabslineinfo"])):
        entry = proto["abslineinfo"][i]
        if int(entry["pc"]) > pc:
            break
        line, base = int(entry["line"]), int(entry["pc"])
    for i in range(base + 1, pc + 1):
        step = int(proto["lineinfo"][i].cast(gdb.lookup_type("signed char")))
        if step != ABS_LINE:
            line += step
    return line



def describe_call(call):
    """One line about a CallInfo. The innermost function's place is the last
    that the interpreter wrote down: at a call, an error or a hook."""
    value = call["func"]["val"]
    kind = int(value["tt_"]) & TYPE_MASK
    if kind == LUA_CLOSURE:
        proto = cast(value["value_"]["gc"], "LClosure")["p"]
        pc = int(call["u"]["l"]["savedpc"] - proto["code"]) - 1
        source = "?"
        if int(proto["source"]):
            source = proto["source"]["contents"].address.cast(
                gdb.lookup_type("char").pointer()).string("utf-8", "replace")
        return f"{source.lstrip('@=')}:{current_line(proto, pc)}"
    if kind == LIGHT_C:
        return f"[C] {value['value_']['f']}"
    if kind == C_CLOSURE:
        return f"[C] {cast(value['value_']['gc'], 'CClosure')['f']}"
    return "?"


class Domains(gdb.Command):
    """List the Lua domains."""

    def __init__(self):
        super().__init__("domains", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for d in domains():
            print(f"{int(d['id']):4} {d['name'].string():24} "
                  f"{d['state']} pending {int(d['pending']):#x}")


class LuaBacktrace(gdb.Command):
    """lua-bt NAME-OR-ID: the Lua traceback of a domain."""

    def __init__(self):
        super().__init__("lua-bt", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for d in domains():
            if argument in (d["name"].string(), str(int(d["id"]))):
                self.show(d)
                return
        raise gdb.GdbError(f"there is no domain {argument!r}; try: domains")

    def show(self, domain):
        state = cast(domain["track"]["running"], "lua_State")
        extra = gdb.lookup_type("struct luser_extra")
        while int(state):
            print(f"coroutine {state}:")
            call, base = state["ci"], state["base_ci"].address
            while int(call) and call != base:
                print("  " + describe_call(call))
                call = call["previous"]
            before = gdb.Value(int(state) - extra.sizeof).cast(extra.pointer())
            state = cast(before["from"], "lua_State")


Domains()
LuaBacktrace()
