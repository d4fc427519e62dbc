"""Reflexes while everything else is busy: virtual machines and Lua domains that
compute on every CPU, threads that allocate and switch, a disk that is flooded.
How long they take then is a row of tests/bench (reflex.latency_flooded_max);
here: none is lost, none counted twice, none waits for a lock."""

import pytest

from test_trace import saved

CPUS = 2
LOAD = """
event, reflex, vm = require "event", require "reflex", require "vm"
load_ = {}
for i = 1, %d do
  local g = assert(vm.define { name = "spin" .. i, memory = 16,
    kernel = "/boot/guests/spin.64", loader = "flat64" })
  assert(g:start())
  load_[#load_ + 1] = { kill = function() g:kill() g:destroy() end }
  for name, source in pairs {
      spins = "while true do end",
      allocates = "while true do local t = {} for i = 1, 2000 do "
        .. "t[i] = ('x'):rep(i) .. i end end",
      wakes = "local sys = require 'sys' while true do sys.sleep(0.0003) end" }
  do
    load_[#load_ + 1] = assert(domain.spawn { name = name .. i, caps = {},
      memory = 64 << 20, source = source })
  end
end
return true""" % CPUS
DISK_STATS = """
for _, d in ipairs(block.list()) do
  if d.serial == "rayos-bench" then return d.stats end
end"""


@pytest.fixture(scope="module")
def machine(request):
    from conftest import Fleet, _workdir
    fleet = Fleet(_workdir("test_reflex_isolation"))
    image = fleet.workdir / "bench.img"
    image.write_bytes(bytes(16 << 20))
    m = fleet.boot(cmdline="testhooks", cpus=CPUS, extra=[
        "-drive", f"id=bench,if=none,format=raw,file={image}",
        "-device", "virtio-blk-pci,drive=bench,serial=rayos-bench"])
    m.eval(LOAD)
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


def test_each_deadline_has_its_action_while_all_is_busy(machine):
    """The benchmark waits for each action, and gives up when one is missing."""
    done, = machine.eval(
        'return assert(sys.test.bench("reflex_latency_flooded", 200))', 120)
    stats, = machine.eval(DISK_STATS)
    print(f"\n{done}; disk: {stats['reads']} reads, {stats['writes']} writes")
    assert done["count"] == 200
    assert stats["reads"] > 20 and stats["writes"] > 10
    # A disk whose interrupt is lost would have to be reset.
    assert (stats["errors"], stats["timeouts"], stats["resets"]) == (0, 0, 0)


def test_rules_lose_nothing_while_all_is_busy(machine):
    ran, told, hits, ticks, failures, lost = machine.eval("""
        reflex.set_counter("ticks", 0)
        local flood = domain.spawn { caps = { "test" }, source = [[
          return require "sys".test.bench("reflex_latency_flooded", 100)]] }
        event.define "begin"
        assert(reflex.rule { name = "begin", on = "begin",
          act = "set_timer(9, 1ms, 1)" })
        assert(reflex.rule { name = "tick", on = "timer", when = "code == 9",
          act = "counter.ticks += 1" })
        assert(reflex.rule { name = "again", on = "timer",
          when = "code == 9 and value < 300",
          act = "set_timer(9, 1ms, value + 1)" })
        local q <close> = event.subscribe({ type = "timer", code = 9 }, 1000)
        local before = reflex.totals().lost
        event.raise "begin"
        local told = 0
        repeat
          local e = q:read(20)
          if e then told = told + 1 assert(e.value == told) end
        until not e or e.value == 300
        flood:wait(60)
        local tick
        for _, r in ipairs(reflex.rules()) do
          if r.name == "tick" then tick = r end
        end
        for _, name in ipairs { "begin", "tick", "again" } do
          reflex.remove(name)
        end
        return tick.runs, told, tick.hits, reflex.counters().ticks,
          tick.failures, reflex.totals().lost - before + q:lost()""", 120)
    assert (ran, told, hits, ticks) == (300, 300, 300, 300)
    assert failures == 0 and lost == 0


def test_no_lock_on_the_way_while_all_is_busy(machine):
    hits, = machine.eval("""
        local flood = domain.spawn { caps = { "test" }, source = [[
          return require "sys".test.bench("reflex_latency_flooded", 100)]] }
        event.define "path"
        local q <close> = event.subscribe("path", 1000)
        assert(reflex.rule { name = "path", on = "path",
          act = "counter.path += 1; my.n += 1; notify('x')" })
        trace.on("lock", "event")
        for i = 1, 200 do event.raise("path", { code = i }) end
        trace.save("/tmp/trace.json")
        local hits
        for _, r in ipairs(reflex.rules()) do
          if r.name == "path" then hits = r.hits end
        end
        reflex.remove "path"
        flood:wait(60)
        return hits""", 120)
    events = saved(machine)
    assert hits == 200
    assert any(e["name"] == "path" for e in events), "nothing was traced"
    assert not [e for e in events if e["name"] == "rule_lock"]


def test_the_prompt_is_there_and_the_load_ends(machine):
    assert machine.eval("for _, l in ipairs(load_) do l:kill() end "
                        "return 6 * 7", 120) == [42]
