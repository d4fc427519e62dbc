"""A machine under test: QEMU with OVMF, driven as a user drives a computer.

    with Machine(workdir, cmdline="testhooks", cpus=2) as m:
        m.wait_prompt()
        assert m.eval("return 6 * 7") == [42]
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from PIL import Image

from qmp import Qmp
from serial_port import SerialPort

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
ESP_OFFSET = "1M"  # where mkimage.py puts the ESP
PROMPT = r"^ray> \Z"

# Characters that QMP knows by another name; the rest are their own.
_KEY_NAMES = {
    " ": "spc", "\n": "ret", "-": "minus", "=": "equal", "[": "bracket_left",
    "]": "bracket_right", ";": "semicolon", "'": "apostrophe",
    "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot",
    "/": "slash", "\t": "tab",
}
_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))


class Machine:
    def __init__(self, workdir, *, cmdline: str = "", cpus: int = 2,
                 memory: int = 512, machine: str = "q35", cpu: str = "EPYC",
                 disk: str = "virtio", image: str = "rayos.img",
                 extra: list[str] | None = None, edit=None):
        self.workdir = pathlib.Path(workdir)
        self.workdir.mkdir(parents=True, exist_ok=True)
        self.options = dict(cpus=cpus, memory=memory, machine=machine, cpu=cpu)
        self.disk = disk
        self.extra = extra or []
        self.image = self.workdir / "disk.img"
        subprocess.run(["cp", "--sparse=always", BUILD / image, self.image],
                       check=True)
        self.put("rayos/boot.cfg", cmdline + "\n")
        if edit:
            edit(self)  # tests that damage files on the ESP
        vars_file = os.environ.get("OVMF_VARS", "/usr/share/OVMF/OVMF_VARS.fd")
        shutil.copyfile(vars_file, self.workdir / "vars.fd")
        self.process: subprocess.Popen | None = None
        self.serial: SerialPort | None = None
        self.qmp: Qmp | None = None

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

    def _disk_args(self) -> list[str]:
        if self.disk == "directory":
            tree = self.workdir / "esp"
            shutil.copytree(BUILD / "esp", tree)
            (tree / "rayos/boot.cfg").write_bytes(self.get("rayos/boot.cfg"))
            return ["-drive", f"format=raw,file=fat:rw:{tree},if=virtio"]
        drive = ["-drive", f"id=d0,format=raw,if=none,file={self.image}"]
        return drive + {
            "virtio": ["-device", "virtio-blk-pci,drive=d0"],
            "ahci": ["-device", "ich9-ahci,id=ahci0",
                     "-device", "ide-hd,bus=ahci0.0,drive=d0"],
            "nvme": ["-device", "nvme,drive=d0,serial=rayos"],
            "usb": ["-device", "qemu-xhci,id=xhci0",
                    "-device", "usb-storage,bus=xhci0.0,drive=d0"],
        }[self.disk]

    def command(self) -> list[str]:
        code = os.environ.get("OVMF_CODE", "/usr/share/OVMF/OVMF_CODE.fd")
        o = self.options
        return [
            os.environ.get("QEMU", "qemu-system-x86_64"), "-nodefaults",
            "-machine", o["machine"], "-accel", "tcg,thread=multi",
            "-cpu", o["cpu"], "-smp", str(o["cpus"]), "-m", str(o["memory"]),
            "-drive", f"if=pflash,format=raw,readonly=on,file={code}",
            "-drive", f"if=pflash,format=raw,file={self.workdir}/vars.fd",
            "-device", "VGA,vgamem_mb=16", "-display", "none", "-nic", "none",
            "-chardev", f"socket,id=com1,path={self.workdir}/com1,server=on,"
            f"wait=on,logfile={self.workdir}/serial.log,logappend=on",
            "-serial", "chardev:com1",
            "-qmp", f"unix:{self.workdir}/qmp,server=on,wait=off",
            "-debugcon", f"file:{self.workdir}/debugcon.log",
            *self._disk_args(), *self.extra]

    def start(self) -> "Machine":
        stderr = open(self.workdir / "qemu.log", "ab")
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=stderr,
            stderr=stderr)
        self.serial = self._connect_serial()
        self.qmp = Qmp(f"{self.workdir}/qmp")
        return self

    def _connect_serial(self) -> SerialPort:
        deadline = time.monotonic() + 20
        while True:
            try:
                return SerialPort(f"{self.workdir}/com1")
            except OSError:
                if self.process.poll() is not None or \
                        time.monotonic() > deadline:
                    log = (self.workdir / "qemu.log").read_text()
                    raise RuntimeError(f"QEMU did not start: {log}") from None
                time.sleep(0.02)

    def kill(self) -> None:
        """Take the power away."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.serial:
            self.serial.close()
        if self.qmp:
            self.qmp.close()
        self.process = self.serial = self.qmp = None
        for name in ("com1", "qmp"):
            (self.workdir / name).unlink(missing_ok=True)

    def restart(self) -> "Machine":
        """kill -9 and power on with the same disk and variables."""
        self.kill()
        return self.start()

    def reset(self) -> int:
        """The reset button; returns a mark in the serial stream."""
        mark = self.serial.mark()
        self.qmp.command("system_reset")
        return mark

    def wait_exit(self, timeout: float = 60.0) -> int:
        """Wait until the machine has powered itself off."""
        return self.process.wait(timeout)

    def __enter__(self) -> "Machine":
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

    # --- screen and keyboard ---

    def screenshot(self, name: str = "screen") -> Image.Image:
        path = self.workdir / f"{name}.png"
        self.qmp.command("screendump", filename=str(path), format="png")
        return Image.open(path).convert("RGB")

    def keys(self, *names: str) -> None:
        """Press the keys together, then release them (QEMU key names)."""
        self.qmp.command("send-key", keys=[
            {"type": "qcode", "data": n} for n in names], **{"hold-time": 20})
        time.sleep(0.06)

    def type_keys(self, text: str) -> None:
        """Type text on the PS/2 keyboard (US layout)."""
        for c in text:
            shift = c.isupper() or c in _SHIFTED
            base = _SHIFTED.get(c, c.lower())
            name = _KEY_NAMES.get(base, base)
            self.keys(*(["shift", name] if shift else [name]))
