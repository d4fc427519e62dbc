"""The corpora that fuzzing starts from, made of real files where there are
any: what the build produced, Debian's fonts, and tables and texts like those
that firmware and people write.
"""

from __future__ import annotations

import io
import pathlib
import struct
import subprocess
import sys
import tarfile
import zlib
from typing import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import disk_images  # noqa: E402

BUILD = ROOT / "build"
KERNEL_BASE = 0xFFFFFFFF80000000

Seeds = dict[str, bytes]


# --- archives and fonts ---

def small_archive() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT,
                      bufsize=512) as tar:
        for name, kind in (("a", tarfile.DIRTYPE), ("a/b.lua", None),
                           ("c/d/e", None), ("l", tarfile.SYMTYPE),
                           ("p" * 90 + "/" + "q" * 90, None)):
            info = tarfile.TarInfo(name)
            info.type = kind or tarfile.REGTYPE
            info.size = 0 if kind else 7
            info.mtime = 1700000000
            tar.addfile(info, None if kind else io.BytesIO(b"return 1"[:7]))
    return out.getvalue().rstrip(b"\0").ljust(9 * 512, b"\0") + bytes(1024)


def tar() -> Seeds:
    seeds = {"small": b"\0" + small_archive(),
             "small-repaired": b"\1" + small_archive(),
             "empty": b"\0" + bytes(1024)}
    boot = BUILD / "boot.tar"
    if boot.exists():
        seeds["boot-head"] = b"\1" + boot.read_bytes()[:16 * 512] + bytes(1024)
    return seeds


def psf2(width: int, height: int, table: bytes, glyphs: int) -> bytes:
    size = (width + 7) // 8 * height
    return struct.pack("<8I", 0x864AB572, 0, 32, 1, glyphs, size, height,
                       width) + bytes(range(size)) * glyphs + table


def font() -> Seeds:
    seeds = {
        "two": psf2(8, 4, b"A\xc3\xa4\xff\xe2\x82\xacB\xfeA\xcc\x88\xff", 2),
        "wide": psf2(12, 3, b"\xf0\x9f\x98\x80\xff", 1)}
    for path in (BUILD / "gen/fonts").glob("Uni2-Terminus16*"):
        seeds[path.stem] = path.read_bytes()
    return seeds


# --- what firmware gives ---

def table(signature: bytes, body: bytes) -> bytes:
    """With the repair bit of the target, which makes length and checksum."""
    return signature + struct.pack("<IBB6s8sIII", 36 + len(body), 3, 0,
                                   b"RAYOS ", b"FUZZSEED", 1, 1, 1) + body


def acpi() -> Seeds:
    madt = struct.pack("<II", 0xFEE00000, 1) + b"".join((
        struct.pack("<BBBBI", 0, 8, 0, 0, 1),
        struct.pack("<BBBBI", 0, 8, 1, 1, 1),
        struct.pack("<BBBBII", 1, 12, 2, 0, 0xFEC00000, 0),
        struct.pack("<BBBBIH", 2, 10, 0, 9, 9, 13),
        struct.pack("<BBHQ", 5, 12, 0, 0xFEE00000),
        struct.pack("<BBHIII", 9, 16, 0, 300, 1, 2)))
    # One more of each than there is room for.
    full = bytes(8) + b"".join(
        [struct.pack("<BBBBI", 0, 8, i, i, 1) for i in range(65)]
        + [struct.pack("<BBBBII", 1, 12, i, 0, 0xFEC00000 + i * 4096, 24 * i)
           for i in range(9)]
        + [struct.pack("<BBBBIH", 2, 10, 0, i % 16, i, 0)
           for i in range(17)])
    fadt = bytearray(276 - 36)
    struct.pack_into("<I", fadt, 4, 0x7FE0000)
    struct.pack_into("<IB", fadt, 12, 0xB2, 2)
    struct.pack_into("<I", fadt, 28, 0x604)
    struct.pack_into("<I", fadt, 40, 0x608)
    fadt[55] = 4
    struct.pack_into("<I", fadt, 76, 1 << 10 | 1 << 8)
    struct.pack_into("<BBBBQB", fadt, 80, 1, 8, 0, 1, 0xCF9, 6)
    hpet = struct.pack("<IBBBBQ", 0x8086A201, 0, 64, 0, 0, 0xFED00000)
    mcfg = bytes(8) + struct.pack("<QHBBI", 0xB0000000, 0, 0, 255, 0) * 9
    aml = bytes(4) + b"\x08_S5_\x12\x06\x04\x0a\x05\x01\x00\x00" + bytes(4)
    root = b"RSD PTR \0RAYOS \2" + struct.pack("<IIQI", 0x7FE1000, 36,
                                              0x7FE2000, 0)
    kinds = [root, table(b"RSDT", struct.pack("<3I", 1, 2, 3)),
             table(b"XSDT", struct.pack("<3Q", 1, 2, 3)),
             table(b"APIC", madt), table(b"FACP", bytes(fadt)),
             table(b"HPET", hpet), aml, table(b"MCFG", mcfg)]
    seeds = {f"kind{i}": bytes([0x80 | i]) + t for i, t in enumerate(kinds)}
    return seeds | {"full": b"\x83" + table(b"APIC", full)}


def cmos_time() -> Seeds:
    """Registers in BCD and binary, 24 and 12 hours, with a century."""
    times = [(0x06, 0x05, 0x04, 0x03, 0x02, 0x31, 0x20, 2),
             (6, 5, 4, 3, 2, 31, 20, 6), (0x58, 0x59, 0x91, 1, 1, 0, 0x21, 0),
             (58, 59, 139, 29, 2, 0, 20, 4)]
    return {f"time{i}": b"\1" + bytes(t) + struct.pack("<q", 1927857906)
            for i, t in enumerate(times)}


def memory_map() -> Seeds:
    rows = [(7, 0, 0x9F), (0, 0x9F000, 1), (7, 0x100000, 0x700),
            (3, 0x800000, 0x100), (2, 0x900000, 8), (9, 0x7F0000, 16),
            (10, 0x7E0000, 4), (5, 0xA00000, 3), (11, 0xFEC00000, 1),
            (7, 0x100000000, 0x40000)]
    claims = bytes((1, 2, 3, 4, 255, 9))
    return {f"step{step}": bytes([step]) + claims + b"".join(
        struct.pack("<IIQQQQ", kind, 0, base, 0, pages, 15).ljust(step, b"\0")
        for kind, base, pages in rows) for step in (40, 48)}


# --- ELF ---

def small_elf() -> bytes:
    """One segment, three sections, two symbols."""
    strings = b"\0start\0stop\0"
    segment, sections = 64, 64 + 56
    symbols = sections + 4 * 64
    text = symbols + 3 * 24
    strtab = text + 16
    head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1,
                       KERNEL_BASE, segment, sections, 0, 64, 56, 1, 64, 4, 3)
    program = struct.pack("<IIQQQQQQ", 1, 5, text, KERNEL_BASE, 0, 16, 0x2000,
                          4096)

    def section(kind: int, flags: int, offset: int, size: int, link: int,
                entry: int) -> bytes:
        return struct.pack("<IIQQQQIIQQ", 0, kind, flags, 0, offset, size,
                           link, 0, 8, entry)

    return b"".join((
        head, program, bytes(64), section(1, 6, text, 16, 0, 0),
        section(2, 0, symbols, 3 * 24, 3, 24),
        section(3, 0, strtab, len(strings), 0, 0), bytes(24),
        struct.pack("<IBBHQQ", 1, 2, 0, 1, KERNEL_BASE, 8),
        struct.pack("<IBBHQQ", 7, 2, 0, 1, KERNEL_BASE + 8, 0),
        b"\x90" * 16, strings))


def elf() -> Seeds:
    seeds = {"small": small_elf()}
    kernel = BUILD / "kernel.stripped.elf"
    if kernel.exists():  # its headers; the segments are cut off
        seeds["kernel-head"] = kernel.read_bytes()[:4096]
    return seeds


def symbols() -> Seeds:
    """The small file, and one that the compiler made."""
    seeds = {"small": small_elf()}
    out = BUILD / "fuzz/seed.o"
    done = subprocess.run(
        ["gcc", "-x", "c", "-c", "-o", out, "-"], text=True,
        input="int a(int x) { return x; } int b(void) { return a(2); }")
    if done.returncode == 0:
        seeds["object"] = out.read_bytes()
    return seeds


# --- text ---

def texts(*lines: str) -> Seeds:
    return {f"text{i}": t.encode() for i, t in enumerate(lines)}


def options() -> Seeds:
    load = "\\EFI\\BOOT\\BOOTX64.EFI video=1024x768 x".encode("utf-16-le")
    config = b'# comment\r\nvideo=800x600 headless\nx="a b" # more\n'
    return {"both": b"\1" + config + b"\0" + load,
            "small": b"\0" + config + b"\0" + "x=1 y".encode("utf-16-le"),
            "bom": b"\1\xef\xbb\xbfx=1\n\0"}


def manifest() -> Seeds:
    line = "0123456789abcdef" * 4
    return texts(f"{line}  kernel.elf\n{line}  boot.tar\n",
                 f"{line} *./kernel.elf\r\n\r\n{line} *x", f"{line}  y\n")


def cmdline() -> Seeds:
    return texts("headless video=1024x768 n=0x10k\0video",
                 'a="b c" n=18446744073709551615 d\0d', "x==y  =z\0\0")


def number() -> Seeds:
    return texts("0", "-1.5e10", "0x1.8p-3", " +inf", "nan(1)", "1e-310",
                 "9007199254740993", "2.2250738585072011e-308", "1e400",
                 "0x.0000000000001p-1022", "1" + "0" * 400 + "e-390",
                 "179769313486231580793e289", "4.9406564584124654e-324",
                 "0." + "0" * 330 + "123456789")


def path() -> Seeds:
    return {f"path{i}": b"\xff" + t for i, t in enumerate((
        b"/a/../b/./c//d/\0/b", b"../../x\0/", b"/tmp/a\0/tmp", b".\0..",
        b"/" + b"n" * 255 + b"\0n"))}


# --- input ---

def keys() -> Seeds:
    return {"typing": bytes((0x1E, 0x9E, 0x2A, 0x1E, 0x9E, 0xAA)),
            "arrows": bytes((0xE0, 0x48, 0xE0, 0xC8, 0xE0, 0x2A, 0xE0, 0x53)),
            "pause": bytes((0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5, 0xFF)),
            "locks": bytes((0x3A, 0xBA, 0x45, 0xC5, 0x47, 0x1D, 0x2E, 0x38))}


def ps2() -> Seeds:
    return {"leds": bytes((1, 2, 0, 0xED, 7, 0, 0, 0, 0, 0, 0, 0xFA, 0xFA)),
            "knock": bytes((1, 7, 1, 0xF3, 200, 0xF3, 100, 0xF3, 80, 0xF2, 0))
            + b"\xfa" * 7 + b"\x03",
            "wheel": bytes((0, 0, 0, 0x09, 0, 5, 0, 7, 0, 0xFF)),
            "lost": bytes((0, 1, 0, 0x38, 0, 0xFB, 200, 0x08, 0, 1, 0, 2))}


def tty_line() -> Seeds:
    return texts("hello\r\nworld\n", "a b\x17\x15\x03\x04",
                 "\u4e2d\u6587e\u0301\U0001f600\x7f\x7f\x7f\x08",
                 "\x1b[A\x1b[1;5C\x1bOHx\x1b\x1b\t\n")


def fmt() -> Seeds:
    return {"number": b"\1\x7f\0\3\xff\x0a\x05" + bytes(8),
            "text": b"\1\x61\7\0\xff\x0a\x02" + b"12345678hello",
            "any": b"\0%5d|%-8.3x|%p%%%q%"}


def panic_record() -> Seeds:
    text = b"panic: a test\n"
    return {"good": b"\x40" + struct.pack("<QII", 0x43494E4150535952,
                                          len(text), zlib.crc32(text)) + text,
            "none": b"\x10" + bytes(32)}


def codec() -> Seeds:
    def text(s: bytes) -> bytes:
        return b"s" + struct.pack("<I", len(s)) + s

    def integer(i: int) -> bytes:
        return b"i" + struct.pack("<q", i)

    def items(n: int, *pairs: bytes) -> bytes:
        return b"{" + struct.pack("<I", n) + b"".join(pairs) + b"}"

    def reference(tag: bytes, i: int) -> bytes:
        return tag + struct.pack("<I", i)

    return {
        "plain": b"NTF" + integer(-1) + b"n" + struct.pack("<d", 0.5)
                 + text(b"hello"),
        "list": items(2, integer(1), text(b"a"), integer(2), b"T"),
        "cycle": items(0, text(b"self"), reference(b"r", 0)),
        "handles": reference(b"d", 0) + reference(b"d", 1)
                   + items(0, reference(b"d", 0), b"T"),
        "nested": items(0, text(b"x"), items(0, text(b"y"), items(0)),
                        items(0), reference(b"r", 1)),
        "sparse": items(0, *(integer(1 << i) + b"T"
                             for i in range(20, -1, -1)))}


# --- disks ---

def partition() -> Seeds:
    """The first byte: block size, and whether checksums are made right."""
    whole = [disk_images.Partition(3, 5, "one"),
             disk_images.Partition(6, 6, "zw\u00f6lf \U0001f600",
                                   read_only=True)]
    head, tail = disk_images.gpt(16, whole, count=4)
    disk = head.ljust(16 * 512 - len(tail), b"\0") + tail
    large, end = disk_images.gpt(8, [disk_images.Partition(3, 4)], 4096, 32)
    chain = b"".join((
        disk_images.mbr_table((0x83, 1, 2), (0x0F, 4, 10)), bytes(3 * 512),
        disk_images.mbr_table((0x83, 1, 1), (0x05, 3, 3)), bytes(2 * 512),
        disk_images.mbr_table((0x82, 1, 2), (0x05, 3, 3)), bytes(8 * 512)))
    return {"gpt": b"\0" + disk, "gpt-repaired": b"\x80" + disk,
            "gpt-backup": b"\x80" + disk[:512] + bytes(512) + disk[1024:],
            "gpt-4k": b"\x83" + large.ljust(8 * 4096 - len(end), b"\0") + end,
            "mbr": b"\0" + chain, "mbr-repaired": b"\x80" + chain}


def overlay() -> Seeds:
    """The first byte: whether checksums are made right, and a reset."""
    head = b"RAYOSOVL" + struct.pack("<IIQII", 1, 128, 3 * 128 + 1, 0, 3)
    table = b"OVMP" + struct.pack("<5I", 0, 2, 0, 1, 0)
    disk = head.ljust(8 * 512, b"\0") + table.ljust(512, b"\0")
    shared = disk.replace(struct.pack("<3I", 2, 0, 1), struct.pack("<3I", 1, 1, 1))
    return {"blank": b"\0" + bytes(512), "good": b"\1" + disk,
            "damaged": b"\0" + disk, "reset": b"\2" + disk,
            "shared": b"\1" + shared, "other": b"\0" + b"EFI PART"}


def _fat(fats: bytes, more: dict[int, bytes], sectors: int = 40) -> bytes:
    """A volume: boot sector, one table of a sector, a root, clusters."""
    boot = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x58\x90", b"rayos", 512, 1,
                       1, 1, 16, sectors, 0xF8, 1, 0, 0, 0, 0)
    disk = bytearray(sectors * 512)
    disk[:len(boot)], disk[510:512] = boot, b"\x55\xaa"
    disk[512:512 + len(fats)] = fats
    for sector, data in more.items():
        disk[sector * 512:sector * 512 + len(data)] = data
    return bytes(disk)


def _fat_entry(name: bytes, attributes: int, cluster: int, size: int) -> bytes:
    return struct.pack("<11sB8xHHHHI", name.ljust(11), attributes, 0, 0x6000,
                       0x585D, cluster, size)


def _fat_long(number: int, text: str, name: bytes) -> bytes:
    checksum = 0
    for byte in name.ljust(11):
        checksum = ((checksum << 7 | checksum >> 1) + byte) & 0xFF
    units = (text + "\0").ljust(13, "\uffff")[:13].encode("utf-16-le")
    return (bytes((number,)) + units[:10] + b"\x0f\0" + bytes((checksum,))
            + units[10:22] + b"\0\0" + units[22:])


def fat() -> Seeds:
    """FAT12 with a file of two clusters and a directory; FAT32 the like."""
    twelve = bytes.fromhex("f8ffff034000ff5f00ffffff")
    root = (_fat_entry(b"RAYOS", 8, 0, 0)
            + _fat_long(0x41, "Gr\u00fcn.txt", b"GRN     TXT")
            + _fat_entry(b"GRN     TXT", 32, 2, 700)
            + _fat_entry(b"DIR", 16, 5, 0))
    inner = _fat_entry(b".", 16, 5, 0) + _fat_entry(b"FILE    TXT", 32, 4, 9)
    small = _fat(twelve, {2: root, 6: inner})
    wide = bytearray(small)
    wide[17:19] = wide[22:24] = bytes(2)
    wide[36:48] = struct.pack("<IHHI", 1, 0, 0, 2)
    wide[512:544] = struct.pack("<8I", 0x0FFFFFF8, 0x0FFFFFFF, 0x0FFFFFFF, 4,
                                0x0FFFFFFF, 0x0FFFFFFF, 7, 6)
    wide[1024:1024 + len(root)] = root.replace(
        _fat_entry(b"GRN     TXT", 32, 2, 700),
        _fat_entry(b"GRN     TXT", 32, 3, 700))
    return {"fat12": small, "fat32": bytes(wide),
            "circle": _fat(bytes.fromhex("f8ffff032000"), {2: root})}


def vm_hpet() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_hpet.c: accesses of 8 bytes, and time."""
    write, wait = 0x3D, 2
    on = bytes((write, 4, 1, *[0] * 7))
    timer = (bytes((write, 64, 0x4E, 0x22, *[0] * 6))
             + bytes((write, 66, 0, 0x10, *[0] * 6)) * 2)
    return {"period": on + timer + bytes((wait, 0, 0, 3)) * 9,
            "answer": on + timer + (bytes((wait, 0, 0, 3))
                                    + bytes((write, 8, 1, *[0] * 7))) * 9}


def vm_uart() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_uart.c: writes, reads, typed bytes."""
    def write(register: int, value: int) -> bytes:
        return bytes((0, register, value))
    on = write(2, 0x81) + write(1, 0x0F) + write(4, 0x0B)
    return {"echo": on + (bytes((2, 3)) + b"abc" + bytes((1, 5, 1, 2, 1, 0))
                          + write(0, 0x61)) * 9,
            "loop": write(4, 0x1B) + write(2, 1) + write(0, 0x55) * 20
            + bytes((1, 0)) * 20}


def vm_irqchip() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_irqchip.c: the CPU, what, with what."""
    mmio, ioapic, port, line, take, end, time = 0, 2, 3, 4, 5, 6, 7
    timer = bytes((0, mmio, 0x32, 0x40, 0, 2, 0, 0, mmio, 0x38, 9, 0, 0, 0))
    pin = bytes((0, ioapic, 0x1A, 0, 0, 0, 1, 0,
                 0, ioapic, 0x55, 0x80, 0, 0, 1, 1))
    return {"timer": timer + bytes((0, time, 200, 0, take, 0, end)) * 9,
            "level": pin + bytes((0, line, 10, 1, 0, take, 0, end,
                                  0, line, 10, 0)) * 9,
            "8259": bytes((0, port, 0, 0x11, 0)) * 3 + bytes((0, take))}


def vm_registers() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_registers.c."""
    return {"pit": bytes((0, 0x34, 0, 0, 5, 1, 0, 0, 1, 0x80, 9, 9, 0, 0)) * 5,
            "clock": bytes((1, 11, 0x42, 3, 1, 0, 0, 0)) * 9,
            "8259": bytes((2, 0, 0x11, 0, 2, 1, 0x20, 0, 2, 0, 0x81, 2,
                           2, 0, 0, 3)) * 5}


def virtqueue() -> Seeds:
    """Steps of tests/fuzz/fuzz_virtqueue.c."""
    add, get, kick, reset, give, scribble = 0, 1, 2, 5, 6, 7
    turn = bytes((add, 1, 1, 2, 3, kick, give, 0, 3, get))
    return {"turns": b"\7" + turn * 20,
            "table": b"\7" + bytes((add, 3, 3, *[2] * 6, give, 0, 6, get)) * 9,
            "steps": b"\7" + bytes((9, 4, 1, kick, give, 0, 9, get)) * 9,
            "wild": b"\2" + bytes((add, 1, 0, 2, scribble, 2, 1, 9, get,
                                   reset)) + turn}


def _pci_space(kind: int, capabilities: bytes, bars: bytes = b"") -> bytes:
    """A configuration space of 256 bytes: a device or a bridge."""
    head = struct.pack("<HHHHIBBBB", 0x1AF4, 0x1001, 7, 0x10, 0x01000000,
                       0, 0, kind, 0)
    middle = (bars.ljust(24, b"\0") + bytes(12) + b"\x40" + bytes(7)
              + b"\x0b\x01\0\0")
    return (head + middle + capabilities).ljust(256, b"\0")


def pci_config() -> Seeds:
    masks = struct.pack("<12I", 0xFFFFF000, 0, 0xFFFFC00C, 0xFFFFFFFF,
                        0xFFFFFFE1, *[0] * 7)
    msix = struct.pack("<BBHII", 0x11, 0x50, 2, 0x800, 0xC00)
    msi = struct.pack("<BBHIIHHII", 5, 0, 0x180, 0, 0, 0, 0, 0, 0)
    bars = struct.pack("<6I", 0xFEBF1000, 0x0000000C, 8, 0xC041, 0, 0)
    bridge = bytearray(_pci_space(1, msi))
    bridge[0x1C:0x30] = struct.pack(
        "<BBHHHHHII", 0xD0, 0xE0, 0, 0xFE80, 0xFE90, 0x0001, 0xFFF1, 8, 8)
    return {
        "device": b"\0" + masks + _pci_space(
            0, msix.ljust(16, b"\0") + msi, bars),
        "express": b"\1" + masks + _pci_space(0, msix, bars).ljust(
            4096, b"\0"),
        "bridge": b"\0" + masks + bytes(bridge),
        "circle": b"\0" + masks + _pci_space(0, b"\x09\x44\0\0\x09\x40"),
        "short": b"\0" + masks + _pci_space(0, msix, bars)[:70],
    }


def reflex_verify() -> Seeds:
    """Streams for the generator of programs, and the least image as it is."""
    streams = {f"stream-{n}": bytes([2 + n % 2]) + bytes(
        (n * 37 + i * i * 11 + i // 7) % 251 for i in range(600))
        for n in range(6)}
    entry = struct.pack("<32sIBBH", b"wide", 0, 0, 0, 0)
    image = struct.pack("<4sI32sQQ7HBBII", b"RFX1", 80 + len(entry) + 8,
                        b"least", 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 100, 0, 0)
    return {**streams, "least": b"\0" + image + entry + bytes(8)}


def compose() -> Seeds:
    """Layers and damage of tests/fuzz/fuzz_compose.c."""
    def small(*numbers: int) -> bytes:
        return b"".join(bytes((2, n + 100)) for n in numbers)

    def layer(how: int, *place: int) -> bytes:
        return bytes((16, 12, how)) + small(*place)

    damage = small(3, 4, 20, 10) + b"\2" + small(0, 0, 9, 9) + b"\1"
    return {"four": b"\4" + layer(8, 2, 2, 30, 20) + layer(9, 20, 10, 40, 30)
            + layer(14, -5, -5, 50, 40) + layer(11, 0, 0, 64, 48)
            + damage * 6,
            "wild": b"\1" + layer(3, 9, 9, 1, 90) + b"\0\0\0\0\x80" * 16}


def emulate() -> Seeds:
    """Instructions in long and in protected mode, then what they read."""
    def machine(efer: int, code_attributes: int) -> bytes:
        def segment(attributes: int) -> bytes:
            return struct.pack("<HHIQ", 8, attributes, 0xFFFFFFFF, 0)
        data = segment(0xC93)
        registers = struct.pack("<18Q", *range(16), 0x1000, 2)
        return (struct.pack("<BHH", 0x11, 0x20, efer) + data
                + segment(code_attributes) + data * 4 + registers + bytes(64))

    codes = ("8b03", "898b04000000", "f3a5", "f2ae", "66f3a7", "f00fc10b",
             "0fab0b", "0f2803", "660f7e03", "0fb603", "834b0401", "0fb00b")
    return {f"{code}-{attributes:x}": bytes([len(code) // 2]) + bytes.fromhex(code)
            + machine(efer, attributes) for code in codes
            for efer, attributes in ((0x500, 0xA9B), (0, 0xC9B), (0, 0x9B))}


def vm_gpu() -> Seeds:
    """Commands of tests/fuzz/fuzz_vm_gpu.c: a choice, a length, the words
    behind the header."""
    def command(choice: int, *words: int) -> bytes:
        body = struct.pack(f"<{len(words)}I", *words)
        return bytes((choice, 24 + len(body))) + body

    create = command(0, 1, 2, 64, 64)
    attach = command(5, 1, 2, 0x1000, 0, 0x2000, 0, 0x8ffd, 0, 0x2000, 0)
    show = command(2, 0, 0, 64, 48, 0, 1)
    copy = command(4, 3, 4, 20, 30, (4 * 64 + 3) * 4, 0, 1, 0)
    flush = command(3, 0, 0, 64, 64, 1, 0)
    end = command(6, 1, 0) + command(1, 1, 0)
    cursor = command(8, 0, 5, 6, 0, 1, 3, 4, 0) + command(9, 0, 1, 1, 0)
    return {"frame": b"\0" + create + attach + show + copy + flush + end,
            "cursor": b"\1" + create + cursor + command(7, 0, 0)
            + command(10)}


def vm_input() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_input.c: three bytes each."""
    keys = b"".join(bytes((101 + i % 3, 30 + i % 7, 0)) for i in range(60))
    return {"keys": keys + b"\x50\0\0" + b"\x3f\0\0" * 4,
            "questions": bytes((1, 0x11, 1, 2, 0x91, 3, 3, 0x12, 0))}


def vm_virtio_blk() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_virtio_blk.c."""
    def ask(kind: int, sector: int, length: int, flags: int) -> bytes:
        return b"\2" + struct.pack("<IIIIQHxxxxxx", kind, 0x30000, length, 0,
                                   sector, flags)

    land = b"".join(bytes((1 + 4 * i,)) for i in range(4))
    return {"transfers": ask(0, 3, 1024, 2) + ask(1, 5, 512, 0) + land
            + ask(0, 255, 1024, 2) + ask(0, 1, 513, 2),
            "others": ask(4, 0, 0, 0) + ask(8, 0, 20, 2) + ask(11, 0, 16, 0)
            + ask(13, 0, 16, 0) + land}


def vm_virtio_mmio() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_virtio_mmio.c."""
    def write(offset: int, value: int) -> bytes:  # any access of 4 bytes
        return struct.pack("<BBxxI", 2 + 8, offset // 2, value)

    def memory(at: int, value: int) -> bytes:
        return struct.pack("<BBxxI", 1, at // 64, value)

    start = b"".join(write(*w) for w in (
        (0x70, 1), (0x70, 3), (0x24, 1), (0x20, 1), (0x70, 11)))
    queue = b"".join(write(*w) for w in (
        (0x30, 0), (0x38, 8), (0x80, 0x1000), (0x90, 0x1400), (0xa0, 0x1800),
        (0x44, 1), (0x70, 15)))
    offer = memory(0x1000, 0x3000) + memory(0x1400, 1 << 16)
    return {"queue": start + queue + offer + write(0x50, 0) + write(0x64, 1)
            + write(0x44, 0) + write(0x70, 0)}


def vm_virtio_console() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_virtio_console.c."""
    def control(number: int, event: int, value: int = 1) -> bytes:
        return b"\2" + struct.pack("<IHH", number, event, value)

    buffers = b"".join(bytes((4 + 8 * 2 + 64 * i, 64)) for i in range(3))
    ready = control(0, 0) + control(0, 3) + control(1, 3) + control(1, 6)
    typed = b"\x03" + bytes(16) + b"\x0b" + bytes(range(9, 25))
    said = bytes((5 + 8 * 1, 200, 5 + 8 * 5, 200)) * 4
    return {"ports": b"\x0c" + buffers + ready + b"\x24\x40" + typed + said,
            "terminal": b"\0" + b"\4\x40" + typed + said}


def vm_virtio_net() -> Seeds:
    """Steps of tests/fuzz/fuzz_vm_virtio_net.c."""
    def send(guest: int, size: int, source: int, to: int) -> bytes:
        return bytes((3 + 8 * guest,)) + struct.pack("<HBB", size, source, to)

    def chain(guest: int, queue: int, flags: int) -> bytes:
        at = 8 * guest + 16 * queue
        return bytes((1 + at,)) + struct.pack(
            "<IIBBBB", 0x80000, 200, 0, flags, 1, 0) + bytes((2 + at, 7 + at))

    buffers = bytes((4 + 8 * g + 32 * 7 for g in (0, 1) for _ in range(3)))
    talk = send(0, 64, 0, 1) + send(1, 1518, 1, 0) + send(0, 1519, 0, 0xff)
    pause, go_on, restart = bytes((6 + 8 + 32,)), b"\x0e", bytes((5 + 8 + 32,))
    return {"talk": b"\1" + buffers + talk + send(0, 64, 3, 1),
            "bridge": b"\4" + buffers + send(0, 64, 3, 1) + talk,
            "pause": b"\0" + buffers + pause + talk + go_on + talk + restart
            + buffers + talk,
            "chains": b"\3" + buffers + chain(0, 1, 0) + chain(1, 0, 2)
            + chain(0, 1, 3) + chain(1, 1, 4) + talk}


def vm_virtio_queue() -> Seeds:
    def put(at: int, data: bytes) -> bytes:
        return b"\1" + struct.pack("<HB", at, len(data)) + data

    def descriptor(address: int, length: int, flags: int, follows: int) -> bytes:
        return struct.pack("<QIHH", address, length, flags, follows)

    direct = put(0x1000, descriptor(0x3000, 64, 1, 1)
                 + descriptor(0x4000, 512, 2, 0))
    table = put(0x1000, descriptor(0x2000, 32, 4, 0)) + put(
        0x2000, descriptor(0x3000, 64, 1, 1) + descriptor(0x4000, 512, 2, 0))
    return {"direct": b"\1" + direct + b"\2\0" * 12,
            "indirect": b"\7" + table + b"\2\2\0\0\0" * 4}


MAKERS: dict[str, Callable[[], Seeds]] = {
    f.__name__: f for f in (
        acpi,
        cmdline,
        cmos_time,
        codec,
        compose,
        elf,
        emulate,
        fat,
        fmt,
        font,
        keys,
        manifest,
        memory_map,
        number,
        options,
        overlay,
        panic_record,
        partition,
        path,
        pci_config,
        ps2,
        reflex_verify,
        symbols,
        tar,
        tty_line,
        virtqueue,
        vm_gpu,
        vm_hpet,
        vm_input,
        vm_irqchip,
        vm_registers,
        vm_uart,
        vm_virtio_blk,
        vm_virtio_console,
        vm_virtio_mmio,
        vm_virtio_net,
        vm_virtio_queue,
    )}


def make(name: str) -> pathlib.Path:
    """Write the seeds of a target into its corpus, which keeps what earlier
    runs have found."""
    corpus = BUILD / "fuzz/corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed, data in MAKERS[name]().items():
        (corpus / f"seed-{seed}").write_bytes(data)
    return corpus
