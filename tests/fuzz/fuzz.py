#!/usr/bin/python3
"""Fuzz the parsers of strangers' input.

usage: fuzz.py [NAME...]      (`ninja fuzz`; FUZZ_ARGS="tar elf" picks targets)

Every target first runs the inputs that once broke it, then FUZZ_SECONDS
(default 20) of libFuzzer on the corpus in build/fuzz/corpus/NAME, which grows
from run to run. An input that breaks it is kept in build/fuzz/crashes; fix the
source, then move it to tests/fuzz/regressions/NAME/.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import seeds  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = seeds.BUILD / "fuzz"
CRASHES = PROGRAMS / "crashes"
NAMES = sorted(p.stem[len("fuzz_"):] for p in HERE.glob("fuzz_*.c"))
SECONDS = int(os.environ.get("FUZZ_SECONDS") or 20)

# One input may take this long and this much memory, in a build with both
# sanitizers: far above what any needs, far below what a runaway takes.
LIMITS = ["-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=512"]


@dataclasses.dataclass
class Result:
    name: str
    passed: bool
    runs: int
    coverage: int  # edges reached
    output: str

    def __str__(self) -> str:
        verdict = "ok" if self.passed else "FAILED"
        return (f"{self.name:14}{self.runs:10} runs{self.coverage:6} edges  "
                f"{verdict}")


def last_number(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run(name: str, options: list[object], timeout: float) -> Result:
    program = PROGRAMS / f"fuzz_{name}"
    if not program.exists():
        return Result(name, False, 0, 0, f"{program} is not built")
    CRASHES.mkdir(parents=True, exist_ok=True)
    command = [program, *LIMITS, f"-artifact_prefix={CRASHES}/{name}-",
               "-print_final_stats=1", *options]
    try:
        done = subprocess.run(list(map(str, command)), timeout=timeout,
                              text=True, errors="replace",
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as e:
        return Result(name, False, 0, 0, f"does not end:\n{e.stdout}")
    return Result(
        name, done.returncode == 0,
        last_number(r"number_of_executed_units: (\d+)", done.stdout),
        last_number(r"cov: (\d+)", done.stdout), done.stdout)


def regressions(name: str) -> list[pathlib.Path]:
    return sorted((HERE / "regressions" / name).glob("*"))


def replay(name: str, inputs: list[pathlib.Path]) -> Result:
    """Run these inputs only, once each."""
    result = run(name, list(inputs), 60)
    result.runs = len(inputs)
    return result


def fuzz(name: str, seconds: int) -> Result:
    known = regressions(name)
    if known:
        result = replay(name, known)
        if not result.passed:
            return result
    corpus = seeds.make(name)
    return run(name, [f"-max_total_time={seconds}", corpus], seconds + 120)


def main() -> int:
    names = sys.argv[1:] or NAMES
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        sys.exit(f"fuzz: no target {', '.join(unknown)}; there are "
                 + ", ".join(NAMES))
    failed = []
    for name in names:
        result = fuzz(name, SECONDS)
        print(result, flush=True)
        if not result.passed:
            failed.append(name)
            print(result.output[-6000:], flush=True)
    print(f"{len(names) - len(failed)} of {len(names)} targets passed"
          + (f"; what broke {', '.join(failed)} is in {CRASHES}"
             if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
