"""The tests' programs for the host, described to ninja by configure.py: unit
tests (tests/unit/test_*.c, by gcc) and fuzz targets (tests/fuzz/fuzz_*.c, by
clang, which has libFuzzer). The comments at the top of each say what is
compiled together with it:

    /* sources: kernel/core/fmt.c ... */
    /* libraries: lua5.4 zydis */       of kernel/build/libraries.py's
"""

from __future__ import annotations

import dataclasses
import glob
import pathlib
import re
from typing import Any

Path = pathlib.Path
BUILD = Path("build")

COMMON_FLAGS = (
    "-std=gnu11 -O1 -g -fno-omit-frame-pointer "
    "-fno-sanitize-recover=undefined -Wall -Wextra -Werror "
    "-Itests/unit/host -Itests/unit -Ikernel/include -I.").split()
# gcc's warnings about formats are wrong with sanitizers.
UNIT_FLAGS = [*COMMON_FLAGS, "-fsanitize=address,undefined",
              "-Wno-format-overflow", "-Wno-format-truncation"]
FUZZ_FLAGS = [*COMMON_FLAGS, "-fsanitize=fuzzer,address,undefined"]
# Third-party code is there to be called, not to be searched.
LIBRARY_FLAGS = "-std=gnu11 -O1 -g -fsanitize=address -w".split()


@dataclasses.dataclass
class Lane:
    """Programs of one kind, which share their objects."""
    ninja: Any  # configure.py's
    compiler: str
    flags: list[str]
    directory: Path
    rule: str
    libraries: dict[str, Any]
    made: dict[str, str] = dataclasses.field(default_factory=dict)

    def compile(self, source: object, flags: list[str], name: str) -> str:
        if name not in self.made:
            self.made[name] = self.ninja.compile(
                self.compiler, flags, source,
                self.directory / f"obj/{name}.o")
        return self.made[name]

    def library(self, name: str) -> list[str]:
        library = self.libraries[name]
        flags = [*LIBRARY_FLAGS, *library.flags, *library.own_flags]
        return [self.compile(p, flags, f"{name}/{p.name}")
                for p in library.sources]

    def program(self, main: str) -> str:
        first = Path(main).read_text().split("#include")[0]
        said = {key: value.split() for key, value in re.findall(
            r"/\*\s*(sources|libraries):((?:[^*]|\*(?!/))*)\*/", first)}
        names = [w for w in said.get("sources", []) if w.endswith(".c")]
        libraries = said.get("libraries", [])
        flags = self.flags + [f for n in libraries
                              for f in self.libraries[n].flags]
        objects = [self.compile(s, flags, "+".join([s, *libraries]))
                   for s in [main, *names]]
        objects += [o for n in libraries for o in self.library(n)]
        out = self.directory / Path(main).stem
        self.ninja.build(out, self.rule, objects)
        return str(out)


def describe(ninja: Any, gcc: str, clang: str,
             libraries: dict[str, Any]) -> dict[str, list[str]]:
    """Write the edges; the programs by "unit" and "fuzz"."""
    programs = {}
    for kind, compiler, flags, sanitizers, pattern in (
            ("unit", gcc, UNIT_FLAGS, "address,undefined",
             "tests/unit/test_*.c"),
            ("fuzz", clang, FUZZ_FLAGS, "fuzzer,address,undefined",
             "tests/fuzz/fuzz_*.c")):
        ninja.rule(f"{kind}_link",
                   f"{ninja.shell(compiler)} -fsanitize={sanitizers} "
                   "-o $out $in -lm", "LINK $out")
        lane = Lane(ninja, compiler, flags, BUILD / kind, f"{kind}_link",
                    libraries)
        programs[kind] = [lane.program(p) for p in sorted(glob.glob(pattern))]
    return programs


def inputs() -> list[str]:
    """Files whose first lines say what is built."""
    return ["tests/host_programs.py", *glob.glob("tests/unit/test_*.c"),
            *glob.glob("tests/fuzz/fuzz_*.c")]
