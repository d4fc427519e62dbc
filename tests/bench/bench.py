#!/usr/bin/python3
"""RayOS beside Linux on the same emulated machine, in counted instructions.

QEMU's -icount makes one tick of the time-stamp counter one instruction, idle
time apart, so that two runs agree whatever else the host does. Prints a table,
writes build/bench/results.json and results.png, and names what is slower than
the committed baseline (then the exit status is 1). --quick only proves that
all of this works: few rounds, real time, no judgement.
"""

import argparse
import json
import pathlib
import shutil
import sys

import compare
import desktop
import desktop_boot
import peer
import plot
import rayos
import rows
import vm

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build/bench"
BASELINE = ROOT / "tests/bench/baseline.json"
TIMEOUT = 900

# The date is the machine's own too, not the host's.
COUNTED = ["-accel", "tcg", "-icount", "shift=0,sleep=off",
           "-rtc", "base=2024-01-01T00:00:00,clock=vm"]
REAL_TIME = ["-accel", "tcg"]
FULL_COUNTS = {"rounds": 1000, "creations": 50, "programs": 6}
QUICK_COUNTS = {"rounds": 20, "creations": 2, "programs": 1}


def make_disk(path: pathlib.Path) -> list[str]:
    """The disk that both sides read and write: QEMU's arguments. Its serial
    number is what RayOS knows it by (tests/kernel/bench_disk.c)."""
    path.write_bytes(bytes(16 << 20))
    return ["-drive", f"id=bench,if=none,format=raw,file={path}",
            "-device", "virtio-blk-pci,drive=bench,serial=rayos-bench"]


def measure(options: argparse.Namespace, out: pathlib.Path) -> list[dict]:
    accel = REAL_TIME if options.quick else COUNTED
    counts = QUICK_COUNTS if options.quick else FULL_COUNTS
    disk = make_disk(out / "disk.img")
    ours = rayos.run(out / "rayos", accel, options.cpu, disk=disk, **counts)
    machine = ["-nodefaults", "-machine", "q35", *accel, "-cpu", options.cpu,
               "-smp", "1", "-m", "512", "-display", "none", "-nic", "none",
               *disk]
    other = peer.run(out / "peer", options.lua_include, machine, TIMEOUT,
                     **counts)
    machines = vm.run(out / "vm", accel, options.cpu, counts["rounds"])
    table = (rows.make(ours, other) + rows.machines(*machines) + rows.desktop(
        desktop.run(out / "desktop", accel, options.cpu)))
    if not options.quick:  # minutes
        table.append(rows.desktop_boot(*desktop_boot.run(
            out / "desktop-boot", accel, options.cpu)))
    return table


def print_table(table: list[dict]) -> None:
    print(f"{'row':34}{'RayOS':>15}{'Linux':>15}{'ratio':>8}{'goal':>6}")
    for r in table:
        mark = "" if r["ratio"] <= r["goal"] else "  above its goal"
        print(f"{r['row']:34}{r['rayos']:15,}{r['peer']:15,}"
              f"{r['ratio']:8.3f}{r['goal']:6.2f}{mark}")


def judge(table: list[dict]) -> int:
    if not BASELINE.exists():
        print("no baseline: `ninja bench-accept` makes it")
        return 0
    worse = compare.regressions(json.loads(BASELINE.read_text()), table)
    for sentence in worse:
        print("regression:", sentence)
    return 1 if worse else 0


def accept() -> int:
    results = OUT / "results.json"
    if not results.exists():
        sys.exit("there are no results yet: `ninja bench`")
    shutil.copyfile(results, BASELINE)
    print(f"{BASELINE.relative_to(ROOT)} renewed")
    return 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lua-include", default="/usr/include/lua5.4")
    parser.add_argument("--cpu", default="EPYC")
    parser.add_argument("--quick", action="store_true",
                        help="prove that it works; no figures to rely on")
    parser.add_argument("--out", type=pathlib.Path,
                        help="where results go, else build/bench")
    parser.add_argument("--accept", action="store_true",
                        help="the last results become the baseline")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    if options.accept:
        return accept()
    out = options.out or (OUT / "quick" if options.quick else OUT)
    out.mkdir(parents=True, exist_ok=True)
    table = measure(options, out)
    (out / "results.json").write_text(json.dumps(table, indent=1) + "\n")
    plot.draw(table, out / "results.png")
    print_table(table)
    return 0 if options.quick else judge(table)


if __name__ == "__main__":
    sys.exit(main())
