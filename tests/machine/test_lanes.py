"""The same image boots and behaves in every emulator."""

import time

import pytest

pytestmark = pytest.mark.lanes("qemu", "bochs", "kvm")

# What the machine in each lane is, seen from inside.
KIND = {
    "qemu": {"vendor": "AuthenticAMD", "acpi": True, "virtualization": "SVM"},
    "bochs": {"vendor": "GenuineIntel", "acpi": False,
              "virtualization": "VMX"},
    "kvm": {},
}
CTRL_C = "\x03"


def check_machine(m, lane, cpus):
    info, = m.eval("return sys.machine()")
    assert info["cpus"] == cpus
    assert 0.8 * 512 < info["memory"] / 2**20 <= 512
    assert KIND[lane].items() <= info.items()
    assert m.eval("return 6 * 7") == [42]
    units, = m.eval("return sys.units()")
    assert len(units) >= 5
    assert not [u for u in units if u["state"] not in ("started", "absent")]


def check_domains_end(m):
    """By their budget, and in peace."""
    assert m.eval("""
      local function run(source)
        local d = assert(domain.spawn { name = "brief", memory = 8 << 20,
          budget = 0.2, caps = {}, source = source })
        return assert(d:wait(30)).kind
      end
      return run("while true do pcall(function() while true do end end) end"),
        run("error 'end'")""") == ["budget", "error"]


def check_ctrl_c_interrupts(m):
    mark = m.serial.mark()
    m.serial.send("while true do end\r")
    time.sleep(0.5)
    m.serial.send(CTRL_C)
    m.serial.expect(r"interrupted", mark, 20)
    m.wait_prompt(since=mark)


def check_screen_and_keyboard(m):
    """Without repeats: an idle machine's clock in Bochs may run far in the time
    that a busy host takes from a key's press to its release."""
    m.eval("input.repeat_rate(0) return true")
    before = m.screenshot("before")
    m.type_keys('fs.write("/tmp/typed", "Key#1")\n')
    assert m.eval("""
      for _ = 1, 100 do
        if fs.exists("/tmp/typed") then return fs.read("/tmp/typed") end
        sys.sleep(0.1)
      end""") == ["Key#1"]
    deadline = time.monotonic() + 10
    while m.screenshot("after").tobytes() == before.tobytes():
        assert time.monotonic() < deadline, "the screen does not change"
        time.sleep(0.1)


def check_mouse(m):
    """What the hand does is what the OS sees, in counts of the mouse."""
    m.eval('hand = event.subscribe { "input_button", "input_motion" }')
    m.pointer_rel(40, 25)
    m.pointer_rel(-7, -60)
    for name in ("left", "right", "middle"):
        m.click(name=name)
    m.wheel(2)
    m.wheel(-1)
    moved, turned, buttons = m.eval("""
      local moved, turned, buttons = { [0] = 0, [1] = 0 }, 0, {}
      while true do
        local e = hand:read(2)
        if not e then break end
        if e.type == "input_button" then
          buttons[#buttons + 1] = e.code .. (e.value == 1 and " down" or " up")
        elseif e.code == 8 then
          turned = turned + e.value
        else
          moved[e.code] = moved[e.code] + e.value
        end
      end
      hand:close()
      return { moved[0], moved[1] }, turned, buttons""")
    assert moved == [33, -35]
    assert turned == 1
    assert buttons == [f"{code} {how}" for code in (0x110, 0x111, 0x112)
                       for how in ("down", "up")]


def check_resets(m):
    """By the button, and by the OS itself: the disk and the lines stay."""
    since = m.reset()
    m.wait_first_screen(since)
    assert m.eval("return 6 * 7") == [42]
    since = m.serial.mark()
    m.serial.send("sys.reboot()\r")
    m.wait_first_screen(since)
    assert m.eval("return 6 * 7") == [42]


def check_kernel_selftests(m):
    names, = m.eval("return sys.test.selftests()")
    assert len(names) >= 15
    results = {n: m.eval(f'return sys.test.selftest("{n}")') for n in names}
    assert not {n: r for n, r in results.items() if r[0] is not True}


def check_power_off_ends_the_emulator(m):
    m.serial.send("sys.poweroff()\r")
    assert m.wait_exit(30) == 0


@pytest.mark.timeout(600)  # three boots of Bochs
@pytest.mark.parametrize("cpus", [1, 2])
def test_the_image_boots_and_behaves(fleet, lane, cpus):
    m = fleet.boot(cpus=cpus, cmdline="testhooks")
    check_machine(m, lane, cpus)
    check_domains_end(m)
    check_ctrl_c_interrupts(m)
    check_screen_and_keyboard(m)
    check_mouse(m)
    if cpus > 1:
        check_kernel_selftests(m)
    else:
        check_resets(m)
    check_power_off_ends_the_emulator(m)


def test_a_power_cut_while_it_starts_does_no_harm(fleet, lane):
    m = fleet(cpus=1)
    time.sleep(0.5)
    m.restart()
    m.wait_prompt()
    assert m.eval("return 6 * 7") == [42]
