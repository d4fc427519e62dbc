"""Virtual machines: tiny guests of tests/guests run, end, crash and misbehave,
and the machine stays as it was."""

import re

import pytest

from machine import lane_works

# Run to its end: state, why, text, exit code, dump, statistics. (`eval` makes
# one line of it: no comments.)
HELPERS = r"""
local vm, sys = require "vm", require "sys"
function guest_define(name, options)
  local config = { name = name, kernel = "/boot/guests/" .. name, memory = 16,
    loader = "flat" .. name:match("%d+$") }
  for k, v in pairs(options or {}) do config[k] = v end
  return assert(vm.define(config))
end
function guest_run(name, options)
  local g <close> = guest_define(name, options)
  assert(g:start())
  for _ = 1, 1200 do
    if g:state() ~= "running" then break end
    sys.sleep(0.05)
  end
  local state, why = g:state()
  local dump = state == "crashed" and g:dump() or ""
  local result = { state = state, why = why or "", text = g:output(),
    code = g:exit_code(), dump = dump, stats = g:stats() }
  assert(g:destroy())
  return result
end
return true
"""


# SVM in QEMU, VMX in Bochs.
HOSTS = [("qemu", 1), ("qemu", 2), ("bochs", 2)]


@pytest.fixture(scope="module", params=[h for h in HOSTS if lane_works(h[0])],
                ids=lambda host: f"{host[0]}-{host[1]}")
def machine(request):
    from conftest import Fleet, _workdir
    lane, cpus = request.param
    fleet = Fleet(_workdir(f"test_vm-{lane}-{cpus}"), lane)
    m = fleet.boot(cmdline="testhooks", cpus=cpus)
    request.module.shared_fleet = fleet
    m.eval(HELPERS)
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


def run(m, name: str, options: str = "nil") -> dict:
    return m.eval(f"return guest_run({name!r}, {options})", timeout=90)[0]


def check_tap(result: dict) -> None:
    assert result["state"] == "stopped", result
    lines = re.findall(r"^(?:not )?ok \d+ .*$", result["text"], re.MULTILINE)
    bad = [line for line in lines if line.startswith("not")]
    plan = re.search(r"^1\.\.(\d+)$", result["text"], re.MULTILINE)
    assert not bad and plan and len(lines) == int(plan[1]), result["text"]
    assert result["code"] == 0


def test_the_host_says_what_it_uses(machine):
    host = machine.eval("return require 'vm'.host()")[0]
    assert host["vendor"] == {"qemu": "svm", "bochs": "vmx"}[machine.lane]
    assert host["nested_paging"]


def test_a_real_mode_guest_speaks_and_ends(machine):
    result = run(machine, "hello.16")
    assert result["text"] == "hello from real mode\n"
    assert (result["state"], result["code"]) == ("stopped", 42)


def test_protected_mode_with_and_without_paging(machine):
    result = run(machine, "protected.32")
    assert result["text"] == "protected mode\nwith paging\n"
    assert result["code"] == 0


def test_the_top_entries_of_pae_are_checked_and_kept(machine):
    """As a CPU with EPT does; with AMD's nested tables they are walked."""
    result = run(machine, "pae.32")
    lines = result["text"].splitlines()
    if machine.lane == "bochs":
        assert lines == ["paging", "refused", "kept", "loaded"], result
    else:
        assert lines == ["paging", "taken", "read", "loaded"], result
    assert (result["state"], result["code"]) == ("stopped", 0)


@pytest.mark.parametrize("name", ["cpu.64", "io.64", "memory.64",
                                  "mmio.64", "faults.64", "apic.64",
                                  "pv_eoi.64", "timers.64", "hostile.64",
                                  "loops.64"])
def test_long_mode_guest(machine, name):
    check_tap(run(machine, name))


IPIS = 1000  # by MMIO, and as many by MSR; each with an end and two TPRs


def ipis(machine, apic: str) -> tuple[int, int]:
    """Exits, but those for its text, and events that were injected."""
    result = run(machine, "ipi.64", f"{{ apic = {apic!r} }}")
    check_tap(result)
    stats = result["stats"]
    return sum(stats["exits"].values()) - stats["exits"]["io"], stats["injected"]


def test_the_cpu_runs_the_local_apic_if_it_can(machine):
    host, = machine.eval("return require 'vm'.host()")
    exits, injected = ipis(machine, "software")
    assert exits >= 2 * 4 * IPIS and injected >= 2 * IPIS
    if machine.lane != "bochs":
        assert not host["virtual_interrupts"]
        with pytest.raises(AssertionError, match="does not run guests' local"):
            ipis(machine, "hardware")
        return
    assert host["virtual_interrupts"] and host["virtual_interrupts_erratum"]
    exits, injected = ipis(machine, "hardware")
    assert exits <= 2 * IPIS + 10 and injected == 0  # at most the ICR's
    for name in ("apic.64", "timers.64", "smp.64"):
        check_tap(run(machine, name, "{ cpus = 2, apic = 'hardware' }"))


def test_two_vcpus_start_and_interrupt_each_other(machine):
    check_tap(run(machine, "smp.64", "{ cpus = 2 }"))


def test_a_guest_that_writes_anything_to_devices_harms_itself_only(machine):
    """However it ends: with its TAP, by a fault that it provoked, or not."""
    ended = machine.eval("""
        local g = guest_define("storm.64", { cpus = 2 })
        assert(g:start())
        for _ = 1, 200 do
          if g:state() ~= "running" then break end
          sys.sleep(0.05)
        end
        local state = g:state()
        g:kill()
        g:destroy()
        return state""", timeout=60)[0]
    assert ended in ("running", "stopped", "crashed")
    check_tap(run(machine, "cpu.64"))


def test_a_driver_that_breaks_every_ring_harms_itself_only(machine):
    """On all kinds of device, while another guest and the prompt go on."""
    machine.eval("""
        broken = event.subscribe("virtio_broken")
        other = guest_define("spin.64", { name = "other" })
        assert(other:start())
        fs.write("/tmp/disk", ("x"):rep(65536))""")
    result = run(machine, "virtio.64", """{
        rng = true, disks = { { source = "/tmp/disk" } },
        display = { width = 320, height = 200 } }""")
    check_tap(result)
    kinds, state, disk = machine.eval("""
        local kinds = {}
        while true do
          local e = broken:read(0)
          if not e then break end
          kinds[tostring(e.value)] = true
        end
        broken:close()
        local state = other:state()
        other:destroy()
        return kinds, state, fs.read("/tmp/disk") == ("x"):rep(65536)""")
    assert {"2", "3", "4", "16", "18"} <= set(kinds), "block to input"
    assert state == "running" and disk


def test_what_is_mounted_is_not_written_by_a_guest(machine):
    machine.wait_files("/esp")
    answer = machine.eval("""
        local volume
        for _, b in ipairs(block.list()) do
          volume = volume or (not b.parent and b.name)
        end
        local g <close> = guest_define("halt.64",
          { disks = { { source = volume } } })
        local ok, message, code = g:start()
        g:destroy()
        local r <close> = guest_define("halt.64",
          { disks = { { source = volume, read_only = true } } })
        local reads = r:start()
        r:destroy()
        return ok, message, code, reads""")
    assert answer[0] is None and answer[2] == "EBUSY", answer
    assert answer[3] is True


@pytest.fixture
def own_machine(request, tmp_path):
    """One with a command line of its own."""
    fleets = []

    def boot(cmdline: str, lane: str = "qemu", **options):
        from conftest import Fleet
        fleets.append(Fleet(tmp_path, lane))
        m = fleets[-1].boot(cmdline=cmdline, cpus=1, **options)
        m.eval(HELPERS)
        return m
    yield boot
    for fleet in fleets:
        fleet.close(keep=request.session.testsfailed > 0)


def test_events_that_fail_a_few_times_are_retried_until_delivered(own_machine):
    result = run(own_machine("testhooks inject_fail=5"), "smp.64",
                 "{ cpus = 2 }")
    check_tap(result)
    stats = result["stats"]
    assert stats["injected"] >= 6
    assert stats["inject_retries"] == 5 * stats["injected"]
    assert stats["inject_failures"] == 0


def test_an_event_that_is_never_delivered_is_reported(own_machine):
    result = run(own_machine("testhooks inject_fail=1000"), "apic.64")
    assert result["state"] == "crashed"
    assert re.fullmatch(r"event 49 could not be delivered in 16 attempts",
                        result["why"])
    assert result["stats"]["inject_failures"] == 1
    assert result["stats"]["injected"] == 0


def test_a_guest_whose_window_is_none_is_asked_again(own_machine):
    result = run(own_machine("testhooks window_fail=5"), "smp.64",
                 "{ cpus = 2 }")
    check_tap(result)
    stats = result["stats"]  # NMIs and exceptions need no window
    assert stats["inject_retries"] >= 4 * 5
    assert stats["inject_retries"] % 5 == 0
    assert stats["inject_failures"] == 0


def test_interrupts_that_find_no_window_are_reported(own_machine):
    result = run(own_machine("testhooks window_fail=1000"), "apic.64")
    assert result["state"] == "crashed"
    assert result["why"] == "no interrupt could be delivered in 16 windows"
    assert result["stats"]["inject_failures"] == 1
    assert result["stats"]["injected"] == 0


def test_without_testhooks_no_delivery_fails(own_machine):
    result = run(own_machine("inject_fail=1000 window_fail=1000"), "apic.64")
    check_tap(result)
    assert result["stats"]["inject_retries"] == 0


def test_an_interrupt_comes_once(own_machine):
    """Under a clock of instructions QEMU leaves a guest for each timer."""
    m = own_machine("testhooks", accelerator="tcg",
                    extra=["-icount", "shift=0,sleep=off"])
    m.eval("""
        waker = require "domain".spawn { name = "waker", source = [[
            local sys = require "sys"
            while true do sys.sleep(0.0003) end]] }""")
    check_tap(run(m, "once.64"))


@pytest.mark.lanes("bochs")
def test_a_state_that_the_cpu_refuses_is_explained(own_machine, lane):
    tr_rights = 0x4822  # a field of the VMCS
    result = run(own_machine(f"testhooks vmx_spoil={tr_rights:#x}", lane),
                 "hello.16")
    assert result["state"] == "crashed"
    assert "the CPU refused the guest's state" in result["why"]
    assert "VMCS guest TR: not present" in result["dump"]


def test_vector_registers_survive_exits_beside_others_that_use_them(machine):
    machine.eval("""
        worker = require "domain".spawn { name = "floats", source = [[
            local x, sys = 1.5, require "sys"
            while true do
              for i = 1, 20000 do x = (x * 1.0001 + i / 3) % 1000 end
              sys.sleep(0.001)
            end]] }
        return true""")
    check_tap(run(machine, "fpu.64"))
    machine.eval("worker:kill() return true")


def test_a_triple_fault_is_a_crash_with_a_dump(machine):
    result = run(machine, "triple.64")
    assert (result["state"], result["why"]) == ("crashed", "triple fault")
    assert "RBX 000000000000abcd" in result["dump"]
    assert "shutdown" in result["dump"]
    assert re.search(r"code at RIP: 0f 0b", result["dump"])


@pytest.mark.parametrize("name", ["triple.16", "triple.32"])
def test_a_triple_fault_in_other_modes(machine, name):
    result = run(machine, name)
    assert (result["state"], result["why"]) == ("crashed", "triple fault")


def test_page_tables_in_a_device_are_a_crash(machine):
    result = run(machine, "walk.64")
    assert result["state"] == "crashed"
    assert "page table" in result["why"], result["why"]


def test_a_flood_of_interrupts_is_the_guests_own(machine):
    """Another guest, the prompt and the clock go on beside it."""
    machine.eval("""flood = guest_define("flood.64", { name = "flood" })
                 assert(flood:start())""")
    check_tap(run(machine, "cpu.64"))
    goes_on, state = machine.eval("""
        local first = flood:stats().injected
        for _ = 1, 300 do
          if flood:stats().injected > first + 10 then break end
          sys.sleep(0.1)
        end
        local goes_on, state = flood:stats().injected > first + 10, flood:state()
        flood:kill() flood:destroy() flood = nil
        return goes_on, state""", timeout=60)
    assert goes_on and state == "running"


def test_running_where_there_is_no_ram_is_a_crash(machine):
    result = run(machine, "hole.64")
    assert result["state"] == "crashed"
    assert "execution of guest-physical 0x3f000000" in result["why"]


def test_a_halt_with_interrupts_off_ends_the_guest(machine):
    assert run(machine, "halt.64")["state"] == "stopped"


def test_a_guest_that_never_exits_can_be_paused_looked_at_and_killed(machine):
    states = machine.eval("""
        local g = guest_define("spin.64")
        assert(g:start())
        sys.sleep(0.2)
        assert(g:pause())
        local a = g:regs()
        sys.sleep(0.1)
        local b = g:regs()
        assert(g:resume())
        sys.sleep(0.1)
        assert(g:pause())
        local c = g:regs()
        local states = { g:state() }
        assert(g:resume())
        assert(g:kill())
        states[#states + 1] = g:state()
        assert(g:destroy())
        return a.rbx == b.rbx, c.rbx > b.rbx, states""", timeout=30)
    assert states == [True, True, ["paused", "stopped"]]


def test_a_reset_begins_anew(machine):
    text = machine.eval("""
        local g = guest_define("reset.16")
        assert(g:start())
        for _ = 1, 3 do
          sys.sleep(0.1)
          if g:state() == "running" then assert(g:reset()) end
        end
        g:kill()
        local text = g:output()
        g:destroy()
        return text""", timeout=30)[0]
    assert set(text) == {"1"}


@pytest.mark.parametrize("key, how", [
    ("k", "keyboard controller"), ("a", "port 0x92"), ("r", "reset register")])
def test_a_guest_resets_itself(machine, key, how):
    text, said = machine.eval(f"""
        local g = guest_define("resets.16")
        assert(g:start())
        local text
        g:console():write("{key}")
        for _ = 1, 100 do
          text = g:output()
          if text == ".." then break end
          sys.sleep(0.1)
        end
        g:destroy()
        local said = false
        for _, e in ipairs(require "log".tail(20)) do
          said = said or e.text:find("{how}", 1, true) ~= nil
        end
        return text, said""", timeout=30)
    assert text == ".."
    assert said


def test_what_is_refused_says_why(machine):
    answers = machine.eval("""
        local vm = require "vm"
        local _, none = vm.define { name = "" }
        local _, small = vm.define { name = "x", memory = 0 }
        local g = vm.define { name = "x", kernel = "/no/such" }
        local _, missing = g:start()
        local _, twice = vm.define { name = "x" }
        g:destroy()
        local _, who = pcall(vm.define, { name = "y", apic = "both" })
        return none, small, missing, twice, who""")
    for answer, word in zip(answers, ("name", "memory", "/no/such", "name",
                                      "apic is 'both'")):
        assert word in answer


@pytest.mark.parametrize("net,words", [
    ("mac = '52:00:00:00:0:01'", "nets[2]: mac '52:00:00:00:0:01': byte 5 is"),
    ("mac = '52:00:00:00:00:01:02'", "byte 6 is not the end"),
    ("mac = '0x52:00:00:00:00:1'", "byte 1 is not two hexadecimal digits"),
    ("mac = '01:00:5e:00:00:01'", "byte 1 is odd: that is a group's"),
    ("mac = '00:00:00:00:00:00'", "byte 1 and all others are zero"),
    ("mac = ''", "byte 1 is not two"),
    ("mac = 52", "nets: mac must be a string"),
    ("mac = ('52:'):rep(8)", "nets: mac has more than 23 bytes"),
    ("spoof = 1", "nets: spoof must be true or false")])
def test_a_network_card_that_is_wrong_says_where(machine, net, words):
    answer, = machine.eval(f"""
        local _, message = pcall(require "vm".define, {{ name = "x", nets = {{
          {{ network = "lan" }}, {{ network = "lan", {net} }} }} }})
        return tostring(message)""")
    assert words in answer


def test_an_edited_cpuid_line_is_what_the_guest_sees(machine):
    result = run(machine, "cpu.64", "{ cpuid = { { leaf = 0x7fffffff, "
                 "eax = 1 } } }")
    assert "not ok 4 an unknown leaf is empty" in result["text"]


def test_fifty_lives_leak_no_frame(machine):
    machine.expect_no_leak('for _ = 1, 50 do guest_run("hello.16") end',
                           lost=50 * 4096)
