-- The rules of policies/reflexes.lua, as far as they can be met inside one
-- machine: the power button, a line that storms and a guest that hangs are
-- tests/machine's.

local core = require "display_core"
local domain = require "domain"
local event = require "event"
local reflex = require "reflex"
local sys = require "sys"
local tap = require "tap"
local same, contains = tap.same, tap.contains

local POLICY = "/boot/policies/reflexes.lua"
local F12, GRAVE = 88, 41

local tests = {}
local function test(name, f)
  tests[#tests + 1] = { name, f }
end

local function rule_of(name)
  for _, r in ipairs(reflex.rules()) do
    if r.name == name then
      return r
    end
  end
end

-- A person's keys, by a rule: down and up.
event.define "press"
local function press(code)
  assert(reflex.rule { name = "press", on = "press",
    act = ("key(%d, 1); key(%d, 0)"):format(code, code) })
  event.raise "press"
  assert(reflex.remove "press")
end

test("they are all there, and what was set before stays", function()
  assert(reflex.replace { { name = "toggle", on = "press",
    act = "counter.mine += 1" } })
  dofile(POLICY)
  for _, name in ipairs { "power button", "take back", "interrupt storm",
    "guest hangs", "hanging domain" } do
    assert(rule_of(name), name)
  end
  contains(reflex.explain "toggle", "mine")
  assert(reflex.remove "toggle")
  dofile(POLICY)
  contains(reflex.explain "toggle", "toggle_presented")
end)

test("each goes into a file and comes back the same", function()
  local before = {}
  for _, r in ipairs(reflex.rules()) do
    before[r.name] = reflex.explain(r.name)
  end
  assert(reflex.export "/tmp/default.lua")
  assert(reflex.replace {})
  assert(reflex.import "/tmp/default.lua")
  for name, text in pairs(before) do
    same(reflex.explain(name), text)
  end
end)

local function shown(name)
  return core.find(name):info().shown
end

test("the key left of 1 hides what is presented and shows it, F12 hides it",
  function()
  local surface <close> = assert(core.create("presented", 64, 64))
  surface:set { shown = true, x = 0, y = 0, width = 64, height = 64, z = 10 }
  surface:take_input()
  surface:focus()
  press(GRAVE)
  same(shown "presented", false)
  press(GRAVE)
  same(shown "presented", true)
  press(F12)
  same(shown "presented", false)
  press(F12)
  same(shown "presented", false)
  same(rule_of("take back").hits, 2)
  same(rule_of("toggle").hits, 2)
end)

test("F12 pressed reaches nobody else", function()
  local keys <close> = event.subscribe { type = "input_key", code = F12 }
  press(F12)
  local down, up = keys:read(5), keys:read(5)
  same(down.value, 1)
  same(down.consumed, true)
  same(up.value, 0)
  same(up.consumed, nil)
end)

test("a domain that hangs is stopped, told of and handed on, once a second",
  function()
  local told <close> = event.subscribe { { type = "notice" },
    { type = "reflex", code = "escalate" } }
  local hangs = {}
  for i = 1, 2 do
    hangs[i] = domain.spawn { source = "while true do end", budget = 0.1 }
  end
  for i = 1, 2 do
    same(hangs[i]:wait(20).kind, "budget")
  end
  local notice, report = assert(told:read(5)), assert(told:read(5))
  contains(notice.text, "a domain hangs")
  same(report.rule, "hanging domain")
  local r = rule_of "hanging domain"
  same(r.hits + r.suppressed, r.runs)
  assert(r.runs >= 2 and r.hits >= 1, r.runs)
end)

test("rules over rates leave what is slow alone", function()
  sys.sleep(0.2)
  same(rule_of("interrupt storm").hits, 0)
  same(rule_of("power button").runs, 0)
  same(rule_of("guest hangs").runs, 0)
end)

os.exit(tap.run(tests))
