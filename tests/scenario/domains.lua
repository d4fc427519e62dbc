-- Domains and supervisors as their users know them.

local t = require "scenario"
local domain = require "domain"

t.plan(6)

t.test("a domain's result is known to who waits", function()
  local d = t.spawn { name = "exit", source = "os.exit(7)" }
  local reason = assert(d:wait(5))
  t.is(reason.kind, "exit")
  t.is(reason.code, 7)
end)

t.test("an error costs only its domain, and names its place", function()
  local d = t.spawn { name = "bad", source = "local x = nil; x.y = 1" }
  local reason = assert(d:wait(5))
  t.is(reason.kind, "error")
  t.like(reason.message, "attempt to index a nil value")
end)

t.test("a memory hog ends at its cap", function()
  local d = t.spawn {
    name = "hog", memory = 8 << 20,
    source = "local l = {} while true do l[#l + 1] = ('x'):rep(1000) .. #l end",
  }
  t.is(assert(d:wait(20)).kind, "memory")
end)

t.test("calls are answered", function()
  local d = t.spawn {
    name = "adder",
    source = [[
      local domain = require "domain"
      local message, envelope = domain.receive(5)
      envelope:reply(message[1] + message[2])]],
  }
  t.is(d:call({ 19, 23 }, 5), 42)
end)

t.test("a supervisor starts what died again", function()
  local d = t.spawn {
    name = "keeper", args = { domain.self() },
    source = [[
      local boss = ...
      require "supervisor".new {
        children = { {
          name = "short", restart = "always", args = { boss },
          source = "local boss = ... boss:send(require 'domain'.self():id())",
        } },
        backoff = { min = 0.01, max = 0.05, factor = 2, reset = 60 },
      }:run()]],
  }
  local first = domain.receive(5)
  local second = domain.receive(5)
  t.ok(first and second, "it was started twice")
  t.ok(first ~= second, "as a new domain")
  t.is(d:status(), "running", "the supervisor lives")
end)

t.ok(not domain.find("keeper"), "domains end with their test")
