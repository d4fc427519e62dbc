"""The peer: Debian's Linux with busybox and lua5.4 on the same emulated machine.

Everything comes from Debian packages at bench time; the initramfs is made here
and kept in build/bench.
"""

import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
KERNEL = HERE.parents[1] / "build/bench/peer-kernel"  # shared by all runs
PROGRAMS = HERE.parents[1] / "tests/scenario/bench_programs.lua"

INIT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
(
/bin/peer_bench start
for m in {modules}; do /bin/busybox insmod /$m.ko; done
/bin/peer_bench rows {rounds} {creations}
/bin/lua5.4 /peer.lua
) > /dev/ttyS0 2>&1
/bin/busybox poweroff -f
"""

# What this kernel needs for a virtio disk on PCI, in the order of loading.
MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev",
           "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk")

# One line "LUA name ticks value" a program.
PEER_LUA = """package.cpath = "/?.so"
local tsc = require "tsc"
local set = dofile "/bench_programs.lua"
for i = #set.order, {programs} + 1, -1 do set.order[i] = nil end
local results = set.run(tsc)
for _, name in ipairs(set.order) do
  print(("LUA %s %d %s"):format(name, results[name][1], results[name][2]))
end
"""


def _run(*command, **options) -> str:
    return subprocess.run(command, check=True, text=True, capture_output=True,
                          **options).stdout


def fetch_kernel(work: pathlib.Path) -> pathlib.Path:
    """vmlinuz of Debian's newest cloud kernel."""
    work.mkdir(parents=True, exist_ok=True)
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


def copy_program(root: pathlib.Path, program: str) -> None:
    """A program with the shared libraries that ldd names."""
    shutil.copy(program, root / "bin")
    for path in re.findall(r"(/\S+) \(0x", _run("ldd", program)):
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def pack(root: pathlib.Path, archive: pathlib.Path) -> None:
    names = _run("find", ".", cwd=root)
    with open(archive, "wb") as out:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root,
                       input=names.encode(), stdout=out, check=True)


def compile_static(source: pathlib.Path, out: pathlib.Path) -> None:
    _run("cc", "-O2", "-static", "-pthread", str(source), "-o", str(out))


def _copy_module(root: pathlib.Path, name: str) -> bool:
    """A module of the kernel; False when it is built in, or its name is not
    one of this kernel's."""
    found = list(KERNEL.glob(f"kernel/lib/modules/*/kernel/**/{name}.ko"))
    if found:
        shutil.copy(found[0], root)
    return bool(found)


def _make_initramfs(work: pathlib.Path, lua_include: str,
                    counts: dict[str, int]) -> pathlib.Path:
    root = work / "root"
    shutil.rmtree(root, ignore_errors=True)
    (root / "bin").mkdir(parents=True)
    (root / "dev").mkdir()
    (root / "proc").mkdir()
    shutil.copy("/bin/busybox", root / "bin")
    copy_program(root, "/usr/bin/lua5.4")
    _run("cc", "-O2", "-shared", "-fPIC", f"-I{lua_include}",
         str(HERE / "tsc.c"), "-o", str(root / "tsc.so"))
    compile_static(HERE / "peer_bench.c", root / "bin/peer_bench")
    shutil.copy(PROGRAMS, root)
    (root / "peer.lua").write_text(
        PEER_LUA.replace("{programs}", str(counts["programs"])))
    modules = [m for m in MODULES if _copy_module(root, m)]
    (root / "init").write_text(INIT.format(modules=" ".join(modules), **counts))
    (root / "init").chmod(0o755)
    archive = work / "initramfs"
    pack(root, archive)
    return archive


def parse(text: str) -> dict:
    """{operation: {count, min, max, mean}, "lua": {name: (ticks, value)}}"""
    found = {"lua": {}}
    for row in re.findall(r"^BENCH (\S+) (\d+) (\d+) (\d+) (\d+)\r?$", text,
                          re.MULTILINE):
        count, low, high, total = map(int, row[1:])
        found[row[0]] = {"count": count, "min": low, "max": high,
                         "mean": total / count}
    for name, ticks, value in re.findall(r"^LUA (\S+) (\d+) (.*?)\r?$", text,
                                         re.MULTILINE):
        found["lua"][name] = (int(ticks), value)
    return found


def boot(work: pathlib.Path, initramfs: pathlib.Path, machine: list[str],
         timeout: float) -> str:
    """Run it on `machine` (QEMU arguments) to its end: what it printed."""
    serial = work / "serial.txt"
    qemu = os.environ.get("QEMU", "qemu-system-x86_64")
    # No randomness where it can be switched off: runs shall agree.
    append = ("console=ttyS0 quiet cryptomgr.notests tsc=reliable nokaslr "
              "norandmaps random.trust_cpu=on")
    with open(work / "qemu.log", "w") as log:
        subprocess.run(
            [qemu, *machine, "-kernel", str(fetch_kernel(KERNEL)), "-initrd",
             str(initramfs), "-append", append, "-serial", f"file:{serial}",
             "-no-reboot"],
            check=True, timeout=timeout, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log)
    return serial.read_text()


def run(work: pathlib.Path, lua_include: str, machine: list[str],
        timeout: float, **counts: int) -> dict:
    """Boot the peer and collect its results."""
    work.mkdir(parents=True, exist_ok=True)
    fetch_kernel(KERNEL)
    text = boot(work, _make_initramfs(work, lua_include, counts), machine,
                timeout)
    found = parse(text)
    if len(found["lua"]) != counts["programs"]:
        raise RuntimeError(f"the peer did not come to its end:\n{text}")
    return found
