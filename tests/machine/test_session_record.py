"""A person's session at both prompts of one machine: completion, history,
several lines, an error, Ctrl-C, help. What was seen on the serial terminal is
left in build/session.txt, the screen in build/session.png."""

import time

from machine import BUILD

UP, CTRL_C = "\x1b[A", "\x03"


class Record:
    """The serial terminal, and what stood on it after each step."""

    def __init__(self, machine):
        self.serial = machine.serial
        self.pages: list[str] = []

    def see(self, title: str, *patterns: str) -> None:
        for pattern in patterns:
            self.serial.expect_screen(pattern, 30)
        lines = "\n".join(self.serial.screen()).strip("\n")
        self.pages.append(f"--- {title} ---\n{lines}\n")

    def step(self, title: str, keys: str, *patterns: str) -> None:
        """On a cleared screen and line: type keys, wait for what is to be seen."""
        self.serial.send(CTRL_C + "\x0c")
        self.serial.expect_screen(r"\Aray>\s*\Z", 30)
        self.serial.send(keys)
        self.see(title, *patterns)


def test_a_session_on_the_serial_line_and_on_the_screen(fleet):
    m = fleet.boot(cmdline="video=1280x1024")
    try:
        record = Record(m)
        serial_session(record)
        (BUILD / "session.txt").write_text("\n".join(record.pages))
        screen_session(m)
    finally:
        m.screenshot("session").save(BUILD / "session.png", optimize=True)


def serial_session(record: Record) -> None:
    record.see("the first screen", r"^RayOS \d", r"help\(\)", r"^ray>$")
    record.step("completion: Tab finishes a name", "sys.mem\t",
                r"^ray> sys\.memory")
    record.step("and shows the arguments", "sys.sleep(\t",
                r"^ray> sys\.sleep\(\n.*seconds")
    record.step("an expression gives its value",
                "total = 6 * 7\rtotal\r", r"^42\nray>$")
    record.step("history: Up brings an entry back", UP, r"^ray> total$")
    record.step("and Ctrl-R searches", "\x12 * 7",
                r"total = 6 \* 7")
    record.step("several lines",
                "function greet(name)\rprint('hello, ' .. name)\rend\r"
                "greet 'ray'\r",
                r"^\.\.\.> +print\('hello, ' \.\. name\)\n\.\.\.> end\n",
                r"^hello, ray\nray>$")
    record.step("an error has a traceback",
                "function f() return nil + 1 end\rlocal x = f()\r",
                r"^error: .*attempt to perform arithmetic on a nil value$",
                r"^  entry \d+:1: in .*'f'", r"^ray>$")
    record.step("a syntax error is pointed at", "x = = 2\r",
                r"^error: unexpected symbol near '='\n  x = = 2\n      \^")
    record.step("an endless loop", "while true do end\r", r"while true do end$")
    time.sleep(0.5)
    record.serial.send(CTRL_C)
    record.see("and Ctrl-C", r"^interrupted at entry \d+:1", r"^ray>$")
    record.step("help on a function", "help(sys.sleep)\r",
                r"^sys\.sleep\(seconds\)", r"^Example$", r"^ray>$")


def cpu_of_screen_shell(m) -> float:
    return m.eval('return domain.find("shell:tty0"):stats().cpu')[0]


def cpu_rate(m) -> float:
    """CPU seconds that the shell of the screen uses in a second."""
    before, start = cpu_of_screen_shell(m), m.eval("return sys.uptime()")[0]
    time.sleep(1)
    used = cpu_of_screen_shell(m) - before
    return used / (m.eval("return sys.uptime()")[0] - start)


def wait_file(m, path: str, text: str) -> None:
    """The serial prompt is the witness of what the other one does."""
    deadline = time.monotonic() + 20
    while m.eval(f'return (fs.read("{path}"))') != [text]:
        assert time.monotonic() < deadline, f"{path} does not hold {text!r}"
        time.sleep(0.2)


def changed(m, before) -> int:
    after = m.screenshot("after")
    return sum(a != b for a, b in zip(before.getdata(), after.getdata()))


def screen_session(m) -> None:
    empty = m.screenshot("empty")
    # Completion: what is typed is too short to be a function's name.
    m.type_keys("fs.wri\t('/tmp/tab', 'completed')\n")
    wait_file(m, "/tmp/tab", "completed")
    assert changed(m, empty) > 500
    # History: the entry runs a second time.
    m.type_keys("hits = (hits or 0) + 1 fs.write('/tmp/hits', '' .. hits)\n")
    wait_file(m, "/tmp/hits", "1")
    m.keys("up")
    m.keys("ret")
    wait_file(m, "/tmp/hits", "2")
    # Several lines.
    m.type_keys("function keep(name)\nfs.write('/tmp/lines', name)\nend\n"
                "keep 'kept'\n")
    wait_file(m, "/tmp/lines", "kept")
    # An error, and life after it.
    before = m.screenshot("before")
    m.type_keys("local x = nil + 1\n")
    m.type_keys("fs.write('/tmp/alive', 'yes')\n")
    wait_file(m, "/tmp/alive", "yes")
    assert changed(m, before) > 1500
    # Ctrl-C ends what computes.
    m.type_keys("while true do end\n")
    time.sleep(0.5)
    assert cpu_rate(m) > 0.3
    m.keys("ctrl", "c")
    time.sleep(0.5)
    assert cpu_rate(m) < 0.1
    before = m.screenshot("before")
    m.type_keys("help(sys.sleep)\n")
    time.sleep(1.5)
    assert changed(m, before) > 2000
