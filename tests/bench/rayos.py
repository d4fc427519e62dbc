"""RayOS's side of the benchmarks: one boot, measured at its prompt."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/machine"))
from machine import Machine  # noqa: E402

TIMEOUT = 900
KERNEL_BENCHES = (
    "context_switch", "mutex_lock_unlock", "timer_to_thread", "reflex_latency",
    "reflex_latency_loaded",
    "reflex_rules_1", "reflex_rules_10", "reflex_rules_100",
    "reflex_rules_1000")
DISK_BENCHES = ("disk_read_4k", "disk_write_4k", "disk_read_1m",
                "disk_write_1m")
DISPLAY_BENCHES = ("display_full_redraw", "display_damage", "display_copy")
DOMAIN_BENCHES = ("message_round_trip", "create", "kernel_call",
                  "event_to_lua")

# A guest and domains that compute, allocate and wake all the time, on the one
# CPU; threads that switch, and a disk that is flooded, are the kernel's part.
LOAD = """
local vm, domain = require "vm", require "domain"
local guest = assert(vm.define { name = "load", memory = 16,
  kernel = "/boot/guests/spin.64", loader = "flat64" })
assert(guest:start())
local domains = {}
for i, source in ipairs {
    "while true do end",
    "while true do local t = {} for i = 1, 2000 do "
      .. "t[i] = ('x'):rep(i) .. i end end",
    "local sys = require 'sys' while true do sys.sleep(0.0003) end" } do
  domains[i] = assert(domain.spawn { name = "load" .. i, caps = {},
    memory = 64 << 20, source = source })
end
sys.sleep(0.1)
local result, why = sys.test.bench("reflex_latency_flooded", %d)
for _, d in ipairs(domains) do d:kill() d:wait(10) end
guest:kill() guest:destroy()
assert(result, why)
return result"""

# Guests that access whatever there is, at random, and start again at their end.
HOSTILE = """
local domain = require "domain"
local hostile = assert(domain.spawn { name = "hostile", caps = { "vm" },
  source = [[
    local vm, sys = require "vm", require "sys"
    local guests = {}
    for i, kernel in ipairs { "storm.64", "hostile.64" } do
      guests[i] = assert(vm.define { name = kernel, memory = 16,
        kernel = "/boot/guests/" .. kernel, loader = "flat64" })
    end
    while true do
      for _, g in ipairs(guests) do
        if g:state() ~= "running" then assert(g:start()) end
      end
      sys.sleep(0.01)
    end]] })
sys.sleep(1)
local result, why = sys.test.bench("reflex_latency", %d)
local vm, exits = require "vm", 0
for _, g in ipairs(vm.list()) do
  for _, n in pairs(g:stats().exits) do exits = exits + n end
end
assert(hostile:status() ~= "dead", "nobody starts the guests")
hostile:kill() hostile:wait(10)
for _, g in ipairs(vm.list()) do g:kill() g:destroy() end
assert(exits > 1000, "the guests did nothing")
assert(result, why)
return result"""


class BenchMachine(Machine):
    """A machine with the accelerator and clock of the benchmarks."""

    def __init__(self, work: pathlib.Path, accel: list[str], **options):
        super().__init__(work, **options)
        self.accel = accel

    def command(self) -> list[str]:
        command = super().command()
        at = command.index("-accel")
        return command[:at] + self.accel + command[at + 2:]


def run(work: pathlib.Path, accel: list[str], cpu: str, rounds: int,
        disk: list[str], creations: int, programs: int) -> dict:
    """Boot and measure; `disk` are QEMU's arguments for the one that is
    measured, `programs` of the Lua set are run."""
    found = {}
    with BenchMachine(work, accel, cpus=1, cpu=cpu, extra=disk,
                      cmdline="testhooks") as m:
        m.wait_prompt(timeout=TIMEOUT)
        # First, before anything else takes memory.
        found["memory"], = m.eval("return sys.memory().used", TIMEOUT)
        found["boot"], = m.eval("return sys.boot_times()", TIMEOUT)
        for name in KERNEL_BENCHES:
            # The echo of this line and the screen's last frame are to be over.
            found[name], = m.eval(
                f'sys.sleep(0.5) return assert(sys.test.bench("{name}", {rounds}))',
                TIMEOUT)
        for name in DISK_BENCHES:
            count = (rounds + 9) // 10 if "1m" in name else rounds
            found[name], = m.eval(
                f'sys.sleep(0.5) return assert(sys.test.bench("{name}", {count}))',
                TIMEOUT)
        found["screen"] = m.eval('return require"display_core".screen()')
        for name in DISPLAY_BENCHES:
            found[name], = m.eval(
                f'sys.sleep(0.5) return sys.test.bench("{name}", '
                f'{(rounds + 9) // 10})', TIMEOUT)
        for name in DOMAIN_BENCHES:
            count = creations if name == "create" else rounds
            found[name], = m.eval(
                f'return require"bench_system".{name}({count})', TIMEOUT)
        found["lua"], = m.eval(
            'local set = require"bench_programs" '
            f'for i = #set.order, {programs} + 1, -1 do set.order[i] = nil end '
            'return set.run(sys.tsc)', TIMEOUT)
        # Last: what it leaves behind is not for others to find.
        found["reflex_latency_hostile"], = m.eval(HOSTILE % rounds, TIMEOUT)
        found["reflex_latency_flooded"], = m.eval(LOAD % rounds, TIMEOUT)
    return found
