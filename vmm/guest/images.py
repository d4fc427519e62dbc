#!/usr/bin/python3
"""Make the disk of guests that tests use: FAT16 with the label RAYOSGUEST.

usage: images.py OUT CACHE

RayOS has it at /guests. A directory for each guest:

    cloud, generic   Debian's kernels: bzImage, vmlinux (the same, unpacked),
                     initrd (busybox, see init.sh)
    memtest86+, ipxe bzImage
"""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from kernel.boot.mkimage import TIMESTAMP, run  # noqa: E402
from vmm.guest import linux, packages  # noqa: E402

LABEL = "RAYOSGUEST"
MIB = 1 << 20
SPARE = 8  # MiB, for the file system itself
CLUSTER_SECTORS = 16  # FAT16 to 512 MiB
KERNELS = {"cloud": "linux-image-cloud-amd64", "generic": "linux-image-amd64"}
PROGRAMS = {"memtest86+": ("memtest86+", "boot/memtest86+x64.bin"),
            "ipxe": ("ipxe", "boot/ipxe.lkrn")}


def put_linux(where: pathlib.Path, tree: pathlib.Path) -> None:
    image = next((tree / "boot").glob("vmlinuz-*")).read_bytes()
    (where / "bzImage").write_bytes(image)
    (where / "vmlinux").write_bytes(linux.vmlinux(image))
    (where / "initrd").write_bytes(linux.initrd(tree))


def gather(out: pathlib.Path) -> None:
    """All files, in a directory."""
    names = [*KERNELS.values(), *(p for p, _ in PROGRAMS.values())]
    trees = dict(zip(names, packages.unpacked(*names)))
    for name, package in KERNELS.items():
        (out / name).mkdir()
        put_linux(out / name, trees[package])
    for name, (package, path) in PROGRAMS.items():
        (out / name).mkdir()
        (out / name / "bzImage").write_bytes(
            (trees[package] / path).read_bytes())


def make_image(image: pathlib.Path, tree: pathlib.Path) -> None:
    files = sorted(p for p in tree.rglob("*") if p.is_file())
    size = sum(p.stat().st_size for p in files) // MIB + SPARE
    with open(image, "wb") as f:
        f.truncate(max(size, 40 + SPARE) * MIB)
    run("mkfs.vfat", "-F", "16", "-s", str(CLUSTER_SECTORS), "-n", LABEL, "-i",
        "47554553", "--invariant", str(image))
    for path in tree.rglob("*"):
        os.utime(path, (TIMESTAMP, TIMESTAMP))
    run("mcopy", "-i", str(image), "-s", "-m", "-Q",
        *map(str, sorted(tree.iterdir())), "::/")


def make(out: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        tree = pathlib.Path(scratch) / "tree"
        tree.mkdir()
        gather(tree)
        image = pathlib.Path(scratch) / "image"
        make_image(image, tree)
        image.replace(out)


def main() -> None:
    out, os.environ["XDG_CACHE_HOME"] = sys.argv[1:]
    make(pathlib.Path(out))


if __name__ == "__main__":
    main()
