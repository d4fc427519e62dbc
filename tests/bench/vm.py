"""Virtual machines, ours beside KVM's: the same guests in both.

bench.16 (tests/guests) counts what exits cost. Debian's cloud kernel with a
busybox boots, measures its timer by peer_bench, and a disk that is a file in
the host's memory.
"""

import pathlib
import re
import shutil
import sys

import peer
from rayos import TIMEOUT, BenchMachine

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from vmm.guest import images, linux  # noqa: E402

EXIT_ROUNDS = 10000  # as tests/guests/bench.16.S has it
HOST_MEMORY, GUEST_MEMORY = 1536, 256  # MiB
DISK_MIB = 16
FIRST = "GUEST_INIT"
LAST = "GUEST_DONE"
COMMAND_LINE = ("console=ttyS0 quiet cryptomgr.notests nokaslr norandmaps "
                "random.trust_cpu=on")
ROMS = ("bios-microvm.bin", "linuxboot_dma.bin", "pvh.bin", "kvmvapic.bin")

GUEST_INIT = f"""#!/bin/busybox sh
echo {FIRST}
/bin/busybox mount -t devtmpfs dev /dev
for m in {{modules}}; do /bin/busybox insmod /$m.ko; done
/bin/peer_bench guest {{rounds}}
echo {LAST}
/bin/busybox reboot -f
"""

PEER_INIT = f"""#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
(
for m in {{modules}}; do /bin/busybox insmod /$m.ko; done
/bin/peer_vm exits /bench.16
/bin/busybox dd if=/dev/zero of=/disk bs=1M count={DISK_MIB} 2> /dev/null
/bin/peer_vm boot {FIRST} /bin/qemu-system-x86_64 -M microvm -accel kvm \\
  -cpu host -m {GUEST_MEMORY} -L /rom -nodefaults -no-user-config \\
  -display none -serial stdio -no-reboot -kernel /vmlinux -initrd /initrd \\
  -append "{COMMAND_LINE} reboot=t" \\
  -drive id=d,if=none,format=raw,file=/disk -device virtio-blk-device,drive=d
) > /dev/ttyS0 2>&1
/bin/busybox poweroff -f
"""

# Ticks from the start to the guest's first process, its rows, and what the VM
# takes beyond the guest's own memory.
RAYOS_GUEST = f"""
local vm = require "vm"
fs.write("/tmp/disk", ("x"):rep({DISK_MIB} << 20))
collectgarbage() collectgarbage()
local before = sys.memory().used
local start = sys.tsc()
local guest = assert(vm.define {{ name = "bench", memory = {GUEST_MEMORY},
  kernel = "/guests/vmlinux", initrd = "/guests/initrd",
  cmdline = "{COMMAND_LINE}", disks = {{ {{ source = "/tmp/disk" }} }} }})
assert(guest:start())
local out = guest:console()
assert(out:expect("{FIRST}", 300))
local ticks = sys.tsc() - start
local rows = assert(out:expect("(.*){LAST}", 600))
collectgarbage() collectgarbage()
local overhead = sys.memory().used - before - ({GUEST_MEMORY} << 20)
guest:kill()
guest:destroy()
fs.remove("/tmp/disk")
return ticks, rows, overhead
"""

RAYOS_EXITS = """
local vm = require "vm"
local guest = assert(vm.define { name = "exits", memory = 16,
  kernel = "/boot/guests/bench.16", loader = "flat16" })
assert(guest:start())
assert(guest:wait("stopped", 120))
local text = guest:output()
guest:destroy()
return text
"""


def _tree(root: pathlib.Path, init: str, modules: tuple[str, ...],
          **values) -> pathlib.Path:
    """A first file system with busybox and these modules."""
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "dev", "proc"):
        (root / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin")
    files = linux.module_files(peer.KERNEL)
    order = linux.needed(files, modules)
    for name in order:
        shutil.copy(files[name], root / f"{name}.ko")
    (root / "init").write_text(init.format(modules=" ".join(order), **values))
    (root / "init").chmod(0o755)
    return root


def _make_guest(work: pathlib.Path, rounds: int) -> pathlib.Path:
    """A directory with vmlinux and initrd."""
    out = work / "guest"
    out.mkdir(parents=True, exist_ok=True)
    (out / "vmlinux").write_bytes(
        linux.vmlinux(peer.fetch_kernel(peer.KERNEL).read_bytes()))
    root = _tree(work / "guest-root", GUEST_INIT, ("virtio_mmio", "virtio_blk"),
                 rounds=rounds)
    peer.compile_static(peer.HERE / "peer_bench.c", root / "bin/peer_bench")
    peer.pack(root, out / "initrd")
    return out


def _ours(work: pathlib.Path, accel: list[str], cpu: str,
          guest: pathlib.Path) -> dict:
    image = work / "guests.img"
    images.make_image(image, guest)
    drive = ["-drive", f"id=g,if=none,format=raw,readonly=on,file={image}",
             "-device", "virtio-blk-pci,drive=g"]
    with BenchMachine(work / "rayos", accel, cpus=1, cpu=cpu, extra=drive,
                      memory=HOST_MEMORY, cmdline="testhooks") as m:
        m.wait_prompt(timeout=TIMEOUT)
        m.wait_files("/guests")
        text, = m.eval(RAYOS_EXITS, TIMEOUT)
        ticks, rows, overhead = m.eval(RAYOS_GUEST, TIMEOUT)
    found = peer.parse(rows)
    for letter, name in ("c", "vm_cpuid"), ("o", "vm_out"):
        spent = int(re.search(rf"{letter}(\w{{8}})", text)[1], 16)
        found[name] = {"mean": spent / EXIT_ROUNDS}
    found["vm_boot"] = {"mean": ticks}
    found["vm_overhead"] = overhead
    return found


def _linux(work: pathlib.Path, accel: list[str], cpu: str,
           guest: pathlib.Path) -> dict:
    root = _tree(work / "peer-root", PEER_INIT, ("kvm_amd",))
    peer.copy_program(root, "/usr/bin/qemu-system-x86_64")
    peer.compile_static(peer.HERE / "peer_vm.c", root / "bin/peer_vm")
    (root / "rom").mkdir()
    for name in ROMS:
        shutil.copy(f"/usr/share/qemu/{name}", root / "rom")
    for path in (guest / "vmlinux", guest / "initrd",
                 ROOT / "build/guests/bench.16"):
        shutil.copy(path, root)
    peer.pack(root, work / "initramfs")
    machine = ["-nodefaults", "-machine", "q35", *accel, "-cpu", cpu, "-smp",
               "1", "-m", str(HOST_MEMORY), "-display", "none", "-nic", "none"]
    text = peer.boot(work, work / "initramfs", machine, TIMEOUT)
    found = peer.parse(text)
    if "vm_disk_write_1m" not in found:
        raise RuntimeError(f"KVM's guest did not come to its end:\n{text}")
    return found


def run(work: pathlib.Path, accel: list[str], cpu: str,
        rounds: int) -> tuple[dict, dict]:
    """What RayOS and what Linux measured."""
    (work / "rayos").mkdir(parents=True, exist_ok=True)
    guest = _make_guest(work, rounds)
    return _ours(work, accel, cpu, guest), _linux(work, accel, cpu, guest)


if __name__ == "__main__":  # these rows alone: WORK [ROUNDS]
    import bench
    sides = run(pathlib.Path(sys.argv[1]), bench.COUNTED, "EPYC",
                int((sys.argv[2:] or ["100"])[0]))
    for key in sorted(set(sides[0]) | set(sides[1])):
        print(key, *(side.get(key) for side in sides))
