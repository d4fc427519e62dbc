-- Reflexes: conditions, counts, sequences, actions, sets, files, accounting.

local domain = require "domain"
local event = require "event"
local reflex = require "reflex"
local sys = require "sys"
local tap = require "tap"
local same, contains = tap.same, tap.contains

local tests = {}
local function test(name, f)
  tests[#tests + 1] = { name, function()
    assert(reflex.replace {})
    f()
  end }
end

assert(event.define("test", "events of this test", { one = 1, two = 2,
  big = 4000000000 }))
assert(event.define("answer", "what rules raise"))

local function counter(name)
  return reflex.counters()[name] or 0
end

local function rule(r)
  local ok, why, code = reflex.rule(r)
  assert(ok, why)
  return ok, code
end

local function stats(name)
  for _, r in ipairs(reflex.rules()) do
    if r.name == name then
      return r
    end
  end
end

local serial = 0

-- A rule that counts the events for which the condition holds; how often it did
-- for the given event.
local function holds(when, fields)
  serial = serial + 1
  local name = "c" .. serial
  reflex.set_counter("holds", 0)
  rule { name = name, on = "test", when = when, act = "counter.holds += 1" }
  event.raise("test", fields)
  assert(reflex.remove(name))
  return counter "holds" == 1
end

test("conditions say what they say", function()
  local e = { code = 2, value = -5, text = "abc" }
  local cases = {
    "code == 2", "code == two", "two == code", "value == -5", "value < 0",
    "value <= -5", "value > -6", "value >= -5", "value ~= 5", "value != 5",
    "not (value == 5)", "code == 1 or value == -5", "code == 2 and value == -5",
    "value in -5..-1", "code in {1, 2, 3}", "code in 2..2", "text == 'abc'",
    'text ~= "abd"', "text in {'x', 'abc'}", "value + 7 == code",
      "value * -2 == 10",
    "value // 2 == -2", "value % 3 == -2", "value - 1 == -6", "-value == 5",
    "~value == 4", "(code | 1) == 3", "code & 2", "code ~ 3 == 1",
      "code << 3 == 16",
    "code >> 1 == 1", "value // 0 == 0", "value % 0 == 0", "true", "not false",
    "code << 64 == 0", "1 + 2 * 3 == 7", "0x10 == 16", "10ms == 10000000",
    "1.5s == 1500 * 1ms", "not not code", "source > 0",
    "value == -5 and (code == 1 or code == two) and text == 'abc'",
    "counter.holds == 0", "my.nothing == 0",
  }
  for _, when in ipairs(cases) do
    assert(holds(when, e), when)
  end
  for _, when in ipairs { "code == 1", "code == big", "value == 5",
    "value in 0..9",
    "code in {1, 3, 4}", "text == 'ab'", "text == 'abcd'", "text in {'a', ''}",
      "false",
    "not code", "value > 0 or code == 3", "code == 2 and value == 5" } do
    assert(not holds(when, e), when)
  end
  assert(holds("code == big", { code = "big" }))
  assert(holds("code > 3999999999", { code = "big" }))
  assert(holds("text == '" .. ("x"):rep(32) .. "'", { text = ("x"):rep(32) }))
  assert(holds("value == " .. math.maxinteger, { value = math.maxinteger }))
end)

test("a rule without a condition sees all events of its type", function()
  reflex.set_counter("all", 0)
  rule { name = "all", on = "test", act = "counter.all += value" }
  for n = 1, 10 do
    event.raise("test", { code = n, value = n })
  end
  same(counter "all", 55)
  same(stats("all").runs, 10)
  same(stats("all").hits, 10)
end)

test("rules over other codes do not run", function()
  rule { name = "one", on = "test", when = "code == one",
    act = "counter.n += 1" }
  rule { name = "few", on = "test", when = "code in {5, 6} and value > 0",
    act = "counter.n += 1" }
  for code = 1, 10 do
    event.raise("test", { code = code, value = 1 })
  end
  same(stats("one").runs, 1)
  same(stats("few").runs, 2)
  same(stats("few").hits, 2)
end)

test("rules run in the order of their priority", function()
  reflex.set_counter("order", 0)
  rule { name = "late", on = "test", priority = 10,
    act = "counter.order = counter.order * 10 + 3" }
  rule { name = "keyed", on = "test", when = "code == 1", priority = 50,
    act = "counter.order = counter.order * 10 + 2" }
  rule { name = "early", on = "test", priority = 200,
    act = "counter.order = counter.order * 10 + 1" }
  event.raise("test", { code = 1 })
  same(counter "order", 123)
  same(reflex.rules()[1].name, "early")
end)

test("a consumed event is told as such", function()
  rule { name = "eat", on = "test", when = "code == 1", act = "consume" }
  local queue <close> = event.subscribe("test")
  same(event.raise("test", { code = 1 }), true)
  same(event.raise("test", { code = 2 }), false)
  same(queue:read(5).consumed, true)
  same(queue:read(5).consumed, nil)
end)

test("so many within a time fire, then counting starts anew", function()
  reflex.set_counter("fired", 0)
  rule { name = "three", on = "test", count = 3, within = "10s",
    act = "counter.fired += 1" }
  for _ = 1, 7 do
    event.raise("test")
  end
  same(counter "fired", 2)
  same(stats("three").runs, 7)
end)

test("so many in too long a time do not fire", function()
  reflex.set_counter("fired", 0)
  rule { name = "slow", on = "test", count = 3, within = "100ms",
    act = "counter.fired += 1" }
  for _ = 1, 4 do
    event.raise("test")
    sys.sleep(0.08)
  end
  same(counter "fired", 0)
end)

test("great counts are right within two per cent", function()
  reflex.set_counter("fired", 0)
  rule { name = "many", on = "test", count = 1000, within = "100s",
    act = "counter.fired += 1; counter.at = my.n; my.n += 0" }
  reflex.set_counter("seen", 0)
  rule { name = "see", on = "test", priority = 200, act = "counter.seen += 1" }
  local first
  for n = 1, 1100 do
    event.raise("test")
    if counter "fired" == 1 and not first then
      first = n
    end
  end
  assert(first and first >= 980 and first <= 1024, first)
end)

test("a cool-down holds back and counts", function()
  reflex.set_counter("fired", 0)
  rule { name = "cool", on = "test", cooldown = "1s",
    act = "counter.fired += 1" }
  for _ = 1, 5 do
    event.raise("test")
  end
  same(counter "fired", 1)
  same(stats("cool").suppressed, 4)
  sys.sleep(1.1)
  event.raise("test")
  same(counter "fired", 2)
end)

test("unless is an exception", function()
  reflex.set_counter("fired", 0)
  rule { name = "unless", on = "test", when = "value > 0", unless = "code == 2",
    act = "counter.fired += 1" }
  event.raise("test", { code = 1, value = 1 })
  event.raise("test", { code = 2, value = 1 })
  same(counter "fired", 1)
end)

-- --- sequences
-- ---------------------------------------------------------------------

local function tap_rule(extra)
  local r = { name = "tap", act = "counter.taps += 1",
    sequence = { { on = "test", when = "code == 1 and value == 1" },
      { on = "test", when = "code == 1 and value == 0", within = "1500ms" } },
    unless = { on = "test", when = "code ~= 1" } }
  for key, value in pairs(extra or {}) do
    r[key] = value
  end
  reflex.set_counter("taps", 0)
  rule(r)
end

local function key(code, value)
  event.raise("test", { code = code, value = value })
end

test("a sequence in time fires, each time anew", function()
  tap_rule()
  key(1, 1) key(1, 0)
  same(counter "taps", 1)
  key(1, 0)
  same(counter "taps", 1)
  key(1, 1) key(1, 0)
  same(counter "taps", 2)
end)

test("a sequence that is too slow does not", function()
  tap_rule()
  key(1, 1)
  sys.sleep(1.6)
  key(1, 0)
  same(counter "taps", 0)
  key(1, 1) key(1, 0)
  same(counter "taps", 1)
end)

test("another key between spoils it", function()
  tap_rule()
  key(1, 1) key(2, 1) key(1, 0)
  same(counter "taps", 0)
  key(2, 0) key(1, 1) key(1, 0)
  same(counter "taps", 1)
end)

test("a new beginning sets the time anew", function()
  tap_rule()
  key(1, 1)
  sys.sleep(0.9)
  key(1, 1)
  sys.sleep(0.9)
  key(1, 0)
  same(counter "taps", 1)
end)

test("a sequence goes across types", function()
  reflex.set_counter("across", 0)
  rule { name = "across", act = "counter.across += value",
    sequence = { { on = "test", when = "code == 1" }, { on = "answer",
      when = "code == 5" },
      { on = "test", when = "code == 2", within = 5 } } }
  event.raise("test", { code = 1 })
  event.raise("test", { code = 2, value = 100 })
  event.raise("answer", { code = 5 })
  event.raise("test", { code = 2, value = 7 })
  event.raise("test", { code = 2, value = 50 })
  same(counter "across", 7)
end)

-- --- actions
-- --------------------------------------------------------------------------

test("a rule raises an event, over which another rule acts", function()
  local queue <close> = event.subscribe("answer")
  reflex.set_counter("heard", 0)
  rule { name = "ask", on = "test",
    act = "raise('answer', code + 1, value * 2)" }
  rule { name = "hear", on = "answer", act = "counter.heard = value" }
  event.raise("test", { code = 8, value = 21 })
  local got = queue:read(5)
  same(got.code, 9)
  same(got.value, 42)
  same(got.source, domain.self():id())
  same(counter "heard", 42)
end)

test("rules that raise in a circle come to an end", function()
  local before = reflex.totals().too_deep
  rule { name = "ping", on = "test", act = "raise('answer')" }
  rule { name = "pong", on = "answer", act = "raise('test')" }
  event.raise("test")
  same(stats("ping").hits + stats("pong").hits, 4)
  same(reflex.totals().too_deep, before + 1)
end)

test("a key that a rule presses may meet a rule that presses it, not for ever",
  function()
  local before = reflex.totals().too_deep
  rule { name = "begin", on = "test", act = "key(184, 1)" } -- F14
  rule { name = "again", on = "input_key", when = "code == 184",
    act = "key(code, 1 - value); consume" }
  event.raise("test")
  same(stats("again").hits, 3)
  same(reflex.totals().too_deep, before + 1)
end)

test("a timer raises an event later", function()
  local queue <close> = event.subscribe { type = "timer", code = 3 }
  rule { name = "later", on = "test", act = "set_timer(3, 50ms, value)" }
  local before = sys.uptime()
  event.raise("test", { value = 9 })
  local got = assert(queue:read(5))
  same(got.value, 9)
  assert(got.time - before >= 0.05)
  rule { name = "stop", on = "answer", act = "stop_timer(3)" }
  event.raise("test")
  event.raise("answer")
  same(queue:read(0.2), nil)
end)

test("three wrong pass-words stop the domain that asked, and no other",
  function()
  assert(event.define("login", "somebody logs in", { right = 1, wrong = 2 }))
  rule { name = "guess", on = "login", when = "code == wrong", count = 3,
    within = "10s",
    act = "stop_domain(source); log('three wrong pass-words')" }
  local source = [[local event, sys = require "event", require "sys"
    for _ = 1, ... do event.raise("login", { code = "wrong" }) end
    sys.sleep(0.3)]]
  local bad = domain.spawn { caps = { "event" }, args = { 3 }, source = source }
  local reason = assert(bad:wait(10))
  same(reason.kind, "killed")
  contains(reason.message, "stopped by rule 'guess'")
  local good = domain.spawn { caps = { "event" }, args = { 2 },
    source = source }
  same(assert(good:wait(10)).kind, "exit")
end)

test("an action that fails is an event", function()
  local queue <close> = event.subscribe { type = "reflex", code = "failure" }
  rule { name = "fails", on = "test", act = "stop_domain(999999999)" }
  event.raise("test")
  same(assert(queue:read(5)).rule, "fails")
  same(stats("fails").failures, 1)
end)

test("escalate hands an event on", function()
  local queue <close> = event.subscribe { type = "reflex", code = "escalate" }
  rule { name = "up", on = "test", act = "escalate" }
  event.raise("test", { value = 77 })
  local got = queue:read(5)
  same(got.rule, "up")
  same(got.value, 77)
end)

test("notify tells a person", function()
  local queue <close> = event.subscribe("notice")
  rule { name = "tell", on = "test", act = "notify('look here')" }
  event.raise("test")
  same(queue:read(5).text, "look here")
end)

test("counters saturate at both ends", function()
  reflex.set_counter("sat", math.maxinteger - 1)
  rule { name = "up", on = "test", act = "counter.sat += value" }
  event.raise("test", { value = 5 })
  same(counter "sat", math.maxinteger)
  event.raise("test", { value = math.mininteger })
  same(counter "sat", 0)
end)

test("a rule's own counter is its own", function()
  reflex.set_counter("out", 0)
  for _, name in ipairs { "a", "b" } do
    rule { name = name, on = "test", act = "my.n += 1; counter.out += my.n" }
  end
  event.raise("test")
  event.raise("test")
  same(counter "out", 6)
end)

-- --- sets and files
-- ----------------------------------------------------------------------

test("a set is replaced as a whole or not at all", function()
  rule { name = "old", on = "test", act = "counter.x += 1" }
  local ok, why, code = reflex.replace {
    { name = "new", on = "test", act = "counter.x += 1" },
    { name = "bad", on = "test", when = "nothing == 1",
      act = "counter.x += 1" } }
  same(ok, nil)
  same(code, "EINVAL")
  contains(why, "rule 'bad': when: column 1: unknown name 'nothing'")
  same(#reflex.rules(), 1)
  same(reflex.rules()[1].name, "old")
  assert(reflex.replace { { name = "new", on = "test",
    act = "counter.x += 1" } })
  same(reflex.rules()[1].name, "new")
  ok, why, code = reflex.replace { { name = "a", on = "test", act = "log('')" },
    { name = "a", on = "test", act = "log('x')" } }
  same(ok, nil)
  same(code, "EEXIST")
  contains(why, "two rules 'a'")
  ok, why, code = reflex.rule { name = "r", on = "test",
    act = "raise('no_such')" }
  same(ok, nil)
  same(code, "ENOENT")
  contains(why, "there is no 'no_such'")
  ok, why, code = reflex.remove "nobody"
  same(ok, nil)
  same(code, "ENOENT")
  contains(why, "there is no rule 'nobody'")
end)

test("what stays in a set keeps its counts", function()
  local a = { name = "a", on = "test", count = 3, within = "100s",
    act = "counter.kept += 1" }
  reflex.set_counter("kept", 0)
  rule(a)
  event.raise("test")
  event.raise("test")
  assert(reflex.replace { a, { name = "b", on = "test",
    act = "counter.y += 1" } })
  same(stats("a").runs, 2)
  event.raise("test")
  same(counter "kept", 1)
end)

test("rules are exchanged under load", function()
  local helper = domain.spawn { caps = { "event" }, source = [[
    local event, sys = require "event", require "sys"
    local till = sys.uptime() + 2
    while sys.uptime() < till do
      for n = 1, 100 do event.raise("test", { code = n % 8, value = n }) end
    end]] }
  local set = {}
  for i = 1, 30 do
    set[i] = { name = "r" .. i, on = "test", when = "code == " .. i % 8,
      count = 5, within = "1s", act = { "counter.load += 1",
        "raise('answer', 1, value)" } }
  end
  local rounds = 0
  while helper:status() ~= "dead" do
    assert(reflex.replace(set))
    set[rounds % 30 + 1].cooldown = (rounds % 5 + 1) .. "ms"
    assert(reflex.rule { name = "extra", on = "test", act = "stop_domain(-1)" })
    assert(reflex.remove "extra")
    rounds = rounds + 1
  end
  assert(rounds >= 3, rounds)
  same(assert(helper:wait(5)).kind, "exit")
  assert(counter "load" > 0)
end)

test("rules go into a file and come back", function()
  tap_rule { doc = "a doc", priority = 7 }
  rule { name = "two words", on = { "test", "answer" },
    when = "value > 5 and text == 'a\"b'",
    act = { "log('x;y')", "counter.f += 1" }, cooldown = "1s", ttl = 1000,
      budget = "5ms" }
  assert(reflex.export("/tmp/rules.lua"))
  local before = {}
  for i, r in ipairs(reflex.rules()) do
    before[i] = reflex.explain(r.name)
  end
  assert(reflex.replace {})
  assert(reflex.import "/tmp/rules.lua")
  for i, r in ipairs(reflex.rules()) do
    same(reflex.explain(r.name), before[i])
  end
  local list = reflex.export()
  same(#list, 2)
  same(list[1].cooldown, "1s")
  same(list[2].sequence[2].within, "1500ms")
  same(select(3, reflex.import "/tmp/nothing.lua"), "ENOENT")
  require "fs".write("/tmp/bad.lua", "return require 'sys'")
  same(select(3, reflex.import "/tmp/bad.lua"), "EINVAL")
end)

test("a rule lives as long as it should", function()
  reflex.set_counter("alive", 0)
  rule { name = "short", on = "test", ttl = "150ms",
    act = "counter.alive += 1" }
  event.raise("test")
  sys.sleep(0.2)
  event.raise("test")
  same(counter "alive", 1)
  same(stats("short").expired, true)
end)

test("a rule can rest", function()
  reflex.set_counter("r", 0)
  rule { name = "rest", on = "test", act = "counter.r += 1" }
  assert(reflex.enable("rest", false))
  event.raise("test")
  same(stats("rest").disabled, true)
  assert(reflex.enable("rest", true))
  event.raise("test")
  same(counter "r", 1)
end)

test("a rule over its budget is switched off and told", function()
  local queue <close> = event.subscribe { type = "reflex", code = "overrun" }
  rule { name = "hasty", on = "test", budget = "1ns",
    act = "log('a'); log('b')" }
  for _ = 1, 5 do
    event.raise("test")
  end
  same(stats("hasty").disabled, true)
  same(stats("hasty").overruns, 3)
  same(assert(queue:read(5)).rule, "hasty")
end)

-- --- telling -----------------------------------------------------------------
-- ----------------

test("problems point at their column", function()
  local cases = {
    { { on = "test", when = "code == ", act = "log('')" },
      "when: column 9: it ends too early" },
    { { on = "test", when = "code = 5", act = "log('')" },
      "when: column 6: '=' is not expected" },
    { { on = "test", when = "valu > 1", act = "log('')" },
      "column 1: unknown name 'valu'" },
    { { on = "test", when = "text > 'a'", act = "log('')" }, "with == and ~=" },
    { { on = "test", when = "text", act = "log('')" },
      "column 1: 'text' is a text" },
    { { on = "test", when = "code == 5zz", act = "log('')" },
      "column 9: there is no unit 'zz'" },
    { { on = "test", when = "1.5 == 2", act = "log('')" },
      "numbers are whole" },
    { { on = "tset", act = "log('')" }, "there is no event type 'tset'" },
    { { on = "test", act = "lgo('')" },
      "act: column 1: there is no action 'lgo'" },
    { { on = "test", act = "log()" }, "log takes 1 arguments, not 0" },
    { { on = "test", act = "log(1)" },
      "column 5: this argument is a text in quotes" },
    { { on = "test", act = "stop_domain('a')" }, "a text is compared" },
    { { on = "test" }, "act: a rule does something" },
    { { act = "log('')" }, "on: expected the name" },
    { { on = "test", act = "log('')", count = 3 },
      "count and within go together" },
    { { on = "test", act = "log('')", cooldown = "soon" },
      "cooldown: expected a time" },
    { { on = "test", act = "log('')", colour = 1 },
      "colour: a rule has no such field" },
    { { on = "test", act = "log('')", priority = 300 },
      "a whole number from 0 to 255" },
    { { sequence = { { on = "test" } }, act = "log('')" },
      "a list of 2 to 16 steps" },
    { { on = "test", act = "log('" .. ("x"):rep(33) .. "')" },
      "at most 32 bytes" },
    { { on = "test", when = ("("):rep(8) .. "1" .. (")"):rep(7),
      act = "log('')" },
      "it ends too early" },
  }
  for _, case in ipairs(cases) do
    case[1].name = "x"
    local ok, why, code = reflex.rule(case[1])
    same(ok, nil)
    same(code, "EINVAL")
    contains(why, case[2])
  end
  contains(select(2, reflex.rule { name = ("x"):rep(32), on = "test",
    act = "log('')" }),
    "1 to 31 printable")
  local deep = ("1 + ("):rep(20) .. "code" .. (")"):rep(20)
  contains(select(2, reflex.rule { name = "x", on = "test", when = deep,
    act = "log('')" }),
    "nested too deeply")
end)

test("explain shows the program and its bound", function()
  local text = assert(reflex.explain { name = "e", on = "test",
    when = "code == two and text == 'x'", count = 3, within = "10s",
      act = "log('hi')" })
  contains(text, "on test 2")
  contains(text, "3 within 10 s")
  contains(text, 'log("hi")')
  local bound = math.tointeger(text:match "at most (%d+) steps")
  assert(bound > 20 and bound < 100, bound)
  rule { name = "e", on = "test", act = "log('hi')" }
  contains(reflex.explain "e", "hit")
  contains(tostring(reflex.rules()), "e ")
  contains(tostring(reflex.actions()), "stop_domain")
end)

test("the kernel refuses what the compiler did not make", function()
  local core = require "reflex_core"
  same(select(2, core.check ""), "the image is shorter than its header")
  same(select(3, core.change { ("x"):rep(200) }), "EINVAL")
  rule { name = "v", on = "test", act = "log('hi')" }
  local image = core.image "v"
  for at = 1, #image do
    local damaged = image:sub(1, at - 1) .. string.char(image:byte(at) ~ 0xff)
      .. image:sub(at + 1)
    core.check(damaged) -- whatever it says
  end
end)

test("rules are limited in number, and in what one event may take", function()
  local core = require "reflex_core"
  rule { name = "seed", on = "test", act = "counter.x += 1" }
  local image, many = core.image "seed", {}
  for i = 1, 4097 do -- magic, size, name
    many[i] = image:sub(1, 8) .. string.pack("c32", "n" .. i) .. image:sub(41)
  end
  contains(select(2, pcall(core.change, many)), "too many rules")
  many[4097] = nil
  local ok, why, code = core.change(many)
  same(ok, nil)
  same(code, "ENOSPC")
  contains(why, "more than 4096 rules")
  local act, long = {}, {}
  for i = 1, 16 do
    act[i] = ("log('%d')"):format(i)
  end
  for i = 1, 260 do
    long[i] = { name = "long" .. i, on = "test", act = act }
  end
  ok, why, code = reflex.replace(long)
  same(ok, nil)
  same(code, "ENOSPC")
  contains(why, "one event may take")
  same(#reflex.rules(), 1)
end)

test("without the capability there are no rules to be made", function()
  local helper = domain.spawn { caps = { "event" }, source = [[
    local reflex = require "reflex"
    assert(select(3, reflex.rule { name = "a", on = "log", act = "consume" }) == "EPERM")
    assert(select(3, reflex.remove "a") == "EPERM")
    assert(select(3, reflex.replace {}) == "EPERM")]] }
  local reason = helper:wait(10)
  same(reason.kind, "exit", tostring(reason.message))
end)

test("nobody has a rule do what it may not do itself", function()
  local helper = domain.spawn { caps = { "event", "reflex" }, source = [[
    local reflex = require "reflex"
    for _, act in ipairs { "poweroff", "reset", "stop_domain(1)", "mask_irq(1)",
      "key(1, 1)", "take_back" } do
      local ok, why, code = reflex.rule { name = "x", on = "log", act = act }
      assert(not ok and code == "EPERM", act)
      assert(why:find("needs capability", 1, true), why)
    end
    assert(reflex.rule { name = "x", on = "log", act = "counter.x += 1" })]] }
  local reason = helper:wait(10)
  same(reason.kind, "exit", tostring(reason.message))
end)

test("200,000 events a second are contained, and counted right", function()
  assert(event.define("storm"))
  reflex.set_counter("storm", 0)
  rule { name = "storm", on = "storm", count = 5000, within = "1s",
    cooldown = "30s",
    act = "stop_domain(source); counter.storm += 1; escalate" }
  local told <close> = event.subscribe { type = "reflex", code = "escalate" }
  local others <close> = event.subscribe("answer", 1000)
  local storm = domain.spawn { caps = { "event" }, source = [[
    local event = require "event"
    while true do event.raise("storm") end]] }
  for n = 1, 100 do
    event.raise("answer", { value = n })
  end
  local reason = assert(storm:wait(10))
  same(reason.kind, "killed")
  same(assert(told:read(5)).rule, "storm")
  same(counter "storm", 1)
  local s = stats "storm"
  same(s.hits, 1)
  assert(s.runs >= 4900, s.runs)
  for n = 1, 100 do
    same(others:read(5).value, n)
  end
end)

test("shared counters are limited in number", function()
  for i = 1, 64 do
    reflex.set_counter("many" .. i, 0) -- the last ones find no room
  end
  same(select(3, reflex.set_counter("more", 1)), "ENOSPC")
  local ok, why, code = reflex.rule { name = "r", on = "test",
    act = "counter.more += 1" }
  same(ok, nil)
  same(code, "ENOSPC")
  contains(why, "more than 64 shared counters")
end)

os.exit(tap.run(tests))
