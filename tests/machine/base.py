"""What every machine under test can do, whichever emulator it runs in.

Lanes differ in how a machine is started, in its screen and keyboard, and in
its reset button; the disk and the prompt on the serial line are the same.
"""

import abc
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from PIL import Image

from serial_port import SerialPort

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
ESP_OFFSET = "1M"  # where mkimage.py puts the ESP
PROMPT = r"^ray> \Z"
CLICK_TIME = 0.03  # seconds
START_TIMEOUT = 20.0  # seconds until an emulator opens its sockets
PR_SET_PDEATHSIG = 1  # prctl(2)
LIBC = ctypes.CDLL(None)


def _die_with_the_tests() -> None:
    """An emulator must not outlive a test run that is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class NotSupported(Exception):
    """This lane's emulator cannot do what the test asks for."""


class BaseMachine(abc.ABC):
    lane: str  # what pytest.mark.lanes calls it

    def __init__(self, workdir, *, cmdline: str = "", image: str = "rayos.img",
                 edit=None):
        self.workdir = pathlib.Path(workdir)
        self.workdir.mkdir(parents=True, exist_ok=True)
        self.image = self.workdir / "disk.img"
        subprocess.run(["cp", "--sparse=always", BUILD / image, self.image],
                       check=True)
        self.put("rayos/boot.cfg", cmdline + "\n")
        if edit:
            edit(self)  # tests that damage files on the ESP
        self.process: subprocess.Popen | None = None
        self.serial: SerialPort | None = None

    # --- the disk ---

    def _mtools(self, tool: str, *args: str) -> bytes:
        command = [tool, "-i", f"{self.image}@@{ESP_OFFSET}", *args]
        env = os.environ | {"MTOOLS_SKIP_CHECK": "1"}
        return subprocess.run(command, check=True, env=env,
                              capture_output=True).stdout

    def put(self, path: str, data: bytes | str) -> None:
        """Write a file on the ESP. The machine must not run."""
        with tempfile.NamedTemporaryFile() as f:
            f.write(data.encode() if isinstance(data, str) else data)
            f.flush()
            self._mtools("mcopy", "-o", f.name, f"::/{path}")

    def get(self, path: str) -> bytes:
        with tempfile.TemporaryDirectory() as d:
            self._mtools("mcopy", f"::/{path}", f"{d}/file")
            return pathlib.Path(f"{d}/file").read_bytes()

    def remove(self, path: str) -> None:
        self._mtools("mdel", f"::/{path}")

    # --- power ---

    @abc.abstractmethod
    def command(self) -> list[str]:
        """The emulator's command line."""

    @abc.abstractmethod
    def start(self) -> "BaseMachine":
        """Power on. It raises when the emulator does not come up."""

    @abc.abstractmethod
    def reset(self) -> int:
        """The reset button, with the machine running on: a warm reset, which
        the software in it neither notices before nor can refuse. Memory keeps
        its contents in QEMU and in Bochs. Returns a mark in the serial stream,
        for wait_first_screen."""

    def _cleanup(self) -> None:
        """Remove what a killed emulator leaves behind."""

    def _launch(self, log: str, **options) -> None:
        with open(self.workdir / log, "ab") as output:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, preexec_fn=_die_with_the_tests, **options)

    def _attempt(self, connect, log: str):
        """Retry connect() until the emulator listens, or has ended."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                return connect()
            except OSError as e:
                if self.process.poll() is not None or \
                        time.monotonic() > deadline:
                    text = (self.workdir / log).read_text(errors="replace")
                    raise RuntimeError(f"{self.command()[0]} did not start "
                                       f"({e}): {text[-2000:]}") from None
                time.sleep(0.02)

    def kill(self) -> None:
        """Take the power away."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.serial:
            self.serial.close()
        self.process = self.serial = None
        self._cleanup()

    def restart(self) -> "BaseMachine":
        """kill -9 and power on with the same disk and variables."""
        self.kill()
        return self.start()

    def wait_exit(self, timeout: float = 60.0) -> int:
        """Wait until the machine has powered itself off; 0 if it did."""
        return self.process.wait(timeout)

    def __enter__(self) -> "BaseMachine":
        return self.start()

    def __exit__(self, *exc) -> None:
        self.kill()

    # --- the prompt on the serial line ---

    def wait_prompt(self, timeout: float = 120.0, since: int = 0) -> None:
        self.serial.expect(PROMPT, since, timeout)

    def wait_first_screen(self, since: int, timeout: float = 120.0) -> None:
        """Wait for a boot that began after `since` to reach its prompt."""
        self.serial.expect(r"RayOS \d[\s\S]*^ray> \Z", since, timeout)

    def type(self, line: str, timeout: float = 60.0) -> str:
        """Type a line at the prompt, wait for the next prompt, and return the
        text that came in between, echo included."""
        mark = self.serial.mark()
        self.serial.send(line + "\r")
        self.serial.expect(r"\n(.*\n)*ray> \Z", mark, timeout)
        return self.serial.text(mark)

    def eval(self, code: str, timeout: float = 60.0) -> list:
        """Run Lua at the prompt and get the values back (by way of JSON)."""
        code = " ".join(code.split("\n"))
        mark = self.serial.mark()
        self.serial.send(
            'do local r = table.pack(pcall(function() ' + code + ' end)) '
            'io.write("\\30", require"cjson".encode(r), "\\31\\n") end\r')
        m = self.serial.expect(r"\x1e([^\x1f]*)\x1f", mark, timeout)
        self.serial.expect(PROMPT, mark, timeout)
        values = json.loads(m.group(1))
        if isinstance(values, dict):  # nils make holes
            count = values["n"]
            values = [values.get(str(i + 1)) for i in range(count)]
        if not values[0]:
            raise AssertionError(f"{code}: {values[1]}")
        return values[1:]

    def expect_no_leak(self, step: str, lost: int, timeout=180) -> None:
        """`step` (Lua) is run up to four times: a leak takes `lost` bytes or
        more every time; heaps that grow and others' lives take some once."""
        grown, = self.eval(f"""
            local function used()
              local least = math.huge
              for _ = 1, 8 do
                collectgarbage() collectgarbage()
                least = math.min(least, sys.memory().used)
                sys.sleep(0.1)
              end
              return least
            end
            local function step() {step} end
            step()
            local grown = {{}}
            for i = 1, 4 do
              local before = used()
              step()
              grown[i] = used() - before
              if grown[i] < {lost} then break end
            end
            return grown""", timeout)
        assert grown[-1] < lost, f"{lost} bytes or more are lost: {grown}"

    def wait_files(self, path: str) -> None:
        """Wait for the disk of /esp or /guests, which is found after boot."""
        self.eval('for _ = 1, 300 do if require "fs".exists("' + path + '") '
                  'then return end sys.sleep(0.1) end '
                  f'error("{path} was not mounted")')

    # --- screen, keyboard and pointer ---

    @abc.abstractmethod
    def screenshot(self, name: str = "screen") -> Image.Image:
        """The screen as it stands; also kept as NAME.png in workdir."""

    @abc.abstractmethod
    def keys(self, *names: str) -> None:
        """Press the keys together, then release them (QEMU key names)."""

    @abc.abstractmethod
    def type_keys(self, text: str) -> None:
        """Type text on the PS/2 keyboard (US layout)."""

    @abc.abstractmethod
    def pointer_rel(self, dx: int, dy: int) -> None:
        """Move the mouse by counts of its own; y grows downwards."""

    @abc.abstractmethod
    def pointer_move(self, x: int, y: int) -> None:
        """Put the pointer of a tablet on a pixel of the screen. NotSupported
        where the machine has none (QEMU: extra=["-device",
        "virtio-tablet-pci"], or usb-tablet on a controller)."""

    @abc.abstractmethod
    def button(self, name: str, down: bool) -> None:
        """Press or release "left", "middle" or "right"."""

    @abc.abstractmethod
    def wheel(self, steps: int) -> None:
        """Turn the wheel; positive steps are away from the user, that is up."""

    def click(self, x: int | None = None, y: int | None = None,
              name: str = "left") -> None:
        """Press and release, at a pixel (of a tablet), or where the mouse is."""
        if x is not None and y is not None:
            self.pointer_move(x, y)
        self.button(name, True)
        time.sleep(CLICK_TIME)
        self.button(name, False)
