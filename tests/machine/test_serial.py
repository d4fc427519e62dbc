"""Both serial ports carry every byte both ways, whoever is slow; and a port
that is taken away comes back."""

import random
import threading
import time

from serial_port import SerialPort

SIZE = 1 << 20
# What the other end may be ahead of its echo on a terminal that Ctrl-C must
# reach: there input is never held back (rayos/tty.h).
WINDOW = 2048

# With PAUSE it reads at uneven pace, so that the far end has to wait.
ECHO = """
  local console, sys = require 'console', require 'sys'
  local left, rest = SIZE, SIZE // 4
  while left > 0 do
    local s = console.read(30)
    if not s then break end
    console.write(s)
    left, rest = left - #s, rest - #s
    if PAUSE and rest < 0 then
      rest = SIZE // 4
      sys.sleep(0.5)
    end
  end
""".replace("SIZE", str(SIZE))


def second_port(fleet, **options):
    """A machine with two ports, and the far end of the second."""
    m = fleet.make(**options)
    path = m.workdir / "com2"
    m.extra += ["-chardev", f"socket,id=com2,path={path},server=on,wait=off",
                "-serial", "chardev:com2"]
    m.start()
    m.wait_prompt()
    com2 = SerialPort(str(path))
    com2.blind = True
    return m, com2


def pattern(seed: int, without: bytes) -> bytes:
    """Random bytes, none of which the tty has a meaning for."""
    table = bytes(b + 1 if b in without else b for b in range(256))
    return random.Random(seed).randbytes(SIZE).translate(table)


def send_all(port: SerialPort, data: bytes, start: int, window: int) -> None:
    """`start`: where the echo begins in what the port has received."""
    for at in range(0, len(data), 512):
        port.wait_until("the echo", lambda: at - window < len(port.raw) - start,
                        60)
        port.send(data[at:at + 512])


def properties(m, name):
    return m.eval(f"return dev('{name}'):properties()")[0]


def test_a_mebibyte_each_way_on_both_ports_at_once(fleet):
    m, com2 = second_port(fleet, cmdline="testhooks")
    before = properties(m, "isa:serial0")
    # 3 is Ctrl-C where a chunk runs; newlines get a carriage return.
    for_com1, for_com2 = pattern(1, b"\x03\n"), pattern(2, b"\n")
    m.serial.blind = True
    source = ECHO.replace("PAUSE", "true").replace("\n", " ")
    m.eval(f"domain.spawn {{ name = 'echo', console = 'ttyS1', "
           f"caps = {{ 'console' }}, source = [[{source}]] }}")
    mark = m.serial.mark()
    chunk = ECHO.replace("PAUSE", "false").replace("\n", " ")
    m.serial.send(f"do io.write('\\30') {chunk} end io.write('\\31\\n')\r")
    m.serial.wait_until("the chunk", lambda: b"\x1e" in m.serial.raw[mark:], 60)
    start = m.serial.raw.index(b"\x1e", mark) + 1

    sender = threading.Thread(
        target=send_all, args=(com2, for_com2, 0, SIZE))
    sender.start()
    send_all(m.serial, for_com1, start, WINDOW)
    sender.join()
    m.serial.wait_until("all of it", lambda: len(m.serial.raw) >= start + SIZE,
                        60)
    com2.wait_until("all of it", lambda: len(com2.raw) >= SIZE, 60)
    assert m.serial.raw[start:start + SIZE] == for_com1
    assert com2.raw == for_com2

    m.serial.blind = False
    m.wait_prompt(since=start + SIZE)
    first, second = properties(m, "isa:serial0"), properties(m, "isa:serial1")
    assert second["received"] == second["sent"] == SIZE
    assert second["pauses"] > 0, "the far end was never asked to pause"
    assert first["received"] - before["received"] >= SIZE
    for port in first, second:
        for loss in ("dropped", "overruns", "parity_errors", "framing_errors"):
            assert port[loss] == 0, loss
    com2.close()


def test_a_writer_waits_for_a_far_end_that_does_not_read(fleet):
    m, com2 = second_port(fleet, cmdline="testhooks")
    com2.close()  # with nobody there QEMU takes and drops: this must not hang
    m.eval("domain.spawn { name = 'tell', console = 'ttyS1', "
           "caps = { 'console' }, source = [[require 'console'.write("
           "('x'):rep(1 << 16))]] }")
    deadline = time.monotonic() + 60
    while properties(m, "isa:serial1")["sent"] < 1 << 16:
        assert time.monotonic() < deadline


def test_a_break_does_nothing_and_is_counted(fleet):
    m, com2 = second_port(fleet, cmdline="testhooks")
    m.qmp.command("chardev-send-break", id="com1")
    assert m.eval("return 6 * 7") == [42]
    assert properties(m, "isa:serial0")["breaks"] == 1
    com2.close()


def test_a_port_that_is_taken_away_comes_back(fleet):
    m, com2 = second_port(fleet, cmdline="testhooks")
    # In the middle of a chunk: what is printed meanwhile is an error.
    assert m.eval("""
      local port = dev('isa:serial0')
      port:unbind()
      local ok, why = pcall(require 'console'.write, 'lost')
      port:bind()
      return ok, why""") == [False, "console: No such device"]
    # While the shell waits for a line: it ends, and is started again.
    mark = m.serial.mark()
    m.serial.send("domain.spawn { name = 'away', source = [[local sys, dev = "
                  "require 'sys', require 'dev' sys.sleep(1) "
                  "local port = dev('isa:serial0') "
                  "port:unbind() sys.sleep(2) port:bind()]], caps = { '*' } }\r")
    m.wait_first_screen(mark)
    assert m.eval("return dev('isa:serial0'):properties().binds") == [3]
    # A reader of the other port is told, and can read again later.
    m.eval("""
      reader = domain.spawn { name = 'reader', console = 'ttyS1',
        caps = { 'console', 'log' }, source = [[
        local _, _, code = require 'console'.read(60)
        require 'log'.info('reader: ' .. tostring(code)) ]] }
      sys.sleep(0.2)
      dev('isa:serial1'):unbind()
      sys.sleep(0.2)""")
    assert "reader: ENODEV" in m.type("log.tail(20)")
    com2.close()


def test_unbinding_a_hundred_times_under_load_loses_no_memory(fleet):
    m, com2 = second_port(fleet, cmdline="testhooks")
    m.eval("""
      domain.spawn { name = 'load', caps = { '*' }, console = 'ttyS1',
        source = [[
        local console = require 'console'
        while true do pcall(console.write, ('load'):rep(50))
          require 'sys'.sleep(0.001) end ]] }
      function rebind(n)
        for _ = 1, n do
          for _, name in ipairs { 'isa:serial1', 'isa:rtc',
                                  'isa:power_button' } do
            local d = dev(name) d:unbind() assert(d:bind())
          end
        end
      end
      """)
    m.expect_no_leak("rebind(100)", lost=100 * 4096)
    mark = com2.mark()
    com2.wait_until("output goes on", lambda: com2.mark() > mark + 1000, 30)
    assert abs(m.eval("return os.time()")[0] - time.time()) < 120
    com2.close()
