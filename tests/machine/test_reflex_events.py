"""What rules can be over, each raised by the real thing: disks, virtual
machines, interrupt lines. Keys, pointers, the power button and domains have
their tests elsewhere (test_input, test_power_button, scenario/events.lua)."""

import json

import pytest

from test_block import MIB, broken_disk, drive

# Issue "the reflex engine": events from every source there is.
TYPES = {
    "input_key", "input_button", "input_motion", "timer", "disk", "vm_state",
    "vm_exits", "vm_watchdog", "overrun", "domain_end", "memory_pressure",
    "irq_rate", "irq_flood", "power_button", "log", "reflex", "notice", "device"}
ACTIONS = {
    "show", "hide", "toggle", "toggle_presented", "take_back", "focus", "key",
    "mask_irq", "unmask_irq", "set_timer", "stop_timer", "log", "notify",
    "raise", "vm_pause", "vm_resume", "vm_reset", "vm_kill", "vm_nmi",
    "stop_domain", "escalate", "poweroff", "reset"}


@pytest.fixture(scope="module")
def machine(request):
    """A disk with a bad sector, and one that is slow when it takes 20 ms."""
    from conftest import Fleet, _workdir
    fleet = Fleet(_workdir("test_reflex_events"))
    image = fleet.workdir / "data.img"
    image.write_bytes(bytes(2 * MIB))
    rules = [{"event": "read_aio", "iotype": "read", "sector": 100,
              "errno": 5, "immediately": False}]
    slow = fleet.workdir / "slow.img"
    slow.write_bytes(bytes(2 * MIB))
    m = fleet.boot(cmdline="testhooks block.slow=20", cpus=2,
                   extra=broken_disk(image, rules) + drive("d1", slow))
    m.eval("event, reflex, vm = require 'event', require 'reflex', "
           "require 'vm' event.define 'go' return true")
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


def test_all_sources_have_a_type_with_documented_fields(machine):
    types, actions = machine.eval("""
        local types, actions = {}, {}
        for _, t in ipairs(reflex.events()) do
          local all = #t.doc > 5
          for _, f in ipairs(t.fields) do all = all and #f.doc > 2 end
          types[t.name] = all
        end
        for _, a in ipairs(reflex.actions()) do
          actions[a.name] = #a.doc > 5
        end
        return types, actions""")
    assert TYPES <= set(types) and all(types[name] for name in TYPES)
    assert ACTIONS <= set(actions) and all(actions.values())


def test_a_bad_sector_is_an_event_that_a_rule_counts(machine):
    assert machine.eval("""
        reflex.set_counter("bad", 0)
        assert(reflex.rule { name = "bad", on = "disk",
          when = "what == error and name == 'vdb'", act = "counter.bad += 1" })
        local q <close> = event.subscribe { type = "disk", what = "error" }
        local d <close> = assert(block.open "vdb")
        local _, _, code = d:read(100 * 512, 512)
        local e = assert(q:read(10))
        reflex.remove "bad"
        return code, e.name, e.value, reflex.counters().bad""", 30) == [
            "EIO", "vdb", 5, 1]


def test_a_slow_answer_is_an_event(machine):
    """QEMU lets 32 KiB a second pass, so that it holds the third request back
    at least."""
    def throttle(bps):
        machine.qmp.command("block_set_io_throttle", device="d1", bps=bps,
                            bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0)

    throttle(32768)
    name, took = machine.eval("""
        local q <close> = event.subscribe { type = "disk", what = "slow" }
        local d <close> = assert(block.open "vdc")
        for i = 1, 3 do assert(d:read(i * 65536, 16384)) end
        local e = assert(q:read(20))
        return e.name, e.value""", 60)
    throttle(0)
    assert name == "vdc" and took > 20e6


def test_the_life_of_a_virtual_machine_is_events(machine):
    states, rule = machine.eval("""
        reflex.set_counter("paused", 0)
        assert(reflex.rule { name = "paused", on = "vm_state",
          when = "state == paused", act = "counter.paused += 1" })
        local q <close> = event.subscribe("vm_state", 100)
        local g <close> = assert(vm.define { name = "life", memory = 16,
          kernel = "/boot/guests/spin.64", loader = "flat64" })
        assert(g:start()) assert(g:wait("running", 10))
        assert(g:pause()) assert(g:wait("paused", 10))
        assert(g:resume()) assert(g:wait("running", 10))
        assert(g:kill()) assert(g:wait("stopped", 10))
        local names, seen = {}, {}
        for name, value in pairs(event.types("vm_state").fields[1].constants)
        do names[value] = name end
        while seen[#seen] ~= "stopped" do
          seen[#seen + 1] = names[assert(q:read(10)).state]
        end
        g:destroy()
        reflex.remove "paused"
        return seen, reflex.counters().paused""", 60)
    order = [s for s in states if s not in ("defined", "starting")]
    assert order == ["running", "paused", "running", "stopped"]
    assert rule == 1


def test_the_rate_of_a_line_is_an_event(machine):
    name, rate, mine, line = machine.eval("""
        local q <close> = event.subscribe("irq_rate", 1000)
        local d <close> = assert(block.open "vdc")
        local vectors = {}
        for _, irq in ipairs(sys.interrupts()) do
          vectors[irq.vector] = irq.name
        end
        local e
        for _ = 1, 20 do
          for i = 0, 99 do assert(d:read(i * 4096, 512)) end
          repeat
            e = q:read(0)
          until not e or e.name ~= "timer" and e.line == -1
          if e then break end
        end
        return e.name, e.rate, vectors[e.code] == e.name, e.line""", 90)
    assert rate > 0 and mine and line == -1, (name, rate)


def test_a_rule_masks_one_vector_of_msi_x_and_unmasks_it(machine):
    """What comes while it is masked comes afterwards; others go on."""
    assert machine.eval("""
        local d <close> = assert(block.open "vdc")
        local function counts()
          local found = {}
          for _, irq in ipairs(sys.interrupts()) do
            found[irq.vector] = irq.count
          end
          return found
        end
        local before, vector = counts(), nil
        for i = 1, 50 do assert(d:read(i * 4096, 512)) end
        for v, n in pairs(counts()) do
          if v < 0xf0 and n - (before[v] or 0) >= 50 and n < 1e5 then
            local name
            for _, irq in ipairs(sys.interrupts()) do
              if irq.vector == v then name = irq.name end
            end
            if name ~= "events" and name ~= "reflex" then vector = v end
          end
        end
        local function act(text)
          assert(reflex.rule { name = "act", on = "go", act = text })
          event.raise("go", { value = vector })
        end
        act "mask_irq(value)"
        local masked = counts()[vector]
        local reader = domain.spawn { caps = { "block.read" }, source = [[
          local d = assert(require "block".open "vdc")
          assert(d:read(65536, 512))]] }
        local hangs = reader:wait(0.5) == nil
        local silent = counts()[vector] == masked
        local d2 <close> = assert(block.open "vda")
        local others = d2:read(0, 512) ~= nil
        act "unmask_irq(value)"
        local ended = reader:wait(10)
        reflex.remove "act"
        return hangs, silent, others, ended and ended.kind,
          counts()[vector] > masked""", 60) == [
              True, True, True, "exit", True]


def test_rules_show_hide_toggle_and_focus_a_surface(machine):
    assert machine.eval("""
        local core = require "display_core"
        local s <close> = assert(core.create("picture", 32, 32))
        s:set { shown = false, x = 0, y = 0, width = 32, height = 32, z = 10 }
        local seen = {}
        for _, name in ipairs { "show", "hide", "toggle", "toggle" } do
          assert(reflex.rule { name = "act", on = "go",
            act = name .. "('picture')" })
          event.raise "go"
          seen[#seen + 1] = core.find("picture"):info().shown
        end
        assert(reflex.rule { name = "act", on = "go",
          act = "focus('picture')" })
        local q <close> = event.subscribe { type = "reflex", code = "failure" }
        event.raise "go"
        local failed = assert(q:read(10)).rule
        s:take_input()
        event.raise "go"
        local quiet = q:read(0.2) == nil
        reflex.remove "act"
        return seen, failed, quiet""", 30) == [
            [True, False, True, False], "act", True]


def test_a_rule_starts_the_machine_anew(fleet):
    m = fleet.boot(cmdline="testhooks")
    m.eval("local event, reflex = require 'event', require 'reflex' "
           "event.define 'go' "
           "assert(reflex.rule { name = 'again', on = 'go', act = 'reset' })")
    mark = m.serial.mark()
    m.serial.send("require 'event'.raise 'go'\r")
    m.wait_first_screen(mark)
    assert m.eval("return sys.uptime() < 60") == [True]
