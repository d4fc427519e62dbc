#!/usr/bin/python3
"""Apply deliberate faults to a copy of the tree, one at a time, and show which
test notices each. A fault that no test notices makes the exit status 1.

usage: mutants.py [--sample N] [NAME...]
"""

import argparse
import filecmp
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys

from faults import FAULTS, Fault

ROOT = pathlib.Path(__file__).resolve().parents[2]
TREE = ROOT / "build/mutants/tree"
LOG = ROOT / "build/mutants"
PYTEST = ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p",
          "no:cacheprovider"]


def run(log: pathlib.Path, *command: str) -> tuple[int, str]:
    """Exit status and output, which also goes to the log."""
    env = os.environ | {"PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=TREE, env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=1200)
    with open(log, "a") as out:
        out.write(f"$ {shlex.join(command)}\n{done.stdout}\n")
    return done.returncode, done.stdout


def copy_tree() -> None:
    """What git tracks, and new files; the build there is kept, so that a
    second run builds little."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        source, target = ROOT / name, TREE / name
        if not source.exists() or (target.exists() and filecmp.cmp(
                source, target, shallow=False)):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def allow_warnings() -> None:
    """A fault leaves things unused, and is to be caught by a test."""
    for name in "kernel/build/flags.py", "tests/host_programs.py":
        path = TREE / name
        path.write_text(path.read_text().replace("-Werror", "-Wno-error"))


def build(log: pathlib.Path) -> bool:
    """The image and the unit tests' programs."""
    units = [f"build/unit/{p.stem}" for p in TREE.glob("tests/unit/test_*.c")]
    return run(log, "ninja", "build/rayos.img", *units)[0] == 0


def try_fault(fault: Fault) -> str:
    """What became of it: the test that failed, or why it does not count."""
    log = LOG / (re.sub(r"\W+", "-", fault.name) + ".log")
    log.unlink(missing_ok=True)
    path = TREE / fault.file
    text = path.read_text()
    if text.count(fault.old) != 1:
        return f"STALE: {fault.file} has its text {text.count(fault.old)} times"
    path.write_text(text.replace(fault.old, fault.new))
    try:
        if not build(log):
            return f"STALE: does not build, see {log}"
        status, output = run(log, *PYTEST, *shlex.split(fault.tests))
    finally:
        path.write_text(text)
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", output, re.MULTILINE)
    if status == 1 and failed:
        return "caught by " + failed.group(1)
    return f"SURVIVED (pytest's status {status}), see {log}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="only N, chosen at random")
    parser.add_argument("name", nargs="*", help="parts of names")
    options = parser.parse_args()
    faults = [f for f in FAULTS
              if not options.name or any(n in f.name for n in options.name)]
    if options.sample:
        faults = random.sample(faults, options.sample)
    LOG.mkdir(parents=True, exist_ok=True)
    copy_tree()
    allow_warnings()
    setup = LOG / "setup.log"
    setup.unlink(missing_ok=True)
    if run(setup, "./configure.py")[0] or not build(setup):
        sys.exit(f"the tree does not build as it is, see {setup}")
    survivors = 0
    for fault in faults:
        result = try_fault(fault)
        survivors += not result.startswith("caught")
        print(f"{fault.name:34} {result}", flush=True)
    print(f"{len(faults)} faults, {len(faults) - survivors} caught")
    return survivors != 0


if __name__ == "__main__":
    sys.exit(main())
