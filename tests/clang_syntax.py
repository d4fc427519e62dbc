#!/usr/bin/python3
"""Read all our C sources of kernel and loader with clang too: it warns of other
things than gcc. Nothing is built.

usage: clang_syntax.py        (`ninja lint` runs it, after the kernel is built)
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
OBJECTS = ("build/obj/", "build/boot/obj/")
GCC_ONLY = {"-maccumulate-outgoing-args"}


def clang_headers() -> str:
    done = subprocess.run(["clang", "-print-resource-dir"], check=True,
                          capture_output=True, text=True)
    return done.stdout.strip() + "/include"


def translated(command: str, source: str, headers: str) -> list[str]:
    """What the build runs, as a check by clang. Each compiler has its own
    stdint.h and the like."""
    words = shlex.split(command)
    flags = [headers if w.startswith(("/usr/lib/gcc", "/usr/lib/llvm")) else w
             for w in words[1:words.index("-MD")] if w not in GCC_ONLY]
    return ["clang", "-fsyntax-only", "-Wno-unused-command-line-argument",
            *flags, source]


def commands() -> list[list[str]]:
    headers = clang_headers()
    entries = json.loads((ROOT / "compile_commands.json").read_text())
    return [translated(e["command"], e["file"], headers) for e in entries
            if e["file"].endswith(".c") and e["output"].startswith(OBJECTS)
            and (ROOT / e["file"]).exists() and not e["file"].startswith("/")]


def complaint(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.stdout or (f"{command[-1]}: clang's status is "
                           f"{done.returncode}\n" if done.returncode else "")


def main() -> None:
    work = commands()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [c for c in pool.map(complaint, work) if c]
    print("".join(found) + f"clang: {len(work)} files read, {len(found)} with "
          "complaints")
    sys.exit(bool(found) or len(work) < 100)


if __name__ == "__main__":
    main()
