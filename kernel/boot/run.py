#!/usr/bin/python3
"""Start RayOS in QEMU: what `ninja run` and `ninja gdb` do.

usage: run.py [--gdb] [--memory MIB] [--cpus N] [--machine TYPE] [--cpu MODEL]
              [--cmdline TEXT] [-- QEMU OPTIONS...]

The serial line is the terminal that this was started in. The tools are those
that configure.py found. The disk image itself is never written to; the
firmware's variables live on in a copy of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
STATE_SPARE = 16 << 20  # bytes, for the map of what changed
VNC_BASE = 5900  # port of VNC display 0
# QEMU's emulated EPYC without what the emulation lacks, lest it warns of each.
EMULATED_CPU = "EPYC" + "".join(",-" + feature for feature in (
    "rdseed", "sha-ni", "fxsr-opt", "misalignsse", "3dnowprefetch", "osvw",
    "topoext", "nrip-save", "xsavec"))


def free_port(first: int, count: int = 100) -> int:
    """The first free TCP port of the loop-back interface from `first`."""
    for port in range(first, first + count):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    sys.exit(f"run: no free port from {first} on")


def window_display(qemu: str) -> str | None:
    """The kind of window this QEMU can open here; None: there is no display."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    kinds = subprocess.run([qemu, "-display", "help"], text=True,
                           capture_output=True).stdout.split()
    return next((kind for kind in ("gtk", "sdl") if kind in kinds), None)


def display_options(qemu: str) -> tuple[list[str], str]:
    """QEMU's options for the screen, and where a person finds it."""
    window = window_display(qemu)
    if window:
        return ["-display", window], "in a window"
    port = free_port(VNC_BASE)
    return (["-display", f"vnc=127.0.0.1:{port - VNC_BASE}"],
            f"by VNC at 127.0.0.1:{port} (display :{port - VNC_BASE})")


def image_with(cmdline: str | None) -> pathlib.Path:
    """The image, or a variant of it with another boot command line."""
    image = BUILD / "rayos.img"
    if cmdline is None:
        return image
    variant = BUILD / "run" / "rayos.img"
    subprocess.run([sys.executable, ROOT / "kernel/boot/mkimage.py",
                    "--cmdline", cmdline, variant, BUILD / "esp"], check=True)
    return variant


def disk_options(name: str, path: pathlib.Path, more: str) -> list[str]:
    return ["-drive", f"if=none,id={name},format=raw,{more}file={path}",
            "-device", f"virtio-blk-pci,drive={name},serial={name}"]


def guest_disks() -> list[str]:
    """What `ninja desktop` has made: kernels, the desktop's disk, which is only
    read, and one for what changes there."""
    guests, base = BUILD / "guests.img", BUILD / "desktop.img"
    options = disk_options("guests", guests,
                           "readonly=on,") if guests.exists() else []
    if base.exists():
        state = BUILD / "run" / "desktop-state.img"
        with open(state, "ab") as f:  # a sparse file
            f.truncate(base.stat().st_size + STATE_SPARE)
        options += disk_options("desktop", base, "readonly=on,")
        options += disk_options("desktop-state", state, "")
    return options


def machine_options(args: argparse.Namespace, tools: dict) -> list[str]:
    """Everything but the screen and the serial line."""
    state = BUILD / "run"
    state.mkdir(parents=True, exist_ok=True)
    variables = state / "ovmf-vars.fd"
    if not variables.exists():
        shutil.copyfile(tools["ovmf_vars"], variables)
    accelerator = "kvm" if tools["kvm"] else "tcg,thread=multi"
    cpu = args.cpu or ("host" if tools["kvm"] else EMULATED_CPU)
    image = image_with(args.cmdline)
    return [
        "-nodefaults", "-machine", args.machine, "-accel", accelerator,
        "-cpu", cpu, "-smp", str(args.cpus), "-m", str(args.memory),
        "-drive", "if=pflash,format=raw,readonly=on,file="
        + tools["ovmf_code"],
        "-drive", f"if=pflash,format=raw,file={variables}",
        "-drive", f"if=none,id=disk,format=raw,snapshot=on,file={image}",
        "-device", "virtio-blk-pci,drive=disk",
        *guest_disks(), "-device", "virtio-tablet-pci",
        "-device", "VGA,vgamem_mb=32", "-nic", "none"]


def run(args: argparse.Namespace, tools: dict) -> int:
    display, where = display_options(tools["qemu"])
    command = [tools["qemu"], *machine_options(args, tools), *display,
               "-serial", "mon:stdio", *args.extra]
    how = "KVM" if tools["kvm"] else "emulation (no usable KVM)"
    print(f"RayOS in QEMU with {how}. The screen is {where}; this terminal "
          "is the serial line.\nTo quit: Ctrl-A X, or sys.poweroff() at the "
          "prompt.", flush=True)
    if not (BUILD / "desktop.img").exists():
        print("There is no Linux desktop in it: as root, `ninja desktop` makes "
              "one.", flush=True)
    if args.dry_run:
        print(shlex.join(command))
        return 0
    return subprocess.call(command)


def debug(args: argparse.Namespace, tools: dict) -> int:
    """QEMU stopped before its first instruction, and gdb attached to it."""
    display, where = display_options(tools["qemu"])
    port = free_port(1234)
    log = BUILD / "run" / "gdb-serial.log"
    command = [tools["qemu"], *machine_options(args, tools), *display,
               "-serial", f"file:{log}", "-gdb", f"tcp:127.0.0.1:{port}",
               "-S", *args.extra]
    debugger = [tools["gdb"], "-q", str(BUILD / "kernel.elf"),
                "-ex", "set confirm off", "-ex", "set pagination off",
                "-ex", f"directory {ROOT}",
                "-x", str(ROOT / "kernel/boot/gdb_lua.py"),
                "-ex", f"target remote 127.0.0.1:{port}",
                "-ex", "hbreak kernel_main", "-ex", "continue"]
    print(f"The screen is {where}; the serial line goes to {log}.\n"
          "gdb continues to kernel_main; `quit` ends the machine too.",
          flush=True)
    if args.dry_run:
        print(shlex.join(command), shlex.join(debugger), sep="\n")
        return 0
    # A session of its own, so that Ctrl-C reaches gdb alone.
    qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                            start_new_session=True)
    try:
        return subprocess.call(debugger)
    finally:
        qemu.kill()
        qemu.wait()


def parse_arguments() -> argparse.Namespace:
    # Two virtual CPUs at least, so that SMP is what everybody sees; more than
    # four threads do not pay under emulation.
    cpus = min(4, max(2, os.cpu_count() or 1))
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--gdb", action="store_true", help="debug the kernel")
    parser.add_argument("--memory", default=2048, metavar="MIB", type=int,
                        help="size of memory")
    parser.add_argument("--cpus", default=cpus, type=int, help="CPUs")
    parser.add_argument("--machine", default="q35", help="QEMU's machine")
    parser.add_argument("--cpu", help="QEMU's CPU model; by default host "
                        "under KVM, else EPYC")
    parser.add_argument("--cmdline", metavar="TEXT",
                        help="boot command line instead of the image's")
    parser.add_argument("--dry-run", action="store_true",
                        help="only print the commands")
    parser.add_argument("extra", nargs="*", help="more options for QEMU, "
                        "after --")
    return parser.parse_args()


def main() -> int:
    args = parse_arguments()
    try:
        tools = json.loads((BUILD / "run.json").read_text())
    except OSError:
        sys.exit("run: not configured yet; run ./configure.py --setup")
    return debug(args, tools) if args.gdb else run(args, tools)


sys.exit(main())
