"""FAT volumes that mkfs.vfat and mtools made: at /guests by their label, and at
/esp what RayOS was started from. Their disks come and go."""

import hashlib
import os
import subprocess

import pytest

from test_block import SUM, checksum, disk_images, drive, entries, noise

MIB = 1 << 20
WIDTHS = {12: 4, 16: 40, 32: 80}  # MiB
LONG = "Ein Name, länger als acht und drei Zeichen – ß.bin"


def tool(*command: str) -> None:
    env = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
                        "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}
    subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)


def volume(path, width: int, contents: dict[str, bytes]) -> None:
    """A disk without partitions, with a file in pieces."""
    disk_images.make(path, WIDTHS[width] * MIB)
    tool("mkfs.vfat", "-F", str(width), "-n", "RAYOSGUEST", str(path))
    tool("mmd", "-i", str(path), "::/deep", "::/deep/er")
    for name, data in contents.items():
        source = path.parent / "source"
        source.write_bytes(data)
        tool("mcopy", "-i", str(path), str(source), f"::/{name}")


def contents(seed: int) -> dict[str, bytes]:
    return {LONG: noise(MIB + 13, seed), "deep/er/SMALL.TXT": b"small\n",
            "EMPTY": b"", **{f"deep/file {i}": bytes([i]) for i in range(70)}}


def in_pieces(path, seed: int) -> bytes:
    """Fill the gaps that removed files leave."""
    data = noise(100_000, seed)
    for i in range(20):
        source = path.parent / "source"
        source.write_bytes(noise(3000, i))
        tool("mcopy", "-i", str(path), str(source), f"::/gap{i}")
    for i in range(0, 20, 2):
        tool("mdel", "-i", str(path), f"::/gap{i}")
    source.write_bytes(data)
    tool("mcopy", "-i", str(path), str(source), "::/pieces")
    return data


def read(m, path: str, step: str) -> int:
    """The sum of a file that io reads in steps."""
    return int(m.eval(
        SUM + f'local f <close> = assert(io.open("{path}", "rb")) local t = '
        f'{{}} for s in function() local s = f:read({step}) return s ~= "" and '
        's or nil end do t[#t + 1] = s end t[#t + 1] = ("\\0"):rep(7) '
        'return tostring(sum(table.concat(t)))')[0])


@pytest.fixture(scope="module")
def disks(request):
    from conftest import Fleet, _workdir
    f = Fleet(_workdir(request.module.__name__))
    extra, pieces = [], {}
    for width in WIDTHS:
        path = f.workdir / f"fat{width}.img"
        volume(path, width, contents(width))
        pieces[width] = in_pieces(path, width)
        extra += drive(f"d{width}", path)
    request.module.shared_fleet = f
    m = f.boot(cmdline="testhooks", extra=extra)
    entries(m)
    m.pieces = pieces
    yield m
    f.close(keep=request.session.testsfailed > 0)


def sha256(m, path: str) -> str:
    return m.eval(f'return assert(require "fs".sha256("{path}"))')[0]


def only(m, width: int) -> None:
    """Let /guests be that disk's."""
    numbers = {w: i + 1 for i, w in enumerate(WIDTHS)}
    for i in numbers.values():
        m.eval(f'dev("virtio:blk{i}"):unbind()')  # it may be already
    answer = m.eval('return require "fs".list("/guests")')
    assert answer[0] is None and answer[2] == "ENODEV"
    m.eval(f'assert(dev("virtio:blk{numbers[width]}"):bind())')
    entries(m)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_others_wrote_is_read(disks, width):
    only(disks, width)
    files = contents(width) | {"pieces": disks.pieces[width]}
    listed, = disks.eval('return require "fs".list("/guests")')
    names = [e["name"] for e in listed]
    assert names == sorted(names)
    assert set(names) == {LONG, "EMPTY", "deep", "pieces",
                          *(f"gap{i}" for i in range(1, 20, 2))}
    listed, = disks.eval('return require "fs".list("/guests/deep")')
    assert len(listed) == 71
    for name in (LONG, "pieces", "deep/er/small.txt", "EMPTY"):
        data = files.get(name, b"small\n")
        assert sha256(disks, f"/guests/{name}") == hashlib.sha256(
            data).hexdigest()
        for step in ("'a'", "1000", "70001"):
            assert read(disks, f"/guests/{name}", step) == checksum(
                data + bytes(7)), (name, step)


def test_nothing_is_written(disks):
    fs = 'return require "fs".'
    for call in ('write("/guests/EMPTY", "x")', 'write("/guests/new", "x")',
                 'remove("/guests/EMPTY")', 'mkdir("/guests/dir")'):
        assert disks.eval(fs + call)[2] == "EROFS", call
    assert disks.eval(fs + 'read("/guests/none")')[2] == "ENOENT"
    assert disks.eval(fs + 'read("/guests/deep")')[2] == "EISDIR"


def test_an_open_file_outlives_its_disk_and_says_so(disks):
    only(disks, 16)
    disks.eval('held = assert(io.open("/guests/pieces", "rb")) '
               'assert(held:read(10))')
    disks.eval('assert(dev("virtio:blk2"):unbind())')
    answer = disks.eval('held:seek("set", 90000) return held:read(10)')
    assert answer[0] is None
    disks.eval('held:close() assert(dev("virtio:blk2"):bind())')
    entries(disks)
    assert sha256(disks, "/guests/pieces") == hashlib.sha256(
        disks.pieces[16]).hexdigest()


def test_the_boot_volume_is_at_esp(disks):
    same, = disks.eval(
        'local fs = require "fs" local sums = fs.read("/esp/rayos/sha256sums")'
        'return sums:find(fs.sha256("/esp/rayos/kernel.elf"), 1, true) ~= nil')
    assert same
    assert disks.eval('return require "fs".read("/esp/RAYOS/BOOT.CFG")') == [
        "testhooks\n"]
