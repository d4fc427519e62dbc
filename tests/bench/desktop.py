"""A guest's screen and keyboard, by tests/guests/screen.64, beside what just
copying the pixels takes, or a budget."""

import pathlib
import sys

from rayos import TIMEOUT, BenchMachine

WIDTH, HEIGHT = 640, 480  # as the guest has it
FRAMES = 20

# Seconds of the virtual device and of the compositor, for so many pixels; ticks
# from a key to the guest's program, and from a word to the screen; busy seconds
# of a second with the guest hidden.
PROGRAM = f"""
local vm, display = require "vm", require "display"
local event, reflex = require "event", require "reflex"
local guest = assert(vm.define {{ name = "linux", memory = 16,
  kernel = "/boot/guests/screen.64", loader = "flat64",
  display = {{ width = {WIDTH}, height = {HEIGHT} }} }})
assert(guest:start())
local out = guest:console()
assert(out:expect("R", 60))
local function show()
  assert(display.layout {{ window = "linux", width = {WIDTH}, height = {HEIGHT} }})
  assert(display.flush())
end
local function hide()
  assert(display.layout {{ full = "terminal" }})
  assert(display.flush())
end
local function device_seconds()
  for _, row in ipairs(sys.threads()) do
    if row.name:find("^vm%d+ cpu0$") then
      return row.cpu - guest:stats().guest_seconds
    end
  end
end
local found = {{ key = {{}}, show = {{}} }}
show()
sys.sleep(1)
local device, busy = device_seconds(), display.stats().busy
local pixels = guest:display().pixels
for _ = 1, {FRAMES} do
  assert(out:write("f"))
  assert(out:expect("F", 60))
  sys.sleep(0.1)
end
found.device = device_seconds() - device
found.flush = display.stats().busy - busy
found.pixels = guest:display().pixels - pixels
event.define "person"
assert(reflex.rule {{ name = "person", on = "person",
  act = "key(30, 1); key(30, 0)" }})
for i = 1, 10 do
  sys.sleep(0.3)
  local start = sys.tsc()
  event.raise "person"
  assert(out:expect("k", 30))
  found.key[i] = sys.tsc() - start
  assert(out:expect("k", 30))
end
reflex.remove "person"
for i = 1, 10 do
  hide()
  sys.sleep(0.3)
  local start = sys.tsc()
  show()
  found.show[i] = sys.tsc() - start
end
hide()
sys.sleep(1)
local idle, start = sys.cpus()[1].idle, sys.uptime()
sys.sleep(10)
found.busy = 1 - (sys.cpus()[1].idle - idle) / (sys.uptime() - start)
guest:kill() guest:destroy()
return found
"""


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def run(work: pathlib.Path, accel: list[str], cpu: str) -> dict:
    """Ticks: for a thousand pixels what the guest's commands take, what the way
    from its flush to the screen does, and copying as many; from a key to the guest's program, from hidden to shown, and busy
    ones of a second while it is hidden."""
    work.mkdir(parents=True, exist_ok=True)
    with BenchMachine(work, accel, cpus=1, cpu=cpu, cmdline="testhooks") as m:
        m.wait_prompt(timeout=TIMEOUT)
        hz, = m.eval("return sys.machine().tsc_hz")
        width, height = m.eval('return require"display_core".screen()')[:2]
        copy, = m.eval('return sys.test.bench("display_copy", 10)', TIMEOUT)
        found, = m.eval(PROGRAM, TIMEOUT)
    if found["pixels"] < FRAMES * WIDTH * HEIGHT:
        raise RuntimeError(f"the guest drew {found['pixels']} pixels")
    return {
        "device": found["device"] * hz * 1000 / found["pixels"],
        "flush": found["flush"] * hz * 1000 / found["pixels"],
        "copy": copy["mean"] * 1000 / (width * height),
        "key": _mean(found["key"]),
        "show": _mean(found["show"]),
        "hidden": found["busy"] * hz,
    }


if __name__ == "__main__":  # these rows alone: WORK [real]
    import bench
    accel = bench.REAL_TIME if sys.argv[2:] else bench.COUNTED
    for key, value in run(pathlib.Path(sys.argv[1]), accel, "EPYC").items():
        print(key, value)
