"""IDE disks, by DMA: as master and slave of both channels, with errors and
time-outs, and with drivers that come and go. Bochs has no other disks."""

import hashlib
import subprocess

import pytest

from machine import BUILD
from test_block import (MIB, READER, checksum, disk_images, drive, entries,
                        lua_sum, numbered, put_text, read_hex, stats,
                        throttle)


def content(path: str) -> bytes:
    return subprocess.run(
        ["mcopy", "-i", BUILD / "guests.img", f"::/{path}", "-"], check=True,
        stdout=subprocess.PIPE).stdout


@pytest.mark.lanes("bochs")
def test_bochs_has_its_boot_volume_and_the_guests(fleet):
    m = fleet.boot(cmdline="testhooks", guests=True)
    m.wait_files("/guests")
    m.wait_files("/esp")
    for path in ("ipxe/bzImage", "memtest86+/bzImage"):
        found, = m.eval(f'return require "fs".sha256("/guests/{path}")')
        assert found == hashlib.sha256(content(path)).hexdigest()
    same, = m.eval(
        'local fs = require "fs" return fs.read("/esp/rayos/sha256sums"):find('
        'fs.sha256("/esp/rayos/kernel.elf"), 1, true) ~= nil')
    assert same
    m.eval('local d <close> = block.open("hdb", {write = true}) '
           f'assert(d:write({MIB}, ("w"):rep(4096))) assert(d:flush())')
    assert read_hex(m, "hdb", MIB, 4096) == b"w" * 4096
    assert stats(m, "hdb")["errors"] == 0


def ide(name: str, path, place: str, **more) -> list[str]:
    return drive(name, path, "ide-hd", "," + place, **more)


@pytest.fixture(scope="module")
def trio(request):
    """hda, hdb: both on the first channel; hdc: master of the second."""
    from conftest import Fleet, _workdir
    f = Fleet(_workdir(request.module.__name__))
    request.module.shared_fleet = f
    extra = []
    for n, place in enumerate(("bus=ide.0,unit=0", "bus=ide.0,unit=1,serial="
                               "number-two", "bus=ide.1,unit=0")):
        path = f.workdir / f"disk{n}.img"
        disk_images.make(path, 8 * MIB, (0, numbered(4 * MIB)))
        extra += ide(f"d{n + 1}", path, place)
    m = f.boot(machine="pc", cmdline="testhooks block.timeout=1", extra=extra)
    entries(m)
    yield m
    f.close(keep=request.session.testsfailed > 0)


def read_at_once(m, rounds: int) -> set[str]:
    """Several domains on each disk; how they end."""
    put_text(m, "/tmp/reader.lua", READER)
    kinds, = m.eval(
        'local all, kinds = {}, {} for i = 1, 6 do '
        'all[i] = domain.spawn{name = "reader" .. i, '
        'file = "/tmp/reader.lua", args = {"hd" .. ("abc"):sub(i % 3 + 1, '
        f'i % 3 + 1), {4 * MIB}, {rounds}, i}}}} end '
        'for i, d in ipairs(all) do local e = d:wait(60) '
        'kinds[i] = e.kind .. (e.message or "") end return kinds', timeout=90)
    return set(kinds)


def test_disks_are_what_they_are(trio):
    found = entries(trio)
    assert {"hda", "hdb", "hdc"} < set(found) and "hdd" not in found
    assert found["hdb"]["serial"] == "number-two"
    assert found["hdc"]["size"] == 8 * MIB
    for name in ("hda", "hdb", "hdc"):
        assert lua_sum(trio, name, 0, MIB) == checksum(numbered(MIB))


def test_what_is_written_is_on_the_disk(trio):
    data = b"0123456789abcdef" * (300_032 // 16)
    trio.eval('local d <close> = block.open("hdb", {write = true}) '
              f'local s = ("0123456789abcdef"):rep({len(data) // 16}) '
              f'assert(d:write({5 * MIB + 512}, s)) assert(d:flush())')
    with open(trio.workdir.parent / "disk1.img", "rb") as f:
        f.seek(5 * MIB)
        assert f.read(512) == bytes(512)
        assert f.read(len(data)) == data
        assert f.read(512) == bytes(512)


def test_drives_of_one_channel_take_turns(trio):
    assert read_at_once(trio, 60) == {"exit"}
    for name in ("hda", "hdb", "hdc"):
        s = stats(trio, name)
        assert s["reads"] >= 120 and s["errors"] == s["resets"] == 0


def test_the_controller_comes_and_goes(trio):
    name, = trio.eval('for _, d in ipairs(dev.list()) do '
                      'if d.driver == "ide" then return d.name end end')
    trio.eval('held = block.open("hdb")')
    trio.expect_no_leak(
        f'for i = 1, 25 do assert(dev("{name}"):unbind()) '
        f'assert(not block.open("hdc")) assert(dev("{name}"):bind()) end',
        lost=25 * 4096)
    answer = trio.eval('return held:read(0, 512)')
    assert answer[0] is None and answer[2] == "ENODEV"
    trio.eval("held:close()")
    entries(trio)
    assert read_at_once(trio, 5) == {"exit"}


def test_a_disk_that_stops_answering_is_reset(trio):
    """Tried again, and given up in the end; its neighbour is slow with it."""
    throttle(trio, 2000)
    assert read_at_once(trio, 2) <= {"exit", "errorETIMEDOUT"}
    s = stats(trio, "hda")
    assert s["resets"] > 0 and s["timeouts"] > 0
    throttle(trio, 0)
    resets = stats(trio, "hda")["resets"]
    assert read_at_once(trio, 20) == {"exit"}
    assert stats(trio, "hda")["resets"] == resets
