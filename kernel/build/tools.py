"""The tools of the build: found, new enough, and what they can do here."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile

from kernel.build.common import BUILD, Path, fail, output, say, write_if_changed


def find_tool(name: str) -> str:
    return shutil.which(name) or fail(
        f"{name} not found; ./configure.py --setup installs the usual tools")


def check_version(tool: str, minimum: tuple[int, ...],
                  before: str = "") -> None:
    """Refuse a tool that is too old."""
    text = output(tool, "--version")
    match = re.search(before + r"(\d+(?:\.\d+)*)", text)
    if not match:
        fail(f"{tool} does not tell its version: {text.splitlines()[:1]}")
    version = tuple(int(n) for n in match.group(1).split("."))
    if version < minimum:
        fail(f"{tool} is version {match.group(1)}, but "
             f"{'.'.join(map(str, minimum))} or newer is needed")


def check_compiler(cc: str) -> bool:
    """Refuse an old compiler; True for clang."""
    clang = "clang" in output(cc, "--version")
    check_version(cc, (14,) if clang else (12,),
                  "clang version " if clang else r"\) ")
    return clang


# A boot sector that tells the debug-exit port that it ran: the whole way of
# real mode, firmware and port I/O. mov al,21; out 0xf4,al; hlt; jmp to hlt
KVM_PROBE = bytes((0xB0, 21, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD))
KVM_PROBE_STATUS = 21 << 1 | 1  # what QEMU's isa-debug-exit makes of it


def run_kvm_probe(qemu: str) -> bool:
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(KVM_PROBE.ljust(510, b"\0") + b"\x55\xaa" + bytes(65536))
        disk.flush()
        command = (f"{shlex.quote(qemu)} -nodefaults -M q35,accel=kvm -cpu "
                   "host -m 64 -display none -device isa-debug-exit,"
                   "iobase=0xf4,iosize=1 -drive format=raw,file=" + disk.name)
        try:
            done = subprocess.run(shlex.split(command), timeout=10,
                                  stdin=subprocess.DEVNULL,
                                  capture_output=True)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == KVM_PROBE_STATUS


def kvm_usable(qemu: str) -> bool:
    """Whether a guest really runs under KVM; remembered per machine."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    key = f"{qemu} {os.stat(qemu).st_mtime} {os.uname()}"
    known = BUILD / "kvm-probe" / hashlib.sha256(key.encode()).hexdigest()
    if not known.exists():
        say("trying whether KVM works here")
        write_if_changed(known, str(run_kvm_probe(qemu)))
    return known.read_text() == "True"


def find_tools(args: argparse.Namespace) -> argparse.Namespace:
    """The arguments with tools checked and found, and what they can do."""
    check_version(find_tool("ninja"), (1, 10))
    for name in ("cc", "qemu", "gdb", "clang_format", "luacheck"):
        setattr(args, name, find_tool(getattr(args, name)))
    args.clang = check_compiler(args.cc)
    args.gcc = find_tool("gcc") if args.clang else args.cc
    check_version(args.qemu, (7,), "version ")
    for path in (args.ovmf_code, args.ovmf_vars):
        if not Path(path).is_file():
            fail(f"{path} not found; ./configure.py --setup installs it")
    args.kvm = kvm_usable(args.qemu)
    return args
