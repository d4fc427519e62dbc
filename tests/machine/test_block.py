"""Disks: what Python wrote is what RayOS reads, and the other way round; over
every interface and interrupt that a virtio disk can have; with partition
tables, errors, time-outs, and drivers that come and go under load."""

import json
import sys
import time

import pytest

from machine import ROOT

sys.path.insert(0, str(ROOT / "tests"))
import disk_images  # noqa: E402
from disk_images import Partition, mbr_table, noise  # noqa: E402

CAME, GONE = 1, 2  # in events of type `disk`
MIB = 1 << 20
GIB = 1 << 30


def drive(name: str, path, device: str = "virtio-blk-pci", more: str = "",
          drive_more: str = "") -> list[str]:
    """QEMU's arguments for one more disk."""
    return ["-drive", f"id={name},if=none,format=raw,file={path}{drive_more}",
            "-device", f"{device},drive={name},id=dev-{name}{more}"]


def read_hex(m, disk: str, offset: int, size: int) -> bytes:
    text, = m.eval(
        f'local d <close> = assert(block.open("{disk}")) '
        f'local s = assert(d:read({offset}, {size})) '
        'return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) '
        'end))')
    return bytes.fromhex(text)


# The same sum in Python and in Lua, fast enough for megabytes.
SUM = ('local function sum(s) local h = 0 '
       'for i = 1, #s - 7, 8 do '
       'h = (h * 31 + string.unpack("<I8", s, i)) end return h end ')


def checksum(data: bytes) -> int:
    h = 0
    for i in range(0, len(data) - 7, 8):
        h = (h * 31 + int.from_bytes(data[i:i + 8], "little")) % (1 << 64)
    return h - (1 << 64) if h >> 63 else h


def lua_sum(m, disk: str, offset: int, size: int) -> int:
    return int(m.eval(
        SUM + f'local d <close> = assert(block.open("{disk}")) '
        f'return tostring(sum(assert(d:read({offset}, {size}))))')[0])


def entries(m) -> dict[str, dict]:
    """block.list(), by name, when all tables have been read."""
    for _ in range(100):
        found, = m.eval("return block.list()")
        if all(e["scanned"] for e in found):
            return {e["name"]: e for e in found}
        time.sleep(0.1)
    raise AssertionError(f"a partition table is being read for ever: {found}")


def stats(m, disk: str) -> dict:
    return m.eval(f'return block.open("{disk}"):stats()')[0]


# --- every interface, every interrupt ---

WAYS = {
    "q35 modern MSI-X": ("q35", "virtio-blk-pci", ",disable-legacy=on", "",
                         "pci"),
    "q35 modern INTx": ("q35", "virtio-blk-pci", ",disable-legacy=on",
                        "pci.irq=intx", "pci"),
    "pc transitional MSI-X": ("pc", "virtio-blk-pci", "", "", "pci"),
    "pc legacy MSI-X": ("pc", "virtio-blk-pci", ",disable-modern=on", "",
                        "pci-legacy"),
    "q35 legacy INTx": ("q35", "virtio-blk-pci",
                        ",disable-modern=on,disable-legacy=off",
                        "pci.irq=intx", "pci-legacy"),
    "pc modern without indirect and event": (
        "pc", "virtio-blk-pci",
        ",disable-legacy=on,indirect_desc=off,event_idx=off,queue-size=16",
        "", "pci"),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_one_side_writes_the_other_reads(fleet, way):
    machine, device, more, words, transport = WAYS[way]
    path = fleet.workdir / "data.img"
    data = noise(4 * MIB)
    disk_images.make(path, 16 * MIB, (MIB, data))
    m = fleet.boot(machine=machine, cmdline="testhooks " + words,
                   extra=drive("d1", path, device, more))
    assert m.eval('return dev("virtio:blk1").transport') == [transport]
    assert lua_sum(m, "vdb", MIB, len(data)) == checksum(data)
    assert read_hex(m, "vdb", MIB + 512, 1024) == data[512:1536]
    # Copy it behind itself, in pieces of all sizes, and flush.
    m.eval('local d <close> = assert(block.open("vdb", {write = true})) '
           'local at, size = 0, 512 '
           f'while at < {len(data)} do '
           f'  size = math.min(size, {len(data)} - at) '
           f'  local s = assert(d:read({MIB} + at, size)) '
           f'  assert(d:write({8 * MIB} + at, s)) '
           '  at = at + size size = size * 2 '
           'end assert(d:flush())')
    assert stats(m, "vdb")["errors"] == 0
    with open(path, "rb") as f:
        f.seek(8 * MIB)
        assert f.read(len(data)) == data
        f.seek(0)
        assert f.read(MIB) == bytes(MIB), "where nobody wrote"


# --- tables, sizes, kinds of disk: one machine with many ---

ESP = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"


def gpt_disk(path):
    disk_images.make_gpt(
        path, 8 * MIB, [Partition(64, 127, "first"),
                        Partition(128, 1023, "zw\u00f6lf", read_only=True),
                        Partition(4096, 8191, "x" * 36)],
        (64 * 512, b"behind the table"), (128 * 512, noise(512, 2)))


def gpt_damaged_first(path):
    """The first header is damaged; the one at the end is right. Read-only, as
    the firmware would repair it."""
    gpt_disk(path)
    with open(path, "r+b") as f:
        f.seek(512 + 40)
        f.write(b"\x99")


def gpt_damaged_entries(path):
    gpt_disk(path)
    with open(path, "r+b") as f:
        f.seek(1024 + 32)
        f.write(b"\x99")
        f.seek(8 * MIB - 33 * 512 + 32)
        f.write(b"\x99")


def gpt_overlapping(path):
    disk_images.make_gpt(path, 8 * MIB, [
        Partition(64, 127, "good"), Partition(100, 200, "over it"),
        Partition(9000, 20000, "beyond"), Partition(300, 400, "good")])


def gpt_4k(path):
    disk_images.make_gpt(path, 8 * MIB, [Partition(16, 255, "big sectors")],
                         (16 * 4096, noise(4096, 3)), block=4096)


def mbr_extended(path):
    disk_images.make(
        path, 8 * MIB,
        (0, mbr_table((0x83, 64, 64), (0x0F, 200, 4000))),
        (200 * 512, mbr_table((0x82, 8, 100), (0x05, 500, 600))),
        (700 * 512, mbr_table((0x83, 8, 100))),
        (708 * 512, b"logical"))


def mbr_loop(path):
    disk_images.make(
        path, 8 * MIB, (0, mbr_table((0x05, 200, 4000))),
        (200 * 512, mbr_table((0x83, 8, 100), (0x05, 500, 600))),
        (700 * 512, mbr_table((0x83, 8, 100), (0x05, 0, 600))))


def no_table(path):
    disk_images.make(path, 8 * MIB, (0, noise(4096, 4)))


def six_gigabytes(path):
    disk_images.make(path, 6 * GIB, (5 * GIB + 512, b"far" * 1000),
                     (-512, b"the end".ljust(512)))


# name in QEMU: (image, options of the device, of the drive)
DISKS = {
    "gpt": (gpt_disk, ",serial=RAY-1234", ""),
    "first": (gpt_damaged_first, "", ",readonly=on"),
    "entries": (gpt_damaged_entries, "", ",readonly=on"),
    "overlap": (gpt_overlapping, "", ""),
    "big": (gpt_4k, ",logical_block_size=4096,physical_block_size=8192", ""),
    "mbr": (mbr_extended, "", ""),
    "loop": (mbr_loop, "", ""),
    "none": (no_table, "", ""),
    "huge": (six_gigabytes, "", ""),
    "ro": (no_table, "", ",readonly=on"),
    "trim": (no_table, "", ",discard=unmap"),
}
NAMES = {name: "vd" + "bcdefghijkl"[i] for i, name in enumerate(DISKS)}


@pytest.fixture(scope="module")
def museum(request):
    """A machine with all of them."""
    from conftest import Fleet, _workdir
    f = Fleet(_workdir("block-museum"))
    extra = []
    for name, (make, device, drive_more) in DISKS.items():
        path = f.workdir / f"{name}.img"
        make(path)
        extra += drive(name, path, more=device, drive_more=drive_more)
    m = f.boot(cmdline="testhooks", extra=extra)
    request.module.shared_fleet = f
    m.list = entries(m)
    yield m
    f.close(keep=request.session.testsfailed > 0)


def parts(m, name: str) -> list[tuple]:
    """(number, first sector, sectors) of a disk's partitions."""
    disk = NAMES[name]
    return [(int(e["name"][3:]), e["offset"] // 512, e["size"] // 512)
            for e in m.list.values() if e.get("parent") == disk]


def logged(m, name: str) -> str:
    disk = NAMES[name]
    rows, = m.eval('local t = {} for _, r in ipairs(log.tail(400)) do '
                   'if r.module == "block" then t[#t + 1] = r.text end end '
                   'return t')
    return "\n".join(r for r in rows if r.startswith(disk + ":"))


def test_the_partitions_of_a_gpt_are_disks(museum):
    assert parts(museum, "gpt") == [(1, 64, 64), (2, 128, 896),
                                    (3, 4096, 4096)]
    disk = museum.list["vdb"]
    assert disk["serial"] == "RAY-1234"
    assert disk["size"] == 8 * MIB
    one, two, three = (museum.list[f"vdb{i}"] for i in (1, 2, 3))
    assert one["label"] == "first"
    assert one["type"] == str(disk_images.LINUX)
    assert one["uuid"] == str(Partition(64, 127).identity)
    assert (one["read_only"], two["read_only"]) == (False, True)
    assert two["label"] == "zw\u00f6lf"
    assert three["label"] == "x" * 36
    assert read_hex(museum, "vdb1", 0, 512)[:16] == b"behind the table"
    assert read_hex(museum, "vdb2", 0, 512) == noise(512, 2)
    assert museum.list["vda1"]["type"] == ESP


def test_nothing_reaches_beyond_its_partition(museum):
    for offset, size in ((64 * 512, 512), (63 * 512, 1024), (0, 65 * 512),
                         (1 << 62, 512)):
        with pytest.raises(AssertionError, match="beyond the end"):
            museum.eval(f'return block.open("vdb1"):read({offset}, {size})')
    with pytest.raises(AssertionError, match="multiple of 512"):
        museum.eval('return block.open("vdb1"):read(1, 512)')
    with pytest.raises(AssertionError, match="negative"):
        museum.eval('return block.open("vdb1"):read(-512, 512)')


def test_the_table_at_the_end_helps_when_the_first_is_damaged(museum):
    assert parts(museum, "first") == [(1, 64, 64), (2, 128, 896),
                                      (3, 4096, 4096)]
    said = logged(museum, "first")
    assert "its header has a wrong checksum" in said
    assert "the table at the end of the disk is used" in said


def test_entries_that_are_damaged_twice_are_not_believed(museum):
    assert parts(museum, "entries") == []
    assert logged(museum, "entries").count("wrong checksum") == 2


def test_partitions_that_overlap_or_leave_the_disk_are_refused(museum):
    assert parts(museum, "overlap") == [(1, 64, 64), (4, 300, 101)]
    said = logged(museum, "overlap")
    assert "partition 2 overlaps partition 1: refused" in said
    assert "partition 3 is outside of the usable range: refused" in said


def test_a_disk_with_big_sectors(museum):
    assert museum.list["vdf"]["sector"] == 4096
    assert museum.list["vdf"]["physical_sector"] == 8192
    assert parts(museum, "big") == [(1, 128, 240 * 8)]
    assert read_hex(museum, "vdf1", 0, 4096) == noise(4096, 3)
    with pytest.raises(AssertionError, match="multiple of 4096"):
        museum.eval('return block.open("vdf"):read(512, 4096)')


def test_the_partitions_of_an_mbr_with_an_extended_one(museum):
    assert parts(museum, "mbr") == [(1, 64, 64), (5, 208, 100), (6, 708, 100)]
    assert museum.list["vdg5"]["type"] == "0x82"
    assert museum.list["vdg5"]["uuid"] == "cafe0123-05"
    assert read_hex(museum, "vdg6", 0, 512)[:7] == b"logical"


def test_a_chain_of_tables_that_is_a_loop_ends(museum):
    assert parts(museum, "loop") == [(5, 208, 100), (6, 708, 100)]
    assert "form a loop" in logged(museum, "loop")


def test_a_disk_without_a_table_is_a_disk(museum):
    assert parts(museum, "none") == []
    assert read_hex(museum, "vdi", 0, 4096) == noise(4096, 4)


def test_beyond_four_gigabytes(museum):
    assert museum.list["vdj"]["size"] == 6 * GIB
    assert read_hex(museum, "vdj", 5 * GIB + 512, 512) == (b"far" * 1000)[:512]
    assert read_hex(museum, "vdj", 6 * GIB - 512, 512)[:7] == b"the end"
    museum.eval('local d <close> = block.open("vdj", {write = true}) '
                f'assert(d:write({5 * GIB}, ("w"):rep(512))) '
                'assert(d:flush())')
    with open(museum.workdir.parent / "huge.img", "rb") as f:
        f.seek(5 * GIB)
        assert f.read(515) == b"w" * 512 + b"far"
        f.seek(GIB)
        assert f.read(512) == bytes(512), "the address was cut to 32 bits"


def test_a_read_only_disk_is_not_written(museum):
    assert museum.list["vdk"]["read_only"] is True
    answer = museum.eval('return block.open("vdk", {write = true})')
    assert answer[0] is None and answer[2] == "EROFS"
    answer = museum.eval('return block.open("vdk"):write(0, ("x"):rep(512))')
    assert answer[0] is None and answer[2] == "EPERM"


def test_what_is_discarded_is_not_kept(museum):
    museum.eval('local d <close> = block.open("vdl", {write = true}) '
                'assert(d:write(0, ("t"):rep(1 << 20))) '
                'assert(d:discard(65536, 131072)) assert(d:flush())')
    s = stats(museum, "vdl")
    assert (s["discards"], s["flushes"]) == (1, 1)
    with open(museum.workdir.parent / "trim.img", "rb") as f:
        data = f.read(MIB)
    assert data == b"t" * 65536 + bytes(131072) + b"t" * (MIB - 196608)
    answer = museum.eval('return block.open("vdl"):discard(0, 512)')
    assert answer[0] is None and answer[2] == "EPERM"


def test_who_may_do_what(museum):
    def caged(caps: str, code: str):
        end, = museum.eval(
            'local d = domain.spawn{name = "caged", caps = {' + caps + '}, '
            f'source = [[local block = require "block" {code}]]}} '
            'return d:wait(20)')
        return end
    assert caged('"block"', 'assert(block.open("vdj", {write = true}))'
                 )["kind"] == "exit"
    end = caged('"block.read"', 'assert(block.open("vdj")) '
                'assert(block.open("vdj", {write = true}))')
    assert end["kind"] == "error" and "block.write" in end["message"]
    end = caged('"fs"', 'assert(block.open("vdj"))')
    assert end["kind"] == "error" and "block.read" in end["message"]


# Domains that read pseudo-random stretches of a disk and compare them with
# what a function of the offset says that is there.
READER = """
local block, name, size, rounds, seed = require "block", ...
local disk <close> = assert(block.open(name))
for i = 1, rounds do
  seed = (seed * 6364136223846793005 + 1442695040888963407)
  local at = ((seed >> 33) % (size // 512 - 64)) * 512
  local n = ((seed >> 20) % 64 + 1) * 512
  local data, why, code = disk:read(at, n)
  if not data then
    error(code, 0)
  end
  for k = 1, n, 512 do
    local found = string.unpack("<I8", data, k)
    assert(found == at + k - 1, "wrong data at " .. at + k - 1)
  end
end
"""


def numbered(size: int) -> bytes:
    """Each sector begins with its own offset."""
    return b"".join(i.to_bytes(8, "little").ljust(512, b"\xa5")
                    for i in range(0, size, 512))


def put_text(m, path: str, text: str) -> None:
    quoted = "".join(f"\\{b:03d}" if b < 32 or b in b'"\\' else chr(b)
                     for b in text.encode())
    m.eval(f'local f = assert(io.open("{path}", "w")) f:write("{quoted}") '
           'f:close()')


def test_many_domains_read_at_the_same_time(fleet):
    path = fleet.workdir / "data.img"
    disk_images.make(path, 4 * MIB, (0, numbered(4 * MIB)))
    m = fleet.boot(cmdline="testhooks", extra=drive("d1", path))
    put_text(m, "/tmp/reader.lua", READER)
    kinds, = m.eval(
        'local all, kinds = {}, {} for i = 1, 12 do '
        'all[i] = domain.spawn{name = "reader" .. i, '
        f'file = "/tmp/reader.lua", args = {{"vdb", {4 * MIB}, 100, i}}}} '
        'end for i, d in ipairs(all) do local e = d:wait(60) '
        'kinds[i] = e.kind .. (e.message or "") end return kinds', timeout=90)
    assert kinds == ["exit"] * 12
    s = stats(m, "vdb")
    assert s["reads"] >= 1200 and s["errors"] == 0


# --- errors and time-outs ---

def broken_disk(path, rules: list[dict]) -> list[str]:
    """A disk over QEMU's blkdebug, which breaks it by rules."""
    chain = {"driver": "raw", "node-name": "broken", "file": {
        "driver": "blkdebug", "inject-error": rules, "image": {
            "driver": "file", "filename": str(path)}}}
    return ["-blockdev", json.dumps(chain), "-device",
            "virtio-blk-pci,drive=broken,rerror=report,werror=report"]


def test_errors_of_the_medium_are_told_and_harm_nothing_else(fleet):
    path = fleet.workdir / "data.img"
    disk_images.make(path, 8 * MIB, (0, numbered(MIB)))
    rules = [{"event": "read_aio", "iotype": "read", "sector": 100,
              "errno": 5, "immediately": False},
             {"event": "write_aio", "iotype": "write", "sector": 200,
              "errno": 5},
             {"event": "write_aio", "iotype": "write", "sector": 300,
              "errno": 28},
             {"event": "flush_to_disk", "iotype": "flush", "errno": 5,
              "once": True}]
    m = fleet.boot(cmdline="testhooks", extra=broken_disk(path, rules))
    answers, = m.eval(
        'local d = block.open("vdb", {write = true}) '
        'local function code(ok, _, c) return ok and "fine" or c end '
        'local s = ("w"):rep(4096) return { '
        'code(d:read(99 * 512, 512)), code(d:read(100 * 512, 512)), '
        'code(d:read(90 * 512, 20 * 512)), code(d:read(101 * 512, 512)), '
        'code(d:write(198 * 512, s)), code(d:write(299 * 512, s)), '
        'code(d:write(400 * 512, s)), code(d:flush()), code(d:flush()) }')
    assert answers == ["fine", "EIO", "EIO", "fine", "EIO", "EIO", "fine",
                       "EIO", "fine"]
    s = stats(m, "vdb")
    assert (s["errors"], s["timeouts"], s["resets"]) == (5, 0, 0)
    assert m.eval("return 6 * 7") == [42]


def throttle(m, bps: int) -> None:
    m.qmp.command("block_set_io_throttle", device="d1", bps=bps, bps_rd=0,
                  bps_wr=0, iops=0, iops_rd=0, iops_wr=0)


def test_a_disk_that_stops_answering_is_reset(fleet):
    """QEMU finishes what it holds back when the device is reset; on a slow
    host the attempts of a reader may end before that."""
    path = fleet.workdir / "data.img"
    disk_images.make(path, 8 * MIB, (0, numbered(4 * MIB)))
    m = fleet.boot(cmdline="testhooks block.timeout=1",
                   extra=drive("d1", path))
    entries(m)
    put_text(m, "/tmp/reader.lua", READER)
    throttle(m, 2000)
    kinds, = m.eval(
        'local all, kinds = {}, {} for i = 1, 4 do '
        'all[i] = domain.spawn{name = "reader" .. i, '
        f'file = "/tmp/reader.lua", args = {{"vdb", {4 * MIB}, 3, i}}}} '
        'end for i, d in ipairs(all) do local e = d:wait(60) '
        'kinds[i] = e.kind .. (e.message or "") end return kinds', timeout=90)
    assert "exit" in kinds and set(kinds) <= {"exit", "errorETIMEDOUT"}
    s = stats(m, "vdb")
    assert s["resets"] > 0 and s["timeouts"] > 0
    assert s["errors"] <= kinds.count("errorETIMEDOUT")
    throttle(m, 0)
    assert lua_sum(m, "vdb", 0, MIB) == checksum(numbered(MIB))
    assert stats(m, "vdb")["resets"] == s["resets"]


# --- drivers that come and go ---

@pytest.mark.parametrize("words", ["", "pci.irq=intx"])
def test_a_driver_is_bound_anew_a_hundred_times_under_load(fleet, words):
    path = fleet.workdir / "data.img"
    disk_images.make(path, 4 * MIB, (0, numbered(4 * MIB)))
    m = fleet.boot(cmdline="testhooks " + words, extra=drive("d1", path))
    entries(m)
    put_text(m, "/tmp/reader.lua", READER)
    put_text(m, "/tmp/insist.lua", INSIST)
    m.expect_no_leak(REBIND, lost=100 * 4096)
    assert lua_sum(m, "vdb", 0, MIB) == checksum(numbered(MIB))


# Reads until it is told to stop; what was under way when the disk went away
# answers ENODEV, anything else is an error.
INSIST = """
local block, domain = require "block", require "domain"
local read, gone = 0, 0
while not domain.receive(0) do
  local disk = block.open("vdb")
  for i = 0, 200 do
    local data, why, code
    if disk then
      data, why, code = disk:read((read * 37 % 8000) * 512, 8192)
    end
    if not data then
      assert(not disk or code == "ENODEV", why)
      gone = gone + 1
      break
    end
    assert(string.unpack("<I8", data) == (read * 37 % 8000) * 512)
    read = read + 1
  end
  if disk then disk:close() end
end
assert(read > 50 and gone > 0, "read " .. read .. ", gone " .. gone)
"""

REBIND = """
local function turn()
  assert(dev("virtio:blk1"):unbind())
  assert(not block.open("vdb"))
  assert(dev("virtio:blk1"):bind())
  assert(block.open("vdb")):close()
end
local irqs = #sys.interrupts()
local readers, ends = {}, {}
for i = 1, 4 do
  readers[i] = domain.spawn{name = "reader" .. i, file = "/tmp/insist.lua"}
end
for i = 1, 100 do turn() sys.sleep(0.01) end
for i, d in ipairs(readers) do
  d:send("stop")
  local e = d:wait(30)
  ends[i] = e.kind .. (e.message or "")
end
assert(irqs == #sys.interrupts(), "interrupts are left behind")
for i = 1, 4 do assert(ends[i] == "exit", ends[i]) end
"""


def test_the_pci_function_of_a_disk_comes_and_goes(fleet):
    path = fleet.workdir / "data.img"
    gpt_disk(path)
    m = fleet.boot(machine="pc", cmdline="testhooks", extra=drive("d1", path))
    entries(m)
    name, = m.eval('for _, d in ipairs(dev.list()) do '
                   'if d.name == "virtio:blk1" then return d.parent end end')
    held, = m.eval(
        f'held = block.open("vdb1") for i = 1, 100 do '
        f'assert(dev("{name}"):unbind()) assert(not block.open("vdb")) '
        f'assert(dev("{name}"):bind()) end return tostring(held)')
    assert held == 'disk "vdb1"'
    # What that looks like to those who watch.
    told, = m.eval(
        'local q = event.subscribe("disk") '
        f'assert(dev("{name}"):unbind()) assert(dev("{name}"):bind()) '
        'local t = {} while #t < 8 do local e = assert(q:read(5)) '
        't[#t + 1] = e.what .. " " .. e.name end q:close() return t')
    assert sorted(told) == sorted(
        f"{what} vdb{part}" for what in (CAME, GONE)
        for part in ("", 1, 2, 3))
    answer = m.eval('return held:read(0, 512)')
    assert answer[0] is None and answer[2] == "ENODEV"
    m.eval("held:close()")
    entries(m)
    assert read_hex(m, "vdb1", 0, 512)[:16] == b"behind the table"


@pytest.mark.parametrize("more", ["", ",disable-modern=on"])
def test_an_entropy_device_feeds_the_random_numbers(fleet, more):
    m = fleet.boot(machine="pc", cmdline="testhooks",
                   extra=["-device", "virtio-rng-pci" + more])
    m.expect_no_leak("""
        for i = 1, 100 do
          assert(dev("virtio:rng0"):unbind())
          assert(dev("virtio:rng0"):bind())
        end""", lost=100 * 1024)
    sources, _ = m.eval("return sys.entropy()")
    given = {s["name"]: s["bytes"] for s in sources}
    assert given["virtio-rng"] >= 4 * 64
    assert m.eval('return dev("virtio:rng0").bytes') == [64]
