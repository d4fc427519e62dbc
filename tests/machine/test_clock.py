"""The clock goes at the pace of the world outside."""

import time


def uptime(m):
    """The machine's clock and ours, read together."""
    before = time.monotonic()
    value, = m.eval("return sys.uptime()")
    return value, (before + time.monotonic()) / 2


def test_the_monotonic_clock_keeps_pace_with_the_hosts(fleet):
    m = fleet.boot()
    machine_1, host_1 = uptime(m)
    time.sleep(8)
    machine_2, host_2 = uptime(m)
    # An emulator's clock is the host's; reading takes a few hundredths.
    assert abs((machine_2 - machine_1) / (host_2 - host_1) - 1) < 0.1


def test_sleep_is_never_short(fleet):
    m = fleet.boot()
    assert m.eval("""
      for i = 1, 20 do
        local start = sys.uptime()
        sys.sleep(0.01 * i)
        if sys.uptime() - start < 0.01 * i then return i end
      end
      return 0""") == [0]


def test_the_wall_clock_is_the_hosts(fleet):
    m = fleet.boot()
    wall, = m.eval("return os.time()")
    assert abs(wall - time.time()) < 120
