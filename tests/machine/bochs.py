"""The Bochs lane: OVMF on a Haswell with a PIIX chipset and an IDE disk, and
neither ACPI tables nor SMBIOS, since Bochs gives its firmware none.

Its display library "rfb" is the screen and the keyboard. It has 8 bits a pixel
and complains of the 32 that OVMF sets, but converts them all the same: what
would be a panic of that library is only reported. The machine's clock is
counted in instructions: while it only waits, it runs ahead of the one on the
wall.
"""

import os
import pathlib
import socket
import subprocess
import time

from PIL import Image

from base import BUILD, BaseMachine, NotSupported
from rfb import BUTTONS, Rfb
from serial_port import SerialPort

FIRMWARE = "/usr/share/ovmf/OVMF.fd"  # the 2 MiB one
VGA_BIOS = "/usr/share/vgabios/vgabios.cirrus.bin"
SECTORS, HEADS, SECTOR_BYTES = 63, 16, 512
RFB_PORTS = range(5900, 5950)  # the first free one of them is Bochs' own
TCP_LISTEN = "0A"
# The picture of the window has bars above and below the machine's screen.
HEADER_BAR, STATUS_BAR = 32, 18
KEY_GAP = 0.03  # seconds
KEYS_AT_ONCE = 2  # of up to six bytes; the machine's keyboard holds sixteen
# Icons in the bar above: the fourth from the left gives the mouse to the
# machine, the third from the right is the reset button.
ICON_WIDTH, MOUSE_ICON, RESET_ICON = 32, 3, -3
# Bochs takes differences of positions, which need not be on its screen: here
# there is room in all directions. It halves them, and cuts off what is large.
POINTER_START, POINTER_SCALE, POINTER_STEP = 30000, 2, 100
OFF_STATUS = 1  # how Bochs ends when the machine is switched off
OFF_TEXT = "Shutdown port: shutdown requested"

CONFIGURATION = """\
config_interface: textconfig
display_library: rfb, options="timeout=20, hideIPS"
romimage: file={firmware}
vgaromimage: file={vga_bios}
megs: {memory}
cpu: model={cpu}, count={cpus}, ips=50000000, reset_on_triple_fault=1
clock: sync=none, time0=1700000000
pci: enabled=1, chipset=i440fx, slot1=cirrus
vga: extension=cirrus
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="{image}", mode=flat, \
cylinders={cylinders}, heads={heads}, spt={sectors}
{slave}
boot: disk
com1: enabled=1, mode=socket-server, dev=127.0.0.1:{port}
port_e9_hack: enabled=1
mouse: type=imps2
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: {workdir}/bochs.log
panic: action=fatal, rfb=report
error: action=ignore
info: action=ignore
debug: action=ignore
"""


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening_port(pid: int, ports: range) -> int:
    """The port of `ports` on which the process listens (proc_pid_net(5))."""
    inodes = set()
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        target = os.readlink(link)
        if target.startswith("socket:["):
            inodes.add(target[len("socket:["):-1])
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        port = int(fields[1].split(":")[1], 16)
        if fields[3] == TCP_LISTEN and fields[9] in inodes and port in ports:
            return port
    raise ConnectionRefusedError("Bochs does not listen for a screen yet")


class BochsMachine(BaseMachine):
    lane = "bochs"

    def __init__(self, workdir, *, cpus: int = 2, memory: int = 512,
                 cpu: str = "corei7_haswell_4770", guests: bool = False,
                 **rest):
        super().__init__(workdir, **rest)
        self.options = dict(cpus=cpus, memory=memory, cpu=cpu)
        self.guests = guests
        self.port = 0
        self.rfb: Rfb | None = None
        self.pointer_x = self.pointer_y = POINTER_START
        self.buttons = 0

    @staticmethod
    def _cylinders(image: pathlib.Path) -> int:
        """Bochs wants to know a disk's whole geometry: it has no half ones."""
        track = HEADS * SECTORS * SECTOR_BYTES
        cylinders = -(-image.stat().st_size // track)
        os.truncate(image, cylinders * track)
        return cylinders

    def _slave(self) -> str:
        """The disk of virtual machines, at /guests (vmm/guest/images.py)."""
        if not self.guests:
            return ""
        copy = self.workdir / "guests.img"
        subprocess.run(["cp", "--sparse=always", BUILD / "guests.img", copy],
                       check=True)
        return (f'ata0-slave: type=disk, path="{copy}", mode=flat, '
                f"cylinders={self._cylinders(copy)}, heads={HEADS}, "
                f"spt={SECTORS}")

    def _configure(self) -> None:
        self.port = free_port()
        (self.workdir / "bochsrc").write_text(CONFIGURATION.format(
            workdir=self.workdir, image=self.image, firmware=FIRMWARE,
            vga_bios=VGA_BIOS, port=self.port, slave=self._slave(),
            cylinders=self._cylinders(self.image),
            heads=HEADS, sectors=SECTORS, **self.options))
        (self.workdir / "debugger").write_text("c\n")  # go on at once

    def command(self) -> list[str]:
        return [os.environ.get("BOCHS", "bochs"), "-q",
                "-f", f"{self.workdir}/bochsrc",
                "-rc", f"{self.workdir}/debugger"]

    def start(self) -> "BochsMachine":
        self._configure()
        self._launch("bochs.out", cwd=self.workdir)
        self.rfb = self._attempt(lambda: Rfb(
            listening_port(self.process.pid, RFB_PORTS)), "bochs.out")
        self.serial = self._attempt(self._connect_serial, "bochs.out")
        self._point()  # where the mouse begins, before it is the machine's:
        self._click_icon(MOUSE_ICON)  # else the way to there is a motion
        return self

    def _connect_serial(self) -> SerialPort:
        return SerialPort(socket.create_connection(("127.0.0.1", self.port)))

    def _cleanup(self) -> None:
        if self.rfb:
            self.rfb.close()
        self.rfb = None
        for image in (self.image, self.workdir / "guests.img"):
            pathlib.Path(f"{image}.lock").unlink(missing_ok=True)

    def wait_exit(self, timeout: float = 60.0) -> int:
        status = self.process.wait(timeout)
        if status == OFF_STATUS and OFF_TEXT in (
                self.workdir / "bochs.log").read_text(errors="replace"):
            return 0
        return status

    def reset(self) -> int:
        """A click on the window's reset icon. The firmware finds its way only
        because RayOS has left the power management as a reset should
        (drivers/platform/piix4_power.c): before that, restart()."""
        mark = self.serial.mark()
        self._click_icon(RESET_ICON)
        return mark

    def _click_icon(self, number: int) -> None:
        """From the left, or if it is negative from the right."""
        edge = self.rfb.image().width if number < 0 else 0
        for buttons in (BUTTONS["left"], 0):
            self.rfb.pointer(edge + ICON_WIDTH * number + ICON_WIDTH // 2,
                             HEADER_BAR // 2, buttons)

    def screenshot(self, name: str = "screen") -> Image.Image:
        if self.rfb.error:
            raise self.rfb.error
        image = self.rfb.image()
        image = image.crop((0, HEADER_BAR, image.width,
                            image.height - STATUS_BAR))
        image.save(self.workdir / f"{name}.png")
        return image

    def keys(self, *names: str) -> None:
        """The last one is let go at once: while the machine has nothing to do,
        its clock makes a long time, with repeats, of each of our moments."""
        for name in names[:-1]:
            self.rfb.key(name, True)
            time.sleep(KEY_GAP)
        for down in (True, False):
            self.rfb.key(names[-1], down)
        time.sleep(KEY_GAP)
        for name in reversed(names[:-1]):
            self.rfb.key(name, False)
            time.sleep(KEY_GAP)

    def type_keys(self, text: str) -> None:
        """An emulator that had no time gets many keys at once, of which the
        machine's keyboard loses some: the machine takes a few before the next
        ones. The prompt on the serial line must be free."""
        for i, c in enumerate(text):
            if i % KEYS_AT_ONCE == 0:
                self.eval("sys.sleep(0.2)")
            name = {"\n": "ret", "\t": "tab"}.get(c, c)
            shift = c.isupper() or c in '~!@#$%^&*()_+{}|:"<>?'
            self.keys(*(["shift", name] if shift else [name]))

    # --- pointer: a PS/2 mouse ---

    def _point(self) -> None:
        self.rfb.pointer(self.pointer_x, self.pointer_y, self.buttons)
        time.sleep(KEY_GAP)

    def pointer_rel(self, dx: int, dy: int) -> None:
        while dx or dy:
            x = max(-POINTER_STEP, min(POINTER_STEP, dx))
            y = max(-POINTER_STEP, min(POINTER_STEP, dy))
            self.pointer_x += x * POINTER_SCALE
            self.pointer_y += y * POINTER_SCALE
            dx, dy = dx - x, dy - y
            self._point()

    def pointer_move(self, x: int, y: int) -> None:
        raise NotSupported("this machine has a mouse, and no tablet")

    def button(self, name: str, down: bool) -> None:
        bit = BUTTONS[name]
        self.buttons = self.buttons | bit if down else self.buttons & ~bit
        self._point()

    def wheel(self, steps: int) -> None:
        for _ in range(abs(steps)):
            for down in (True, False):
                self.button("up" if steps > 0 else "down", down)
