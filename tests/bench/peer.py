"""The peer: Debian's Linux with busybox and lua5.4 on the same emulated machine.

Everything comes from Debian packages at bench time; the initramfs is made here
and kept in build/bench.
"""

import os
import pathlib
import re
import shutil
import subprocess

INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/lua5.4 /peer.lua > /dev/ttyS0 2>&1
/bin/busybox poweroff -f
"""

# One line "BENCH name ticks value" a program; the first is the boot's.
PEER_LUA = """package.cpath = "/?.so"
local tsc = require "tsc"
print(("BENCH boot %d -"):format(tsc()))
local set = dofile "/bench_programs.lua"
local results = set.run(tsc)
for _, name in ipairs(set.order) do
  print(("BENCH %s %d %s"):format(name, results[name][1], results[name][2]))
end
"""


def _run(*command, **options) -> str:
    return subprocess.run(command, check=True, text=True, capture_output=True,
                          **options).stdout


def _fetch_kernel(work: pathlib.Path) -> pathlib.Path:
    """vmlinuz of Debian's newest cloud kernel."""
    found = sorted(work.glob("kernel/boot/vmlinuz-*"))
    if found:
        return found[-1]
    depends = _run("apt-cache", "depends", "linux-image-cloud-amd64")
    package = re.search(r"Depends: (linux-image-\S+)", depends).group(1)
    _run("apt-get", "-o", "APT::Sandbox::User=root", "download", package,
         cwd=work)
    deb = next(work.glob("linux-image-*.deb"))
    _run("dpkg-deb", "-x", str(deb), str(work / "kernel"))
    deb.unlink()
    return sorted(work.glob("kernel/boot/vmlinuz-*"))[-1]


def _copy_program(root: pathlib.Path, program: str) -> None:
    """A program with the shared libraries that ldd names."""
    shutil.copy(program, root / "bin")
    for path in re.findall(r"(/\S+) \(0x", _run("ldd", program)):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def _make_initramfs(work: pathlib.Path, lua_include: str,
                    programs: pathlib.Path) -> pathlib.Path:
    root = work / "root"
    shutil.rmtree(root, ignore_errors=True)
    (root / "bin").mkdir(parents=True)
    (root / "dev").mkdir()
    shutil.copy("/bin/busybox", root / "bin")
    _copy_program(root, "/usr/bin/lua5.4")
    source = pathlib.Path(__file__).parent / "tsc.c"
    _run("cc", "-O2", "-shared", "-fPIC", f"-I{lua_include}", str(source),
         "-o", str(root / "tsc.so"))
    shutil.copy(programs, root)
    (root / "peer.lua").write_text(PEER_LUA)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    names = _run("find", ".", cwd=root)
    archive = work / "initramfs"
    with open(archive, "wb") as out:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root,
                       input=names.encode(), stdout=out, check=True)
    return archive


def run(work: pathlib.Path, lua_include: str, programs: pathlib.Path,
        machine: list[str], timeout: float) -> dict[str, tuple[int, str]]:
    """Boot the peer on `machine` (QEMU arguments) and collect its results."""
    work.mkdir(parents=True, exist_ok=True)
    kernel = _fetch_kernel(work)
    initramfs = _make_initramfs(work, lua_include, programs)
    serial = work / "serial.txt"
    qemu = os.environ.get("QEMU", "qemu-system-x86_64")
    subprocess.run(
        [qemu, *machine, "-kernel", str(kernel), "-initrd", str(initramfs),
         "-append", "console=ttyS0 quiet cryptomgr.notests tsc=reliable",
         "-serial", f"file:{serial}", "-no-reboot"],
        check=True, timeout=timeout, stdin=subprocess.DEVNULL)
    rows = re.findall(r"^BENCH (\S+) (\d+) (.*?)\r?$", serial.read_text(),
                      re.MULTILINE)
    return {name: (int(ticks), value) for name, ticks, value in rows}
