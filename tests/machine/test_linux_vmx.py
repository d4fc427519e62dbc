"""Debian's kernels on Intel's VMX, in Bochs, whose clock is the machine's own:
no busy host disturbs it."""

import pytest

from conftest import Fleet, _workdir
from machine import lane_works
from test_linux import CLOCK, HELPERS, run, run_down, start


@pytest.fixture(scope="module", params=[("bochs", 2)] * lane_works("bochs"),
                ids=["bochs"])
def machine(request):
    fleet = Fleet(_workdir("test_linux_vmx"), "bochs")
    m = fleet.boot(cmdline="testhooks", cpus=2, memory=1024, guests=True)
    request.module.shared_fleet = fleet
    m.wait_files("/guests")
    m.eval(HELPERS)
    m.eval(CLOCK)
    yield m
    fleet.close(keep=request.session.testsfailed > 0)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("cpus", [1, 2])
def test_linux_reaches_userland_and_its_time_is_ours(machine, cpus):
    assert machine.eval("return require 'vm'.host().vendor") == ["vmx"]
    ready = start(machine, "cloud/vmlinux", f"{{cpus={cpus}}}")
    assert ready.endswith(f"cpus={cpus}"), ready
    assert run(machine, "echo $((6 * 7))").strip() == "42"
    took, = machine.eval("return ten_seconds()", timeout=200)
    assert 9.9 < took < 10.1
    run_down(machine)
    machine.eval("G:destroy() G = nil")


WIDTH, HEIGHT = 640, 480
EDGE = 3  # pixels that scaling mixes with their neighbours
LOSS = 16  # of a colour, which Bochs shows by three or two bits
# Two bands, in the colours 0xaaaaaa and 0x555555.
PAINT = " ".join(f"tr '\\0' '\\{octal}' < /dev/zero | head -c "
                 f"{WIDTH * HEIGHT * 2};" for octal in ("252", "125"))
DISPLAY = f"""
G = assert(vm.define {{ name = "linux", memory = 256,
  kernel = "/guests/generic/vmlinux", initrd = "/guests/generic/initrd",
  display = {{ width = {WIDTH}, height = {HEIGHT} }},
  cmdline = [[console=ttyS0 quiet cryptomgr.notests fbcon=map:9 rayos.display ]]
    .. [[rayos.run="n() {{ {PAINT} }}; n > /dev/fb0; echo PAIN''TED"]] }})
assert(G:start())
assert(G:console():expect("PAINTED", 400))
display = require "display"
"""


def bands(m) -> list:
    """The one colour of each half of the guest's picture on our screen, where
    it is scaled to fit; None: there are several."""
    info, = m.eval('return display.get("linux"):info()')
    scale = min(info["view_width"] / WIDTH, info["view_height"] / HEIGHT)
    width, half = WIDTH * scale, HEIGHT * scale / 2
    left = info["x"] + (info["view_width"] - width) / 2
    top = info["y"] + (info["view_height"] - 2 * half) / 2
    image = m.screenshot("bands").convert("RGB")
    found = []
    for y in (top, top + half):
        colours = image.crop((round(left) + EDGE, round(y) + EDGE,
                              round(left + width) - EDGE,
                              round(y + half) - EDGE)).getcolors(1)
        found.append(colours and colours[0][1])
    return found


def are_drawn(colours) -> bool:
    return all(c and all(abs(part - grey) <= LOSS for part in c)
               for c, grey in zip(colours, (0xAA, 0x55)))


def until_drawn(m, drawn: bool) -> None:
    for _ in range(60):
        found = bands(m)
        if are_drawn(found) == drawn:
            return
        m.eval("sys.sleep(0.5)")
    raise AssertionError(f"on the screen: {found}")


@pytest.mark.timeout(900)
def test_what_linux_draws_is_on_our_screen_unless_hidden(machine):
    machine.eval(DISPLAY, timeout=450)
    machine.eval('assert(display.layout { full = "linux" })')
    until_drawn(machine, True)
    machine.eval('assert(display.layout { full = "terminal" })')
    until_drawn(machine, False)
    machine.eval('assert(display.layout { full = "linux" })')
    until_drawn(machine, True)
    machine.eval("G:destroy() G = nil")
