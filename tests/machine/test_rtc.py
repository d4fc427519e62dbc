"""The wall clock is the machine's own, and is set there."""

import calendar
import time

import pytest

BASE = calendar.timegm((2031, 2, 3, 4, 5, 6))
LATER = calendar.timegm((2096, 2, 29, 23, 59, 58))
NEXT_CENTURY = calendar.timegm((2104, 2, 29, 23, 59, 50))
BOCHS_TIME0 = 1700000000  # bochs.py


def test_the_clock_is_read_at_start_and_survives_a_reset_when_set(fleet):
    m = fleet.boot(cmdline="testhooks",
                   extra=["-rtc", "base=2031-02-03T04:05:06"])
    assert 0 <= m.eval("return os.time()")[0] - BASE < 60
    # All that tells a time takes it from there.
    now, date, mtime = m.eval("""
      fs.write('/tmp/now', 'x')
      return os.time(), os.date('!%Y-%m-%d'), fs.stat('/tmp/now').mtime""")
    assert date == "2031-02-03"
    assert abs(now - mtime) <= 1
    up, = m.eval("local up = sys.uptime() "
                 f"assert(sys.set_time({LATER})) return sys.uptime() - up")
    assert up < 5, "the monotonic clock moved"
    # Over midnight of a leap day, by the chip's own counting.
    assert 0 <= m.eval("return sys.time()")[0] - LATER < 30
    mark = m.serial.mark()
    m.serial.send("sys.reboot()\r")
    m.wait_first_screen(mark)
    assert 0 < m.eval("return os.time()")[0] - LATER < 120
    assert m.eval("return os.date('!%Y-%m-%d')") == ["2096-03-01"]
    # A century that OVMF would not let stand: without a reset.
    m.eval(f"assert(sys.set_time({NEXT_CENTURY})) sys.set_time(0, false) "
           "dev('isa:rtc'):unbind() dev('isa:rtc'):bind()")
    assert 0 <= m.eval("return os.time()")[0] - NEXT_CENTURY < 60


def test_the_wall_clock_alone_can_be_set_and_the_driver_taken_away(fleet):
    m = fleet.boot(cmdline="testhooks",
                   extra=["-rtc", "base=2031-02-03T04:05:06"])
    assert m.eval("return sys.set_time(1e9, false)") == [True]
    assert 0 <= m.eval("return sys.time()")[0] - 1e9 < 30
    # The driver's return brings the chip's time, which was left alone.
    m.eval("dev('isa:rtc'):unbind()")
    assert m.eval("return sys.set_time(2e9)") == [
        None, "clock: No such device", "ENODEV"]
    assert 0 <= m.eval("return sys.time()")[0] - 2e9 < 30
    m.eval("dev('isa:rtc'):bind()")
    assert 0 <= m.eval("return os.time()")[0] - BASE < 120
    assert m.eval("return pcall(sys.set_time, -1)")[0] is False
    assert m.eval("""
      local d = domain.spawn { name = 'caged', caps = { 'log' }, source = [[
        local sys = require 'sys'
        local domain = require 'domain'
        local ok, why, code = sys.set_time(1)
        require 'log'.info('caged: ' .. tostring(ok) .. ' ' .. code) ]] }
      sys.sleep(0.5)
      return (tostring(log.tail(10)):match('caged: (%S+ %S+)'))""") == [
          "nil EPERM"]


@pytest.mark.lanes("bochs")
def test_bochs_has_a_clock_too(fleet):
    m = fleet.boot(cmdline="testhooks")
    assert abs(m.eval("return os.time()")[0] - BOCHS_TIME0) < 3600
    binds, = m.eval("return dev('isa:rtc'):properties().binds")
    assert binds == 1
    target = BOCHS_TIME0 + 100_000_000
    m.eval(f"assert(sys.set_time({target}))")
    m.eval("dev('isa:rtc'):unbind() dev('isa:rtc'):bind()")
    assert 0 <= m.eval("return os.time()")[0] - target < 600


def test_the_time_of_day_is_the_hosts_without_any_option(fleet):
    m = fleet.boot()
    assert abs(m.eval("return os.time()")[0] - time.time()) < 120
