#!/usr/bin/python3
"""Make a disk with a small Debian and QEMU's guest agent: ext4, no partitions.

usage: debian.py OUT CACHE

Start it with the initrd of images.py and rayos.root=/dev/vda. mmdebstrap fetches
the packages and needs root; the disk is kept in the cache.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from kernel.build.common import cache_lock, cache_root  # noqa: E402

HERE = pathlib.Path(__file__).parent
SUITE, SIZE = "bookworm", "400M"
PACKAGES = "qemu-guest-agent"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*",
            "/usr/share/info/*")
RECIPE = ("debian.py", "debian.sh", "shutdown.sh")


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                   env=os.environ | {
                       "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


def make_disk(tree: pathlib.Path, image: pathlib.Path) -> None:
    for source, name in (("debian.sh", "init"), ("shutdown.sh", "shutdown")):
        run("install", "-m", "755", f"{HERE}/{source}", f"{tree}/sbin/{name}")
    for lists in (tree / "var/lib/apt/lists").glob("*_*"):
        lists.unlink()
    run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "debian", "-d", str(tree),
        str(image), SIZE)


def build(scratch: pathlib.Path) -> pathlib.Path:
    tree, image = scratch / "tree", scratch / "image"
    run("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase",
        "--format=directory", f"--include={PACKAGES}",
        *(f"--dpkgopt=path-exclude={p}" for p in LEFT_OUT), SUITE, str(tree))
    make_disk(tree, image)
    return image


def main() -> None:
    out, os.environ["XDG_CACHE_HOME"] = sys.argv[1:]
    text = b"".join((HERE / name).read_bytes() for name in RECIPE)
    cached = cache_root() / "guests" / (
        f"debian-{hashlib.sha256(text).hexdigest()[:12]}.img")
    with cache_lock():
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache_root(),
                                             prefix=".work-") as scratch:
                build(pathlib.Path(scratch)).rename(cached)
    subprocess.run(["cp", "--sparse=always", cached, out], check=True)


if __name__ == "__main__":
    main()
