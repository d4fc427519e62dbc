-- Events: types, subscriptions with filters, order, losses, and the kernel's
-- own.

local domain = require "domain"
local event = require "event"
local log = require "log"
local sys = require "sys"
local tap = require "tap"
local same, contains = tap.same, tap.contains

local tests = {}
local function test(name, f)
  tests[#tests + 1] = { name, f }
end

assert(event.define("door", "somebody is at the door", { knock = 1, ring = 2 }))

local function type_called(name)
  for _, type in ipairs(event.types()) do
    if type.name == name then
      return type
    end
  end
end

test("types are listed in order, with fields and constants", function()
  local last = ""
  for _, type in ipairs(event.types()) do
    assert(type.name > last, type.name)
    assert(#type.doc > 5 and #type.fields > 0, type.name)
    last = type.name
  end
  local door = type_called("door")
  same(door.user, true)
  same(door.fields[1].name, "code")
  same(door.fields[1].constants.ring, 2)
  same(type_called("log").user, false)
  contains(tostring(event.types()), "somebody is at the door")
  contains(tostring(event.types("door")), ": knock ring")
  same(event.types("nothing"), nil)
end)

test("an event arrives with its fields, its source and its time", function()
  local queue <close> = event.subscribe("door")
  local before = sys.uptime()
  same(event.raise("door", { code = "ring", value = -7, text = "hello" }),
    false)
  local got = assert(queue:read(5))
  same(got.type, "door")
  same(got.code, 2)
  same(got.value, -7)
  same(got.text, "hello")
  same(got.source, domain.self():id())
  assert(got.time >= before and got.time <= sys.uptime())
end)

test("a text of full length comes back whole, and is cut beyond", function()
  local queue <close> = event.subscribe("door")
  event.raise("door", { text = ("x"):rep(32) })
  event.raise("door", { text = ("y"):rep(40) })
  same(queue:read(5).text, ("x"):rep(32))
  same(queue:read(5).text, ("y"):rep(32))
end)

test("filters let through what they name", function()
  local rings <close> = event.subscribe { type = "door", code = "ring" }
  local fives <close> = event.subscribe { { type = "door", value = 5 },
    { type = "door", code = 9 } }
  for code = 1, 9 do
    event.raise("door", { code = code, value = 10 - code })
  end
  same(rings:read(5).code, 2)
  same(rings:read(0), nil)
  same(fives:read(5).code, 5)
  same(fives:read(5).code, 9)
  same(fives:read(0), nil)
end)

test("events keep their order, whoever raises them", function()
  local queue <close> = event.subscribe("door", 1000)
  local helpers = {}
  for i = 1, 3 do
    helpers[i] = assert(domain.spawn { caps = { "event" }, args = { i },
      source = [[local event, sys, i = require "event", require "sys", ...
        for n = 1, 50 do
          event.raise("door", { code = i, value = n })
          if n % 10 == 0 then sys.sleep(0.001) end
        end]] })
  end
  for _, helper in ipairs(helpers) do
    same(assert(helper:wait(20)).kind, "exit")
  end
  local last, next_value = 0, { 1, 1, 1 }
  for _ = 1, 150 do
    local got = assert(queue:read(5))
    assert(got.time >= last)
    last = got.time
    same(got.value, next_value[got.code])
    next_value[got.code] = got.value + 1
  end
  same(queue:lost(), 0)
end)

test("a full queue loses its oldest and counts", function()
  local queue <close> = event.subscribe("door", 4)
  for n = 1, 10 do
    event.raise("door", { value = n })
  end
  sys.sleep(0.1)
  same(queue:lost(), 6)
  for n = 7, 10 do
    same(queue:read(5).value, n)
  end
end)

test("wait ends in time", function()
  local got, why, code = event.wait("door", 0.05)
  same(got, nil)
  same(why, "timed out")
  same(code, "ETIMEDOUT")
end)

test("wait gives what comes while it waits", function()
  local helper = domain.spawn { caps = { "event" }, source = [[
    require "sys".sleep(0.1)
    require "event".raise("door", { value = 42 })]] }
  same(event.wait("door", 10).value, 42)
  helper:wait(5)
end)

test("loop calls handlers until one answers", function()
  local seen = {}
  local first = event.on("door", function(e)
    seen[#seen + 1] = "door" .. e.value
  end)
  local second = event.on({ type = "door", code = "ring" }, function(e)
    return e.value * 2
  end)
  event.raise("door", { value = 1 })
  event.raise("door", { code = "ring", value = 21 })
  same(event.loop(5), 42)
  while #seen < 2 and event.loop(0.2) == nil do end
  same(table.concat(seen, " "), "door1 door21")
  first:off()
  same(event.off(second), true)
  same(event.off(second), false)
  contains(select(2, event.loop(1)), "no handler")
end)

test("events are announced in the mailbox, once, however many wait", function()
  local heard = 0
  local handler = event.on("door", function(e) heard = heard + e.value end)
  event.announce()
  repeat until not domain.receive(0.05) -- the first notice
  event.dispatch()
  for n = 1, 50 do
    event.raise("door", { value = n })
  end
  local message, envelope = domain.receive(5)
  same(message.kind, "event")
  same(envelope:kind(), "event")
  same(envelope:from(), nil)
  local calls = event.dispatch()
  sys.sleep(0.1)
  calls = calls + event.dispatch()
  same(calls, 50)
  same(heard, 1275)
  event.raise("door", { value = 1 })
  repeat
    message = assert(domain.receive(5))
  until message.kind == "event" and event.dispatch() > 0
  -- Waiting in a loop, and then the mailbox again.
  same(event.loop(0.05), nil)
  event.raise("door", { value = 1 })
  same(assert(domain.receive(5)).kind, "event")
  handler:off()
  event.dispatch()
end)

test("nobody who listens, nothing is counted", function()
  local before = type_called("door").raised
  for _ = 1, 100 do
    event.raise("door")
  end
  same(type_called("door").raised, before)
end)

test("a source that storms is held back, another one is not", function()
  local limit = event.source_limit()
  same(event.source_limit(1000), 1000)
  local queue <close> = event.subscribe("door", 4096)
  for n = 1, 3000 do
    event.raise("door", { value = n })
  end
  local helper = domain.spawn { caps = { "event" },
    source = 'require "event".raise("door", { code = 77 })' }
  helper:wait(5)
  local mine, others = 0, 0
  while true do
    local got = queue:read(0.2)
    if not got then break end
    if got.code == 77 then others = others + 1 else mine = mine + 1 end
  end
  event.source_limit(limit)
  same(others, 1)
  assert(mine < 3000, mine)
  local limited
  for _, source in ipairs(event.sources()) do
    if source.type == "door" and source.source == domain.self():id() then
      limited = source.limited
    end
  end
  assert(limited >= 3000 - mine and limited > 0, limited)
end)

test("log records at warning or above are events", function()
  local queue <close> = event.subscribe("log")
  log.info("not this one")
  log.warn("this one")
  local got = assert(queue:read(5))
  same(got.code, 2)
  same(got.module, domain.self():name():sub(1, 11))
  contains(log.read(got.seq).text, "this one")
end)

test("the death of a domain is an event", function()
  local queue <close> = event.subscribe("domain_end")
  local helper = domain.spawn { name = "mortal", source = "error 'alas'" }
  helper:wait(5)
  local got
  repeat got = assert(queue:read(5)) until got.name == "mortal"
  same(got.source, helper:id())
  local codes = type_called("domain_end").fields[1].constants
  same(got.code, codes.error)
end)

test("a domain that computes too long is an event", function()
  local queue <close> = event.subscribe("overrun")
  local helper = domain.spawn { name = "spinner", budget = 0.1,
    source = "while true do end" }
  same(helper:wait(20).kind, "budget")
  same(queue:read(5).name, "spinner")
end)

test("memory that is refused is an event", function()
  local queue <close> = event.subscribe("memory_pressure")
  local helper = domain.spawn { name = "hog", memory = 4 << 20,
    source = "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end" }
  same(helper:wait(20).kind, "memory")
  same(queue:read(5).code,
    type_called("memory_pressure").fields[1].constants.refused)
end)

test("misuse is told", function()
  contains(select(2, pcall(event.subscribe, "dor")), "no event type 'dor'")
  contains(select(2, pcall(event.subscribe, { type = "door", x = 1 })),
    "have no field 'x'")
  contains(select(2, pcall(event.subscribe, { type = "door", code = "bang" })),
    "not bang")
  contains(select(2, pcall(event.subscribe, { type = "door", text = "a" })),
    "is a text")
  contains(select(2, pcall(event.subscribe, { type = "door", code = 1,
    value = 2 })),
    "at most one field")
  contains(select(2, pcall(event.raise, "log", {})), "are the kernel's")
  contains(select(2, pcall(event.raise, "door", { code = "bang" })),
    "no code 'bang'")
  same(select(3, event.define("log")), "EEXIST")
  same(select(3, event.define("door", "", { other = 3 })), "EEXIST")
  same(event.define("door", "", { ring = 2, knock = 1 }), true)
  same(select(3, event.define("Bad Name")), "EINVAL")
end)

test("without the capability there is no listening", function()
  local helper = domain.spawn { caps = {}, source = [[
    local event = require "event"
    assert(select(3, event.subscribe "log") == "EPERM")
    assert(select(3, event.define "x") == "EPERM")]] }
  local reason = helper:wait(5)
  same(reason.kind, "exit", tostring(reason.message))
end)

test("a queue is paid for by the domain", function()
  local helper = domain.spawn { caps = { "event" }, memory = 2 << 20,
    source = [[
    local event, queues = require "event", {}
    event.define("flood")
    local ok, why = pcall(function()
      for i = 1, 100 do queues[i] = event.subscribe("flood", 4096) end
    end)
    assert(not ok and why:find("not enough memory", 1, true), why)]] }
  local reason = helper:wait(10)
  same(reason.kind, "exit", tostring(reason.message))
end)

os.exit(tap.run(tests))
