"""The desktop's guest, from the start of its virtual machine until Weston is
up: in RayOS, and by QEMU with KVM under Linux on the same emulated machine."""

import pathlib
import shutil
import subprocess
import sys

import peer
import vm
from rayos import BenchMachine

BUILD = vm.ROOT / "build"
MARK = "desktop: Weston is up"
TIMEOUT = 3000  # of the host: it counts tens of thousands of millions
HOST_MEMORY, GUEST_MEMORY = 2048, 640  # MiB
COMMAND_LINE = ("console=ttyS0 quiet cryptomgr.notests rayos.root=/dev/vda "
                "rayos.display panic=1 fbcon=map:9")
MODULES = pathlib.Path("/usr/lib/x86_64-linux-gnu/qemu")
GPU_MODULE = "hw-display-virtio-gpu.so"

RAYOS = f"""
local vm = require "vm"
local disk
for _, b in ipairs(block.list()) do
  if b.serial == "desktop" then disk = b.name end
end
local start = sys.tsc()
local guest = assert(vm.define {{ name = "linux", memory = {GUEST_MEMORY},
  kernel = "/guests/generic/vmlinux", initrd = "/guests/generic/initrd",
  cmdline = "{COMMAND_LINE}", rng = true,
  disks = {{ {{ source = disk }} }},
  display = {{ width = 1024, height = 768 }} }})
assert(guest:start())
assert(guest:console():expect("{MARK}", 600))
local ticks = sys.tsc() - start
guest:kill() guest:destroy()
return ticks
"""

PEER_INIT = f"""#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
(
for m in {{modules}}; do /bin/busybox insmod /$m.ko; done
for try in 1 2 3 4 5 6 7 8 9; do
  [ -b /dev/vda ] && break
  /bin/busybox sleep 1
done
/bin/peer_vm boot "{MARK}" /bin/qemu-system-x86_64 -M microvm,pit=off,pic=off \\
  -accel kvm -cpu host -m {GUEST_MEMORY} -L /rom -nodefaults -no-user-config \\
  -display none -serial stdio -no-reboot -kernel /vmlinux -initrd /initrd \\
  -append "{COMMAND_LINE} reboot=t" \\
  -drive id=d,if=none,format=raw,cache=none,file=/dev/vda \\
  -global virtio-mmio.force-legacy=false \\
  -device virtio-blk-device,drive=d -device virtio-gpu-device \\
  -device virtio-keyboard-device -device virtio-tablet-device \\
  -object rng-random,id=r,filename=/dev/urandom \\
  -device virtio-rng-device,rng=r |
while read -r line; do
  echo "$line"
  case "$line" in BENCH*) break ;; esac
done
) > /dev/ttyS0 2>&1
/bin/busybox poweroff -f
"""


def _disk() -> list[str]:
    """What is written to it is forgotten."""
    return ["-drive", "id=desktop,if=none,format=raw,snapshot=on,"
            f"file={BUILD}/desktop.img",
            "-device", "virtio-blk-pci,drive=desktop,serial=desktop"]


def _ours(work: pathlib.Path, accel: list[str], cpu: str) -> float:
    with BenchMachine(work, accel, cpus=1, cpu=cpu, guests=True, extra=_disk(),
                      memory=HOST_MEMORY, cmdline="testhooks") as m:
        m.wait_prompt(timeout=TIMEOUT)
        m.wait_files("/guests")
        return m.eval(RAYOS, TIMEOUT)[0]


def _peer_files(work: pathlib.Path) -> pathlib.Path:
    """The archive with QEMU, its ROMs and the guest's kernel."""
    root = vm._tree(work / "root", PEER_INIT, ("kvm_amd", *peer.MODULES))
    peer.copy_program(root, "/usr/bin/qemu-system-x86_64")
    peer.compile_static(peer.HERE / "peer_vm.c", root / "bin/peer_vm")
    # A QEMU in /bin looks for it beside that: its prefix is / then.
    module = root / MODULES.relative_to("/usr") / GPU_MODULE
    module.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(MODULES / GPU_MODULE, module)
    (root / "rom").mkdir()
    for name in vm.ROMS:
        shutil.copy(f"/usr/share/qemu/{name}", root / "rom")
    for name in ("vmlinux", "initrd"):
        subprocess.run(["mcopy", "-n", "-i", BUILD / "guests.img",
                        f"::generic/{name}", root / name], check=True)
    peer.pack(root, work / "initramfs")
    return work / "initramfs"


def _kvm(work: pathlib.Path, accel: list[str], cpu: str) -> float:
    machine = ["-nodefaults", "-machine", "q35", *accel, "-cpu", cpu, "-smp",
               "1", "-m", str(HOST_MEMORY), "-display", "none", "-nic", "none",
               *_disk()]
    text = peer.boot(work, _peer_files(work), machine, TIMEOUT)
    found = peer.parse(text)
    if "vm_boot" not in found:
        raise RuntimeError(f"KVM's guest did not come to its desktop:\n{text}")
    return found["vm_boot"]["mean"]


def run(work: pathlib.Path, accel: list[str], cpu: str) -> tuple[float, float]:
    """Ticks in RayOS, and with KVM."""
    for side in "rayos", "peer":
        (work / side).mkdir(parents=True, exist_ok=True)
    return (_ours(work / "rayos", accel, cpu), _kvm(work / "peer", accel, cpu))


if __name__ == "__main__":  # this row alone: WORK [real]
    import bench
    print(*run(pathlib.Path(sys.argv[1]),
               bench.REAL_TIME if sys.argv[2:] else bench.COUNTED, "EPYC"))
