"""The far end of the machine's serial line: what a person at a terminal has.

A thread reads all bytes into a log and into a terminal model (pyte), so that a
test can ask for the bytes, for the text without escape sequences, or for what
stands on the terminal's screen now.
"""

import re
import socket
import threading
import time

import pyte

# ECMA-48 control sequences, OSC strings and two-byte escapes.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")


class SerialTimeout(AssertionError):
    """What a test waited for did not come."""


class SerialPort:
    def __init__(self, end: str | socket.socket, columns: int = 80,
                 rows: int = 24):
        """`end` is a connected socket, or the path of one to connect to."""
        if isinstance(end, str):
            self._sock = socket.socket(socket.AF_UNIX)
            self._sock.connect(end)
        else:
            self._sock = end
        self._cond = threading.Condition(threading.RLock())
        self.raw = bytearray()
        self.closed = False
        self.blind = False  # the terminal is not shown what comes: bulk data
        self._terminal = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._terminal)
        threading.Thread(target=self._read_loop, daemon=True).start()

    def _read_loop(self) -> None:
        while True:
            try:
                data = self._sock.recv(4096)
            except OSError:
                data = b""
            with self._cond:
                if not data:
                    self.closed = True
                    self._cond.notify_all()
                    return
                self.raw += data
                if not self.blind:
                    self._stream.feed(data)
                self._cond.notify_all()

    def send(self, data: bytes | str) -> None:
        self._sock.sendall(data.encode() if isinstance(data, str) else data)

    def mark(self) -> int:
        """A place in the stream, to wait for what comes after it."""
        with self._cond:
            return len(self.raw)

    def text(self, since: int = 0) -> str:
        """The stream without escape sequences and carriage returns."""
        with self._cond:
            data = bytes(self.raw[since:])
        return _ESCAPES.sub("", data.decode("utf-8", "replace")).replace("\r", "")

    def screen(self) -> list[str]:
        """The terminal's lines as they stand, without trailing blanks."""
        with self._cond:
            return [line.rstrip() for line in self._terminal.display]

    def wait_until(self, what: str, test, timeout: float):
        """Wait until test() gives something true; that is the result."""
        deadline = time.monotonic() + timeout
        with self._cond:
            while True:
                result = test()
                if result:
                    return result
                left = deadline - time.monotonic()
                if left <= 0 or self.closed:
                    why = "the machine ended" if self.closed else "time-out"
                    raise SerialTimeout(
                        f"{why} while waiting for {what}; last lines:\n"
                        + "\n".join(self.text().splitlines()[-25:]))
                self._cond.wait(min(left, 1.0))

    def expect(self, pattern: str, since: int = 0, timeout: float = 60.0):
        """Wait for a regular expression in the text after `since`."""
        regex = re.compile(pattern, re.MULTILINE)
        return self.wait_until(
            repr(pattern), lambda: regex.search(self.text(since)), timeout)

    def expect_screen(self, pattern: str, timeout: float = 60.0):
        """Wait for a regular expression on the terminal's screen."""
        regex = re.compile(pattern, re.MULTILINE)
        return self.wait_until(
            f"{pattern!r} on the screen",
            lambda: regex.search("\n".join(self.screen())), timeout)

    def close(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()
