-- Messages, calls, monitors, links and capabilities between domains.

local domain = require "domain"
local sys = require "sys"
local tap = require "tap"
local same, contains = tap.same, tap.contains

-- Doubles the numbers it is asked for, until it is told to stop.
local DOUBLER = [[
  local domain = require "domain"
  while true do
    local message, envelope = domain.receive()
    if message == "stop" then return end
    if message == "silent" then
      envelope = nil collectgarbage()
    elseif envelope:kind() == "call" then
      envelope:reply(message * 2, "done")
    end
  end]]

local function spawn(source, options)
  options = options or {}
  options.source = source
  options.name = options.name or "helper"
  return assert(domain.spawn(options))
end

local function end_of(source, options)
  return assert(spawn(source, options):wait(20))
end

local tests = {}
local function test(name, f)
  tests[#tests + 1] = { name, f }
end

test("a value arrives as it was sent", function()
  local shared = { 1, 2, x = "y" }
  local cycle = { shared, shared, f = 1.5, i = math.mininteger, b = false }
  cycle.self = cycle
  domain.self():send(cycle)
  local got, envelope = domain.receive(1)
  same(envelope:kind(), "message")
  same(envelope:from(), domain.self())
  same(got[1], got[2])
  same(got.self, got)
  same(got[1].x, "y")
  same(math.type(got.i), "integer")
  same(got.i, math.mininteger)
  same(got.f, 1.5)
  same(got.b, false)
  assert(got ~= cycle and got[1] ~= shared)
end)

test("handles travel in messages", function()
  domain.self():send { me = domain.self() }
  same(domain.receive(1).me, domain.self())
end)

test("what cannot be sent is refused by its path", function()
  local ok, message = pcall(function()
    domain.self():send { a = { b = { print } } }
  end)
  same(ok, false)
  contains(message, "message.a.b[1]: cannot send a function")
  contains(select(2, pcall(function()
    domain.self():send(coroutine.create(print))
  end)), "message: cannot send a thread")
  contains(select(2, pcall(function()
    domain.self():send(io.stdout)
  end)), "cannot send a userdata")
  contains(select(2, pcall(function()
    domain.self():send(("x"):rep(2 << 20))
  end)), "too long")
  local deep = {}
  for _ = 1, 200 do deep = { deep } end
  contains(select(2, pcall(function()
    domain.self():send(deep)
  end)), "too deep")
end)

test("a mailbox has an end", function()
  local slow = spawn "require'domain'.receive() require'sys'.sleep(100)"
  local ok, message, code
  for _ = 1, 1000 do
    ok, message, code = slow:send(("x"):rep(1000))
    if not ok then break end
  end
  same(ok, nil)
  contains(message, "mailbox of 'helper' is full")
  same(code, "EAGAIN")
  slow:kill()
end)

test("a call is answered with all its values", function()
  local d = spawn(DOUBLER)
  local a, b = d:call(21, 5)
  same(a, 42)
  same(b, "done")
  d:send "stop"
  same(assert(d:wait(5)).kind, "exit")
end)

test("a call that is not answered fails", function()
  local d = spawn(DOUBLER)
  local nothing, _, code = d:call("silent", 5)
  same(nothing, nil)
  same(code, "EPIPE")
  d:kill()
  d:wait(5)
  nothing, _, code = d:call(1, 5)
  same(nothing, nil)
  same(code, "EPIPE")
end)

test("a call ends in time, and its late reply is dropped", function()
  local d = spawn [[
    local domain, sys = require "domain", require "sys"
    local _, envelope = domain.receive()
    sys.sleep(0.5)
    local ok, why = envelope:reply("late")
    local _, second = domain.receive()
    second:reply(ok, why)]]
  local before = sys.uptime()
  local nothing, why, code = d:call("x", 0.1)
  same(nothing, nil)
  same(why, "timed out")
  same(code, "ETIMEDOUT")
  assert(sys.uptime() - before < 0.4)
  local ok, message = d:call("y", 5)
  same(ok, nil)
  contains(message, "nobody waits")
end)

test("receive ends in time", function()
  local nothing, why, code = domain.receive(0.05)
  same(nothing, nil)
  same(why, "timed out")
  same(code, "ETIMEDOUT")
end)

test("a monitor tells of an end with its reason", function()
  local d = spawn("error 'sad'", { monitor = true })
  local message, envelope = domain.receive(5)
  same(envelope:kind(), "down")
  same(message.domain, d)
  same(message.reason.kind, "error")
  contains(message.reason.message, "sad")
  contains(message.reason.traceback, "stack traceback")
  d:monitor() -- of one that is dead already: at once
  same(domain.receive(1).domain, d)
end)

test("linked domains die together, unless the end is good", function()
  local d = spawn [[
    local domain = require "domain"
    local good = domain.spawn { source = "return", link = true }
    good:wait()
    local bad = domain.spawn { source = "error 'x'", link = true, name = "bad" }
    bad:wait()
    require "sys".sleep(10)]]
  local reason = assert(d:wait(5))
  same(reason.kind, "killed")
  contains(reason.message, "linked domain 'bad' died")
end)

test("arguments arrive, holes and all", function()
  local d = spawn("local a, b, c = ... assert(a == 1 and b == nil and c.x == 2) "
    .. "assert(select('#', ...) == 3)", { args = table.pack(1, nil, { x = 2 }) })
  same(assert(d:wait(5)).kind, "exit")
end)

test("nobody gives what he has not", function()
  local reason = end_of([[
    local domain = require "domain"
    assert(not pcall(domain.spawn, { source = "", caps = { "power" } }))
    assert(not pcall(domain.spawn, { source = "", caps = { "*" } }))
    local d = assert(domain.spawn { source = "", caps = { "fs.read" } })
    assert(d:wait(5).kind == "exit")]], { caps = { "domain", "fs" } })
  same(reason.kind, "exit", tostring(reason.message))
end)

test("without capabilities the world is small", function()
  local reason = end_of([[
    local sys, fs, log = require "sys", require "fs", require "log"
    local function refused(f, ...)
      local value, message, code = f(...)
      assert(value == nil and code == "EPERM", message)
      assert(message:find("needs capability", 1, true))
    end
    refused(sys.poweroff)
    refused(fs.read, "/boot/lua/init.lua")
    refused(fs.write, "/tmp/x", "")
    refused(io.open, "/tmp/x", "w")
    refused(io.open, "/boot/lua/init.lua")
    refused(os.remove, "/tmp/x")
    refused(loadfile, "/tmp/x")
    refused(loadfile, "/boot/../tmp/x")
    refused(log.tail)
    refused(require "domain".spawn, { source = "" })
    assert(not pcall(io.lines, "/tmp/x"))
    assert(not pcall(io.output, "/tmp/x"))
    require "supervisor"]], { caps = {} })
  same(reason.kind, "exit", tostring(reason.message))
end)

test("fs.read reads and does not write", function()
  local reason = end_of([[
    local fs = require "fs"
    assert(#fs.read "/boot/lua/init.lua" > 100)
    assert(io.open "/boot/lua/init.lua"):close()
    assert(select(3, fs.write("/tmp/x", "")) == "EPERM")
    assert(select(3, io.open("/tmp/x", "r+")) == "EPERM")
    assert(select(3, os.tmpname()) == "EPERM")]], { caps = { "fs.read" } })
  same(reason.kind, "exit", tostring(reason.message))
end)

test("misspelt options are told", function()
  contains(select(2, pcall(domain.spawn, { source = "", budgt = 1 })),
    "does not know the field 'budgt'")
end)

os.exit(tap.run(tests))
