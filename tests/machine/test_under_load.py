"""A hung domain and a memory hog beside it do not disturb the prompt."""

import statistics
import time

HANG = "while true do end"
HOG = ("local keep = {} while true do pcall(function() while true do "
       "keep[#keep + 1] = ('x'):rep(4096) .. #keep end end) end")


def echo_times(m, count=30):
    """Seconds from sending a character to seeing it."""
    times = []
    m.serial.send("x = '")
    m.serial.expect_screen(r"ray> x = '")
    for i in range(count):
        mark = m.serial.mark()
        start = time.monotonic()
        m.serial.send("abcdefghij"[i % 10])
        m.serial.wait_until("the echo", lambda: m.serial.mark() > mark, 30)
        times.append(time.monotonic() - start)
        time.sleep(0.05)
    m.serial.send("\x03")
    m.wait_prompt()
    return times


def describe(name, times):
    return (f"{name}: median {statistics.median(times) * 1000:.1f} ms, "
            f"max {max(times) * 1000:.1f} ms")


def test_the_echo_stays_usable_beside_a_hang_and_a_hog(fleet):
    m = fleet.boot(cpus=2)
    idle = echo_times(m)
    m.eval(f"""
      hang = {{}}
      for i = 1, 3 do
        hang[i] = assert(domain.spawn {{ name = "hang" .. i, caps = {{}},
          source = [[{HANG}]] }})
      end
      hog = assert(domain.spawn {{ name = "hog", caps = {{}},
        memory = 64 << 20, source = [[{HOG}]] }})""")
    time.sleep(2)
    busy = echo_times(m)
    before, = m.eval("return sys.uptime()")
    time.sleep(1)
    after, = m.eval("return sys.uptime()")
    stats, = m.eval("local s = hog:stats() return {memory = s.memory}")
    print("\n" + describe("idle", idle) + "\n" + describe("loaded", busy)
          + f"\nhog holds {stats['memory'] >> 20} MiB")
    assert stats["memory"] > 32 << 20, "the hog does not hog"
    assert after - before > 0.5, "the clock stands still"
    assert max(busy) < 5, "the prompt is not usable"
    assert m.eval("for i = 1, 3 do hang[i]:kill('done') end hog:kill('done') "
                  "return hang[1]:wait(10).kind, hog:wait(10).kind") == \
        ["killed", "killed"]
