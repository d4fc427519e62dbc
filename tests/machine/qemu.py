"""The QEMU lane: OVMF, and TCG or, where it works, hardware KVM."""

import os
import shutil
import time

from PIL import Image

from base import BUILD, BaseMachine, NotSupported
from qmp import Qmp
from serial_port import SerialPort

# Characters that QMP knows by another name; the rest are their own.
HOLD_MS = 20

_KEY_NAMES = {
    " ": "spc", "\n": "ret", "-": "minus", "=": "equal", "[": "bracket_left",
    "]": "bracket_right", ";": "semicolon", "'": "apostrophe",
    "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot",
    "/": "slash", "\t": "tab",
}
ABSOLUTE_MAX = 0x7fff  # what QMP calls the right and the lower edge
_SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))


class QemuMachine(BaseMachine):
    lane = "qemu"
    accelerator = "tcg,thread=multi"

    def __init__(self, workdir, *, cpus: int = 2, memory: int = 512,
                 machine: str = "q35", cpu: str = "EPYC",
                 disk: str = "virtio", guests: bool = False,
                 extra: list[str] | None = None,
                 accelerator: str | None = None, **rest):
        super().__init__(workdir, **rest)
        self.accelerator = accelerator or self.accelerator
        self.options = dict(cpus=cpus, memory=memory, machine=machine, cpu=cpu)
        self.disk, self.guests = disk, guests
        self.extra = extra or []
        vars_file = os.environ.get("OVMF_VARS", "/usr/share/OVMF/OVMF_VARS.fd")
        shutil.copyfile(vars_file, self.workdir / "vars.fd")
        self.qmp: Qmp | None = None

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
            "ide": ["-device", "ide-hd,bus=ide.0,drive=d0"],
            "nvme": ["-device", "nvme,drive=d0,serial=rayos"],
            "usb": ["-device", "qemu-xhci,id=xhci0",
                    "-device", "usb-storage,bus=xhci0.0,drive=d0"],
        }[self.disk]

    def _guests_args(self) -> list[str]:
        """The disk of virtual machines, at /guests (vmm/guest/images.py)."""
        if not self.guests:
            return []
        return ["-drive", "id=guests,if=none,format=raw,readonly=on,"
                f"file={BUILD}/guests.img",
                "-device", "virtio-blk-pci,drive=guests,serial=guests"]

    def command(self) -> list[str]:
        code = os.environ.get("OVMF_CODE", "/usr/share/OVMF/OVMF_CODE.fd")
        o = self.options
        return [
            os.environ.get("QEMU", "qemu-system-x86_64"), "-nodefaults",
            "-machine", o["machine"], "-accel", self.accelerator,
            "-cpu", o["cpu"], "-smp", str(o["cpus"]), "-m", str(o["memory"]),
            "-drive", f"if=pflash,format=raw,readonly=on,file={code}",
            "-drive", f"if=pflash,format=raw,file={self.workdir}/vars.fd",
            "-device", "VGA,vgamem_mb=16", "-display", "none", "-nic", "none",
            "-chardev", f"socket,id=com1,path={self.workdir}/com1,server=on,"
            f"wait=on,logfile={self.workdir}/serial.log,logappend=on",
            "-serial", "chardev:com1",
            "-qmp", f"unix:{self.workdir}/qmp,server=on,wait=off",
            "-debugcon", f"file:{self.workdir}/debugcon.log",
            *self._disk_args(), *self._guests_args(), *self.extra]

    def start(self) -> "QemuMachine":
        self._launch("qemu.log")
        self.serial = self._attempt(
            lambda: SerialPort(f"{self.workdir}/com1"), "qemu.log")
        self.qmp = Qmp(f"{self.workdir}/qmp")
        return self

    def _cleanup(self) -> None:
        if self.qmp:
            self.qmp.close()
        self.qmp = None
        for name in ("com1", "qmp"):
            (self.workdir / name).unlink(missing_ok=True)

    def reset(self) -> int:
        mark = self.serial.mark()
        self.qmp.command("system_reset")
        return mark

    def screenshot(self, name: str = "screen") -> Image.Image:
        path = self.workdir / f"{name}.png"
        self.qmp.command("screendump", filename=str(path), format="png")
        return Image.open(path).convert("RGB")

    def keys(self, *names: str) -> None:
        self.qmp.command("send-key", keys=[
            {"type": "qcode", "data": n} for n in names],
            **{"hold-time": HOLD_MS})
        # QEMU pauses so long after each press and after each release.
        time.sleep((2 * len(names) * HOLD_MS + 20) / 1000)

    def type_keys(self, text: str) -> None:
        for c in text:
            shift = c.isupper() or c in _SHIFTED
            base = _SHIFTED.get(c, c.lower())
            name = _KEY_NAMES.get(base, base)
            self.keys(*(["shift", name] if shift else [name]))

    # --- pointer: QEMU gives each event to the device that is for it ---

    def _input(self, *events: tuple[str, dict]) -> None:
        self.qmp.command("input-send-event", events=[
            {"type": kind, "data": data} for kind, data in events])

    def pointer_rel(self, dx: int, dy: int) -> None:
        self._input(("rel", {"axis": "x", "value": dx}),
                    ("rel", {"axis": "y", "value": dy}))

    def pointer_move(self, x: int, y: int) -> None:
        if not any(m["absolute"] for m in self.qmp.command("query-mice")):
            raise NotSupported("this machine has no tablet")
        size = self.screenshot("pointer").size
        self._input(*(("abs", {"axis": axis,
                               "value": at * ABSOLUTE_MAX // (length - 1)})
                      for axis, at, length in zip("xy", (x, y), size)))

    def button(self, name: str, down: bool) -> None:
        self._input(("btn", {"button": name, "down": down}))

    def wheel(self, steps: int) -> None:
        name = "wheel-up" if steps > 0 else "wheel-down"
        for _ in range(abs(steps)):
            for down in (True, False):
                self.button(name, down)


class KvmMachine(QemuMachine):
    """The same on the processor of the host itself."""

    lane = "kvm"
    accelerator = "kvm"

    def __init__(self, workdir, *, cpu: str = "host", **rest):
        super().__init__(workdir, cpu=cpu, **rest)
