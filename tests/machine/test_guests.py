"""The disk of guests: what vmm/guest makes of Debian's packages."""

import hashlib
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
