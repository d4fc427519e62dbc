"""The disk of guests: what vmm/guest makes of Debian's packages."""

import hashlib
import re
import subprocess

import pytest

from machine import BUILD

KERNELS = ("cloud", "generic")
ELF_MAGIC, CPIO_MAGIC = b"\x7fELF", b"070701"


def content(path: str) -> bytes:
    return subprocess.run(
        ["mcopy", "-i", BUILD / "guests.img", f"::/{path}", "-"], check=True,
        stdout=subprocess.PIPE).stdout


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_has_all_its_parts(host, name):
    listed, = host.eval(f'return require "fs".list("/guests/{name}")')
    assert [e["name"] for e in listed] == ["bzImage", "initrd", "vmlinux"]
    assert content(f"{name}/bzImage")[0x202:0x206] == b"HdrS"
    assert content(f"{name}/vmlinux").startswith(ELF_MAGIC)
    initrd = content(f"{name}/initrd")
    assert initrd.startswith(CPIO_MAGIC)
    assert b"modules/virtio_mmio.ko\0" in initrd


@pytest.mark.parametrize("path", ["generic/bzImage", "cloud/vmlinux",
                                  "memtest86+/bzImage", "ipxe/bzImage"])
def test_rayos_reads_what_is_on_the_disk(host, path):
    found, = host.eval(f'return require "fs".sha256("/guests/{path}")',
                       timeout=60)
    assert found == hashlib.sha256(content(path)).hexdigest()


def test_eight_megabytes_take_few_requests(host):
    name = "vdb"
    before, = host.eval(f'return block.open("{name}"):stats()')
    size, = host.eval('return #require "fs".read("/guests/generic/bzImage")',
                      timeout=60)
    after, = host.eval(f'return block.open("{name}"):stats()')
    assert size > 8_000_000
    assert after["read_bytes"] - before["read_bytes"] < 1.1 * size
    assert after["reads"] - before["reads"] < 200


MEMTEST = """
local vm = require "vm"
local guest <close> = assert(vm.define { name = "memtest", memory = 16,
  kernel = "/guests/memtest86+/bzImage", cmdline = "console=ttyS0,115200" })
assert(guest:start())
local out, text = guest:console(), ""
for _ = 1, 240 do
  sys.sleep(0.5)
  text = out:history()
  if text:find "#[4-9]" then break end
end
return text, guest:state()
"""


def test_memtest86_finds_nothing_wrong_with_our_memory(host):
    """Until its fifth test; it tells every second."""
    text, state = host.eval(MEMTEST, timeout=150)
    assert state == "running"
    assert "Memtest86+" in text and re.search("#[4-9]", text), text
    assert "Errors: 0" in text and not re.search("Errors: *[1-9]", text), text


def test_what_wants_a_bios_is_refused(host):
    _, why, _ = host.eval("""
        local g <close> = require "vm".define { name = "ipxe", memory = 16,
          kernel = "/guests/ipxe/bzImage" }
        return g:start()""")
    assert "2.07" in why
