"""What reflexes do to the machine: virtual machines, interrupts, decisions."""

import pytest

EDU = ["-device", "edu,addr=0xa"]
RULES_THERE = """
for _ = 1, 200 do
  if #require "reflex".rules() >= 6 then break end
  sys.sleep(0.05)
end
return #require "reflex".rules()"""
VMS = """
vm, event, reflex = require "vm", require "event", require "reflex"
function guest(name, image)
  return assert(vm.define { name = name, kernel = "/boot/guests/" .. image,
    memory = 16, loader = "flat64" })
end
event.define "go"
function act(text)
  assert(reflex.rule { name = "act", on = "go", act = text })
  event.raise "go"
end
return true"""


@pytest.fixture(scope="module")
def machine(request):
    from conftest import Fleet, _workdir
    fleet = Fleet(_workdir("test_reflex_actions"))
    m = fleet.boot(cmdline="testhooks", cpus=2)
    request.module.shared_fleet = fleet
    assert m.eval(RULES_THERE, 30)[0] >= 6
    m.eval(VMS)
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


def test_rules_pause_resume_reset_and_kill_a_guest(machine):
    states = machine.eval("""
        local g <close> = guest("spin", "spin.64")
        assert(g:start())
        local seen = {}
        for _, step in ipairs { { "vm_pause('spin')", "paused" },
            { "vm_resume('spin')", "running" } } do
          act(step[1])
          seen[#seen + 1] = assert(g:wait(step[2], 10)) and g:state()
        end
        local boots = g:stats().boots
        act "vm_reset('spin')"
        for _ = 1, 200 do
          if g:stats().boots > boots then break end
          sys.sleep(0.05)
        end
        seen[#seen + 1] = g:stats().boots - boots
        act "vm_kill('spin')"
        seen[#seen + 1] = assert(g:wait("stopped", 10)) and g:state()
        g:destroy()
        return seen""", 60)[0]
    assert states == ["paused", "running", 1, "stopped"]


def test_a_rule_injects_an_nmi(machine):
    assert machine.eval("""
        local g <close> = guest("nmi", "nmi.64")
        assert(g:start())
        for _ = 1, 200 do
          if g:output() == "r" then break end
          sys.sleep(0.05)
        end
        act "vm_nmi('nmi')"
        local ended = g:wait("stopped", 10)
        local output, code = g:output(), g:exit_code()
        g:destroy()
        return ended, output, code""", 60) == [True, "rn", 7]


def test_what_fails_is_an_event_also_when_it_fails_later(machine):
    assert machine.eval("""
        local q <close> = event.subscribe { type = "reflex", code = "failure" }
        local g <close> = guest("rests", "halt.64")
        act "vm_resume('rests')"
        local later = q:read(10)
        act "vm_kill('nobody')"
        local at_once = q:read(10)
        g:destroy()
        return later.rule, later.value, at_once.value""", 60) == ["act", 16, 2]


def test_a_guest_that_does_not_answer_its_watchdog_is_reset(machine):
    rules, boots, events = machine.eval("""
        local q <close> = event.subscribe {
          { type = "vm_watchdog" }, { type = "reflex", code = "escalate" } }
        local g <close> = guest("dog", "watchdog.64")
        assert(g:start())
        local rules, events = {}, 0
        while #rules < 2 do
          local e = assert(q:read(10))
          if e.type == "reflex" then rules[#rules + 1] = e.rule end
          if e.type == "vm_watchdog" and e.vm == "dog" then
            events = events + 1
          end
        end
        for _ = 1, 200 do
          if g:stats().boots >= 3 then break end
          sys.sleep(0.05)
        end
        local boots = g:stats().boots
        assert(g:destroy())
        return rules, boots, events""", 60)
    assert rules == ["guest hangs"] * 2 and boots >= 3 and events == 2


def test_exits_by_class_are_events(machine):
    reason, rate = machine.eval("""
        local q <close> = event.subscribe { type = "vm_exits" }
        local g <close> = guest("io", "exits.64")
        assert(g:start())
        local e = assert(q:read(20))
        g:kill() g:destroy()
        for name, value in pairs(event.types("vm_exits").fields[1].constants)
        do if value == e.reason then return name, e.rate end end""", 60)
    assert reason in ("io", "cpuid", "rdmsr", "wrmsr", "memory", "host", "cr")
    assert rate > 0


def test_who_decides_hears_of_it(machine):
    assert "rule 'asks' asks for a decision (source 2, value 77)" in \
        machine.eval("""
        assert(reflex.rule { name = "asks", on = "go", act = "escalate" })
        event.raise("go", { value = 77 })
        sys.sleep(0.3)
        local found = {}
        for _, r in ipairs(require "log".tail(30)) do
          found[#found + 1] = r.text
        end
        return table.concat(found, "|")""", 30)[0]


def storm(fleet, kind):
    m = fleet.boot(cmdline=f"testhooks pci.irq={kind}", cpus=2, extra=EDU)
    assert m.eval(RULES_THERE, 30)[0] >= 6
    return m


def test_a_line_that_storms_is_masked(fleet):
    m = storm(fleet, "intx")
    told, result, hits, rest, prompt = m.eval("""
        local event, reflex = require "event", require "reflex"
        event.define("answer", "what must not be lost")
        local told <close> = event.subscribe {
          { type = "reflex", code = "escalate" } }
        local others <close> = event.subscribe("answer", 1000)
        local writer = domain.spawn { caps = { "event" }, source = [[
          local event, sys = require "event", require "sys"
          for n = 1, 200 do event.raise("answer", { value = n })
            sys.sleep(0.001) end]] }
        local r = assert(sys.test.bench("edu_storm", 1))
        local e = told:read(5)
        writer:wait(10)
        local rest = 0
        for n = 1, 200 do
          local got = others:read(5)
          if got and got.value == n then rest = rest + 1 end
        end
        local hits
        for _, rule in ipairs(reflex.rules()) do
          if rule.name == "interrupt storm" then hits = rule.hits end
        end
        return e and e.rule, { count = r.count, mean = r.mean,
          hz = sys.machine().tsc_hz }, hits, rest, 6 * 7""", 60)
    rate = result["hz"] / result["mean"]
    print(f"\n{result['count']} interrupts at {rate:.0f} a second")
    assert told == "interrupt storm" and hits == 1
    # The first event has no rate yet; then four of 256 interrupts each, and
    # what was on its way.
    assert result["count"] <= 6 * 256
    assert rest == 200 and prompt == 42


def test_a_message_is_masked_by_a_rule(fleet):
    m = storm(fleet, "msi")
    m.eval("""
        event, reflex = require "event", require "reflex"
        event.define "go"
        for _, irq in ipairs(sys.interrupts()) do
          if irq.name == "edu" then vector = irq.vector end
        end
        function act(text)
          assert(reflex.rule { name = "act", on = "go", act = text })
          event.raise("go", { value = vector })
          return select(3, sys.test.bench("edu_storm", 1))
        end
        return true""")
    # It has an edge: one comes for each raise, and none while masked.
    assert m.eval("""
        local counts = {}
        for i, text in ipairs { "counter.x += 1", "mask_irq(value)",
            "mask_irq(value)", "unmask_irq(value)" } do
          act(text)
          counts[i] = dev("pci:00:0a.0"):properties().stormed
        end
        return counts""", 60)[0] == [1, 0, 0, 1]
