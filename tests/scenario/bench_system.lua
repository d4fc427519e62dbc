-- Benchmarks of domains, as their users see them: functions that return ticks
-- of the TSC per operation, the time that the CPU slept taken off. One CPU is
-- assumed, and nothing else that runs.
local domain = require "domain"
local sys = require "sys"

local function idle_ticks()
  return sys.cpus()[1].idle * sys.machine().tsc_hz
end

local function measure(rounds, f)
  local idle, start = idle_ticks(), sys.tsc()
  for _ = 1, rounds do
    f()
  end
  local ticks = sys.tsc() - start
  return (ticks - (idle_ticks() - idle)) / rounds
end

local bench = {}

local ECHO = [[
  local receive = require "domain".receive
  while true do
    local message, envelope = receive()
    envelope:reply(message)
  end]]

-- A call to another domain and its reply.
function bench.message_round_trip(rounds)
  local echo = assert(domain.spawn { name = "echo", source = ECHO })
  assert(echo:call(1) == 1)
  local ticks = measure(rounds, function() echo:call(1) end)
  echo:kill()
  echo:wait()
  return ticks
end

-- A domain that does nothing, from its making to its end.
function bench.create(rounds)
  local function one()
    local reason = assert(domain.spawn { source = "" }):wait()
    assert(reason.kind == "exit")
  end
  one()
  return measure(rounds, one)
end

-- A question to the kernel that costs next to nothing to answer.
function bench.kernel_call(rounds)
  local tsc = sys.tsc
  return measure(rounds, function() tsc() end)
end

-- From a timer's event to the domain that subscribed to it.
function bench.event_to_lua(rounds)
  local event, reflex = require "event", require "reflex"
  local queue <close> = event.subscribe { type = "timer", code = 63 }
  event.define "bench_start"
  assert(reflex.rule { name = "bench start", on = "bench_start",
    act = "set_timer(63, 1ms)" })
  assert(reflex.rule { name = "bench again", on = "timer", when = "code == 63",
    act = "set_timer(63, 1ms)" })
  event.raise "bench_start"
  local sum, uptime = 0, sys.uptime
  for _ = 1, rounds do
    local e = queue:read(1)
    sum = sum + (uptime() - e.time)
  end
  reflex.remove "bench start"
  reflex.remove "bench again"
  return sum / rounds * sys.machine().tsc_hz
end

return bench
