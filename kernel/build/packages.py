"""The Debian packages that the build and the tests need: say what is missing,
and install it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import Iterable

from kernel.build.common import Path, fail, say

# Debian packages, and what each is for.
PACKAGES = {
    "ninja-build": "runs the build",
    "gcc": "compiles the kernel, newlib and the unit tests",
    "libc6-dev": "C library of the unit tests, which run on the host",
    "clang": "compiles the fuzz targets",
    "libclang-rt-14-dev": "libFuzzer and sanitizers of the fuzz targets",
    "binutils": "links and strips the kernel",
    "make": "newlib's own build",
    "perl": "Debian's source tools",
    "dpkg-dev": "unpacks Debian source packages with their patches",
    "xz-utils": "unpacks Debian source packages",
    "ca-certificates": "mirrors that are reached by https",
    "gnu-efi": "start-up code and headers of the UEFI loader",
    "libzycore-dev": "headers that Zydis, the hypervisor's decoder, needs",
    "mtools": "fills the disk image's FAT file system",
    "dosfstools": "makes the disk image's FAT file system",
    "unifont": "font data: every character",
    "console-setup-linux": "font data: Terminus",
    "qemu-system-x86": "the machine that `run`, `test` and `gdb` start",
    "ovmf": "UEFI firmware of the machines",
    "bochs": "the second emulator that tests run in",
    "bochsbios": "needed by Bochs",
    "vgabios": "video BIOS of Bochs' machine",
    "gdb": "`ninja gdb`",
    "lua5.4": "tests compare with the hosted interpreter",
    "liblua5.4-dev": "benchmarks: the clock of the hosted interpreter",
    "busybox-static": "guests, and the benchmarks' Linux beside RayOS",
    "lz4": "unpacks the kernels of guests",
    "zstd": "unpacks the kernels of guests",
    "cpio": "benchmarks: that Linux's first file system",
    "mmdebstrap": "a small Debian for the desktop, and one for tests",
    "e2fsprogs": "their file systems",
    "lua-check": "`ninja lint`",
    "clang-format": "`ninja format` and `ninja lint`",
    "python3-pytest": "`ninja test`",
    "python3-pytest-xdist": "tests in parallel",
    "python3-pytest-timeout": "ends a test that hangs",
    "python3-pil": "tests look at the screen",
    "python3-numpy": "tests compare pictures",
    "python3-pyte": "tests look at a terminal as a person does",
}
WINDOW_PACKAGES = ["qemu-system-gui"]  # where somebody can look at a window


def missing_packages(names: Iterable[str]) -> list[str]:
    """Those of the names that are not installed; none when not on Debian."""
    if not shutil.which("dpkg-query"):
        return []
    query = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    installed = {line.split()[0] for line in query.stdout.splitlines()
                 if line.endswith(" installed")}
    return [n for n in names if n not in installed]


def install_command(packages: list[str]) -> list[str]:
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def as_root(command: list[str]) -> int:
    """Run a command as root; its exit status."""
    command = ["env", "DEBIAN_FRONTEND=noninteractive", *command]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            fail("neither root nor sudo; as root, run:\n    "
                 + shlex.join(command[2:]))
        command = ["sudo", *command]
    say(shlex.join(command))
    return subprocess.run(command).returncode


def setup_packages() -> None:
    """Install what is missing; do nothing at all when nothing is."""
    window = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    missing = missing_packages(
        [*PACKAGES, *(WINDOW_PACKAGES if window else [])])
    if not missing:
        return
    # A fresh machine has no lists; old lists name what the mirror has no more.
    have_lists = any(Path("/var/lib/apt/lists").glob("*_Packages*"))
    if have_lists and as_root(install_command(missing)) == 0:
        return
    if as_root(["apt-get", "update"]) or as_root(install_command(missing)):
        fail("the packages could not be installed")


def check_packages() -> None:
    """Say exactly what is missing and how to get it."""
    missing = missing_packages(PACKAGES)
    if missing:
        fail("these Debian packages are missing:\n"
             + "".join(f"    {n:24}{PACKAGES[n]}\n" for n in missing)
             + "Get them by `./configure.py --setup`, or as root by\n    "
             + shlex.join(install_command(missing)))
