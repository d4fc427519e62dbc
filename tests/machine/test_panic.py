"""Every way to break the kernel on purpose ends in a readable panic, and the
next boot tells of it."""

import pytest

CRASHES = {
    "null": r"null pointer dereference",
    "stack": r"kernel stack overflow",
    "text": r"write to read-only",
    "exec": r"execution of",
    "panic": r"asked for",
    "deadlock": r"deadlock on mutexes: (\w+ -> ){3}\w+",
}


def crash(m, kind):
    mark = m.serial.mark()
    m.serial.send(f'sys.test.crash("{kind}")\r')
    m.serial.expect(r"RayOS panic", mark)
    return mark


@pytest.mark.parametrize("kind", CRASHES)
def test_this_fault_is_a_panic_that_survives_the_reset(fleet, kind):
    m = fleet.boot(cmdline="testhooks panic=reset", cpus=2)
    mark = crash(m, kind)
    m.serial.expect(CRASHES[kind], mark)
    m.serial.expect(r"(?i)backtrace", mark)
    m.serial.expect(r"\w+\+0x[0-9a-f]+", mark)  # symbolized
    m.serial.expect(r"CPU 1, ", mark)  # the other CPU's state, too
    m.wait_prompt(since=mark)
    m.serial.expect(r"previous boot ended in a panic", mark)
    record, = m.eval("return sys.last_panic()")
    assert "RayOS panic" in record
    # It is told once: a further boot is clean.
    mark = m.serial.mark()
    m.serial.send("sys.reboot()\r")
    m.wait_first_screen(mark)
    assert m.eval("return sys.last_panic()") in ([None], [])


def test_a_panic_is_on_the_screen_and_halts_by_default(fleet):
    m = fleet.boot(cmdline="testhooks")
    mark = crash(m, "null")
    m.serial.expect(r"null pointer dereference", mark)
    m.serial.expect(r"halted", mark)
    image = m.screenshot("panic")
    pixels = list(image.getdata())
    ground = max(set(pixels), key=pixels.count)
    assert ground == (0x3b, 0x10, 0x16)
    text = sum(p == (0xf4, 0xe9, 0xe6) for p in pixels)
    assert text > 5000, "the report is not on the screen"


def test_crash_hooks_are_refused_without_testhooks(fleet):
    m = fleet.boot()
    text = m.type('print(pcall(function() return sys.test.crash("null") end))')
    assert "RayOS panic" not in text
    assert "testhooks" in text
