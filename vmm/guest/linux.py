"""Linux for guests: a kernel's parts, and a first file system with busybox."""

from __future__ import annotations

import lzma
import pathlib
import re
import struct
import subprocess
import zlib
from typing import Iterator

HERE = pathlib.Path(__file__).parent
BUSYBOX = pathlib.Path("/bin/busybox")
# What busybox' acpid runs when the button is pressed.
POWER_BUTTON = pathlib.PurePath("etc/acpi/PWRF/00000080")

# In the order in which they are wanted; what they depend on comes before them,
# and what is built into the kernel is left out.
MODULES = ("virtio_mmio", "virtio_pci", "virtio_blk", "virtio_console",
           "virtio_net", "virtio_rng", "virtio_balloon", "virtio_input",
           "evdev", "button", "virtio_gpu", "crc32c_generic", "ext4")

# Linux, Documentation/arch/x86/boot.rst: "The Real-Mode Kernel Header"
SETUP_SECTORS, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1F1, 0x248, 0x24C
SECTOR = 512
SIZE_BYTES = 4  # Linux puts the size behind what is compressed


def unpack(data: bytes) -> bytes:
    """What is compressed in a bzImage, by any way that kernels use."""
    if data.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(data)
    if data.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data)
    for magic, tool in ((b"\x28\xb5\x2f\xfd", "zstd"),
                        (b"\x02\x21\x4c\x18", "lz4")):
        if data.startswith(magic):
            return subprocess.run([tool, "-dc"], input=data[:-SIZE_BYTES],
                                  check=True, stdout=subprocess.PIPE).stdout
    raise SystemExit(f"guests: unknown compression, {data[:6].hex()}")


def vmlinux(image: bytes) -> bytes:
    """The ELF file in a bzImage: its boot takes half the time."""
    start = ((image[SETUP_SECTORS] or 4) + 1) * SECTOR
    offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    assert PAYLOAD_LENGTH == PAYLOAD_OFFSET + 4
    elf = unpack(image[start + offset:start + offset + length])
    if not elf.startswith(b"\x7fELF"):
        raise SystemExit("guests: there is no ELF file in the bzImage")
    return elf


# --- modules ---

def module_files(tree: pathlib.Path) -> dict[str, pathlib.Path]:
    return {p.stem.replace("-", "_"): p for p in tree.rglob("*.ko")}


def needed(files: dict[str, pathlib.Path],
           wanted: tuple[str, ...] = MODULES) -> list[str]:
    """The modules that exist, after what they depend on."""
    order: list[str] = []

    def add(name: str) -> None:
        if name in order or name not in files:
            return
        info = re.search(rb"\0depends=([^\0]*)", files[name].read_bytes())
        for other in (info.group(1).decode() if info else "").split(","):
            add(other.replace("-", "_"))
        order.append(name)

    for name in wanted:
        add(name)
    return order


# --- the first file system: cpio, as Linux' usr/gen_init_cpio.c writes it ---

class Archive:
    """Files in the format "newc", the same for the same files."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.count = 0

    def add(self, name: str, mode: int, data: bytes = b"",
            device: tuple[int, int] = (0, 0)) -> None:
        self.count += 1
        encoded = name.encode() + b"\0"
        fields = (self.count, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
                  len(encoded), 0)
        head = b"070701" + b"".join(b"%08x" % f for f in fields) + encoded
        for part in (head, data):
            self.parts.append(part + bytes(-len(part) % 4))

    def directory(self, name: str) -> None:
        self.add(name, 0o40755)

    def file(self, name: str, data: bytes, mode: int = 0o755) -> None:
        self.add(name, 0o100000 | mode, data)

    def link(self, name: str, target: str) -> None:
        self.add(name, 0o120777, target.encode())

    def data(self) -> bytes:
        self.add("TRAILER!!!", 0)
        return b"".join(self.parts)


def applets() -> Iterator[str]:
    listed = subprocess.run([BUSYBOX, "--list"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    return (name for name in listed.split() if name != "busybox")


def initrd(kernel: pathlib.Path) -> bytes:
    """busybox, the modules of the unpacked kernel package, and init."""
    files = module_files(kernel)
    order = needed(files)
    out = Archive()
    for name in ("bin", "dev", "proc", "sys", "tmp", "root", "run", "modules"):
        out.directory(name)
    out.add("dev/console", 0o20600, device=(5, 1))
    out.file("init", (HERE / "init.sh").read_bytes())
    out.file("bin/busybox", BUSYBOX.read_bytes())
    for name in applets():
        out.link(f"bin/{name}", "busybox")
    for parent in reversed(POWER_BUTTON.parents[:-1]):
        out.directory(str(parent))
    out.file(str(POWER_BUTTON), (HERE / "button.sh").read_bytes())
    for name in order:
        out.file(f"modules/{name}.ko", files[name].read_bytes(), 0o644)
    out.file("modules/order", "\n".join(order).encode() + b"\n", 0o644)
    return out.data()
