#!/usr/bin/python3
"""Make the desktop's disk: a small Debian with Weston, ext4, no partitions.

usage: desktop.py OUT CACHE

mmdebstrap fetches the packages and needs root; the disk is kept in the cache.
Start it with the initrd of images.py and rayos.root=/dev/vda.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from kernel.build.common import cache_lock, cache_root  # noqa: E402
from vmm.guest import wallpaper  # noqa: E402

HERE = pathlib.Path(__file__).parent / "desktop"
SUITE = "bookworm"
PACKAGES = ("udev", "kmod", "weston", "fonts-dejavu-core", "xkb-data",
            "adwaita-icon-theme", "qemu-guest-agent", "procps", "nano", "less",
            "iproute2")


def recipe() -> str:
    """Changes with whatever the disk is made of."""
    text = b"".join(p.read_bytes() for p in sorted(HERE.iterdir()))
    for script in (__file__, wallpaper.__file__):
        text += pathlib.Path(script).read_bytes()
    return hashlib.sha256(text).hexdigest()[:12]


def build(image: pathlib.Path) -> None:
    background = image.with_name("background.png")
    background.write_bytes(wallpaper.png())
    hook = f'{shlex.quote(str(HERE))}/customize "$1" ' + shlex.join(
        [str(HERE), str(background), str(image)])
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase",
         f"--include={','.join(PACKAGES)}", f"--customize-hook={hook}", SUITE,
         "/dev/null"], check=True, stdin=subprocess.DEVNULL,
        env=os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


def main() -> None:
    out, os.environ["XDG_CACHE_HOME"] = sys.argv[1:]
    cached = cache_root() / "guests" / f"desktop-{recipe()}.img"
    with cache_lock():
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache_root(),
                                             prefix=".work-") as scratch:
                image = pathlib.Path(scratch) / "image"
                build(image)
                image.rename(cached)
    subprocess.run(["cp", "--sparse=always", cached, out], check=True)


if __name__ == "__main__":
    main()
