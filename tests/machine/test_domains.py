"""Hostile scripts cost only themselves. Each case runs in a domain of its own
with a small cap and budget; it must end with an error there, while the prompt
and the clock go on."""

import pytest

# name: (Lua source, the kind of end that is expected)
HOSTILE = {
    "endless loop": ("while true do end", "budget"),
    "pcall swallows": (
        "while true do pcall(function() while true do end end) end", "budget"),
    "xpcall handler loops": (
        "while true do xpcall(function() error(1) end, "
        "function() while true do end end) end", "budget"),
    "coroutine swallows": (
        "while true do coroutine.resume(coroutine.create(function() "
        "while true do end end)) end", "budget"),
    "coroutine bomb": (
        "local t = {} while true do t[#t+1] = coroutine.create(print) "
        "coroutine.resume(t[#t]) end", "memory"),
    "coroutine nest": (
        "local function f() return coroutine.wrap(f)() end f()", "error"),
    "string.rep of memory": ("return ('x'):rep(1 << 40)", "memory|error"),
    "string.rep of nothing": ("return (''):rep(1 << 60) .. nil", "error"),
    "pattern bomb": (
        "return (('a'):rep(90)):find(('.-'):rep(90) .. 'b')", "budget"),
    "gsub bomb": (
        "local s = ('a'):rep(200000) return s:gsub('.-b', '')", "budget"),
    "table.move for ever": (
        "table.move({}, 1, 1 << 60, 1, {})", "budget"),
    "table.concat for ever": (
        "table.concat(setmetatable({}, {__index = rawlen}), '', 1, 1 << 60)",
        "memory|budget"),
    "table.insert with a long len": (
        "table.insert(setmetatable({}, {__len = function() return 1 << 60 "
        "end}), 1, 1)", "budget"),
    "sort with a C comparator": (
        "table.sort(setmetatable({}, {__len = function() return (1 << 31) - 3 "
        "end}), rawequal)", "budget|error"),
    "lpeg bomb": (
        "local l = require 'lpeg' local p = l.P(true) for _ = 1, 40 do "
        "p = (l.P'a' + l.P'a' * l.P'a')^0 * p * l.P(true) end "
        "return ((l.P'a'^1 * l.P'b' + 1)^0 * -1):match(('a'):rep(1e6))",
        "budget"),
    "deep recursion in Lua": ("local function f() return 1 + f() end f()",
                              "error|memory"),
    "deep recursion in C": (
        "local s = 'x' local function f() return s:gsub('.', f) end f()",
        "error"),
    "deep parser": ("return load(('('):rep(1e5) .. '1')() ", "error"),
    "memory hog": ("local t = {} while true do t[#t+1] = {1,2,3} end", "memory"),
    "string hog": ("local s = 'x' while true do s = s .. s end", "memory"),
    "gc that never ends": (
        "setmetatable({}, {__gc = function() while true do end end}) "
        "collectgarbage() while true do end", "budget"),
    "gc at close": (
        "x = setmetatable({}, {__gc = function() while true do end end}) "
        "error('end')", "error"),
    "gc allocates at close": (
        "x = setmetatable({}, {__gc = function() local t = {} "
        "while true do t[#t+1] = ('x'):rep(1000) .. #t end end}) error('end')",
        "error"),
    "gc errors at close": (
        "x = setmetatable({}, {__gc = function() error({}) end}) error('end')",
        "error"),
    "error object is a table": ("error({code = 7})", "error"),
    "error object is nil": ("error(nil)", "error"),
    "error object has a hostile tostring": (
        "error(setmetatable({}, {__tostring = function() while true do end "
        "end}))", "error|budget"),
    "closing at the cap": (
        "local t = {} pcall(function() while true do t[#t+1] = {} end end) "
        "keep = t error('full')", "error|memory"),
    "close variables loop": (
        "local x <close> = setmetatable({}, {__close = function() "
        "while true do end end}) while true do end", "budget"),
    "hook defeated": (
        "while true do debug.sethook(function() end, 'c', 1) end", "budget"),
    "exit": ("os.exit(3)", "exit"),
    "bytecode": ("return assert(load('\\27Lua'))", "error"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_this_hostile_script_costs_only_itself(shared, case):
    source, kinds = HOSTILE[case]
    kind, uptime_before, uptime_after = shared.eval(f"""
      local before = sys.uptime()
      local d = assert(domain.spawn {{ name = "hostile", memory = 8 << 20,
        budget = 1.0, caps = {{}}, source = [==[{source}]==] }})
      local reason = assert(d:wait(40))
      return reason.kind, before, sys.uptime()""", 90)
    assert kind in kinds.split("|")
    assert uptime_after > uptime_before


def test_no_memory_is_lost_over_a_hundred_deaths(shared):
    shared.expect_no_leak("""
      for _ = 1, 50 do
        local d = assert(domain.spawn { name = "brief", memory = 4 << 20,
          budget = 1.0, caps = {}, source = "local t = {} for i = 1, 1000 do "
            .. "t[i] = {i} end error 'done'" })
        d:wait(20)
      end""", lost=50 * 4096)


def test_a_supervisor_restarts_what_dies_and_keeps_the_reason(shared):
    assert shared.eval("""
      local d = assert(domain.spawn { name = "boss", caps = {"*"}, source = [[
        local supervisor = require "supervisor"
        supervisor.new { children = { { name = "weak",
          source = "local f = io.open('/tmp/lives', 'a') f:write('x') "
            .. "f:close() error 'weak'", restart = "always" } },
          backoff = { min = 0.05, max = 0.2, factor = 2, reset = 60 } }:run()
      ]] })
      sys.sleep(2)
      local lives = #fs.read("/tmp/lives")
      d:kill("test over")
      return lives >= 3""") == [True]
