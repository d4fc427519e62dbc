#!/usr/bin/python3
"""RayOS beside Linux on the same emulated machine, in counted instructions.

QEMU's -icount makes one tick of the time-stamp counter one instruction, so two
runs agree. Prints a table and writes build/bench/results.json.
"""

import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/machine"))
import peer  # noqa: E402
from machine import Machine  # noqa: E402

ICOUNT = ["-icount", "shift=0,sleep=off"]
PROGRAMS = ROOT / "tests/scenario/bench_programs.lua"
LUA_GOAL = 1.05
BOOT_GOAL = 0.05  # kernel entry to prompt, of the firmware's own


class CountedMachine(Machine):
    """A machine whose time is the number of instructions that it has run."""

    def command(self) -> list[str]:
        command = super().command()
        command[command.index("tcg,thread=multi")] = "tcg"
        return command + ICOUNT


def run_rayos(work: pathlib.Path, cpu: str) -> tuple[dict, dict]:
    with CountedMachine(work, cpus=1, cpu=cpu) as m:
        m.wait_prompt(timeout=600)
        boot, = m.eval("return sys.boot_times()", 120)
        lua, = m.eval('return require"bench_programs".run(sys.tsc)', 900)
    return boot, lua


def run_peer(work: pathlib.Path, cpu: str, lua_include: str) -> dict:
    machine = ["-nodefaults", "-machine", "q35", "-accel", "tcg", "-cpu", cpu,
               "-smp", "1", "-m", "512", "-display", "none", "-nic", "none",
               *ICOUNT]
    return peer.run(work, lua_include, PROGRAMS, machine, 900)


def make_rows(boot: dict, lua: dict, other: dict) -> list[dict]:
    rows = [{
        "row": "boot.entry_to_prompt_of_firmware",
        "rayos": boot["prompt"] - boot["handover"], "peer": boot["loader"],
        "goal": BOOT_GOAL}, {
        "row": "boot.entry_to_prompt_of_linux_to_init",
        "rayos": boot["prompt"] - boot["handover"], "peer": other["boot"][0],
        "goal": 1.0}]
    for name, (ticks, value) in lua.items():
        if other[name][1] != value:
            sys.exit(f"{name}: RayOS says {value}, the peer {other[name][1]}")
        rows.append({"row": f"lua.{name}", "rayos": ticks,
                     "peer": other[name][0], "goal": LUA_GOAL})
    for row in rows:
        row["ratio"] = round(row["rayos"] / row["peer"], 4)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lua-include", default="/usr/include/lua5.4")
    parser.add_argument("--cpu", default="EPYC")
    options = parser.parse_args()
    out = ROOT / "build/bench"
    boot, lua = run_rayos(out / "rayos", options.cpu)
    other = run_peer(out / "peer", options.cpu, options.lua_include)
    rows = make_rows(boot, lua, other)
    (out / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"{'row':42}{'RayOS':>14}{'peer':>14}{'ratio':>8}{'goal':>6}")
    for r in rows:
        mark = "" if r["ratio"] <= r["goal"] else "  above its goal"
        print(f"{r['row']:42}{r['rayos']:14}{r['peer']:14}"
              f"{r['ratio']:8.3f}{r['goal']:6.2f}{mark}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
