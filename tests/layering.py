#!/usr/bin/python3
"""Check the shape of the house: who includes whom, and a few rules of style.

usage: layering.py            (`ninja lint` runs it, after the kernel is built)

What is checked, one function each:
  - a file includes only what its layer may see (docs/architecture.md);
  - every public header compiles alone;
  - objects that may run in interrupt context call nothing of the C library but
    the string functions that <rayos/libc.h> names, and nothing of libgcc, and
    touch no register but the general ones;
  - no file is too long, and lines over 80 columns are rare.
"""

from __future__ import annotations

import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from typing import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"

# --- the layers -----------------------------------------------------------

# Directory prefix -> group; the longest prefix counts.
GROUPS = {
    "kernel/arch/": "core", "kernel/core/": "core", "kernel/mm/": "core",
    "kernel/sched/": "core", "kernel/libc/": "service",
    "kernel/fs/": "service", "kernel/display/": "service",
    "kernel/net/": "service", "kernel/reflex/": "service",
    "drivers/": "driver", "vmm/": "vmm", "lua/": "lua", "kernel/boot/": "boot",
    "kernel/include/": "header", "tests/kernel/": "test",
}
# <rayos/NAME.h> belongs to the core unless it is named here.
SERVICE_HEADERS = {
    "vfs", "framebuffer", "font", "terminal", "surface", "compositor",
    "draw", "window", "reflex", "net", "netport", "switch", "volume", "block",
}
# All that the loader shares with the kernel: plain data and pure functions.
BOOT_HEADERS = {"boot_info", "boot_variable", "elf", "fmt", "sha256", "types"}
# What a group may include besides its own directory's private headers.
MAY_SEE = {
    "core": {"arch", "core"},
    "service": {"arch", "core", "service"},
    "driver": {"arch", "core", "service"},
    "vmm": {"arch", "core", "service", "vmm", "zydis"},
    "lua": {"arch", "core", "service", "vmm", "lua", "lua-library"},
    "boot": {"arch", "boot", "efi"},
    "header": {"core", "service", "arch"},
    "test": {"arch", "core", "service", "vmm", "lua", "lua-library"},
}
# Headers of the C library that hold types and macros only, or the functions
# of kernel/core/string.c: all that interrupt-safe code may want.
PLAIN_HEADERS = {
    "errno.h", "fcntl.h", "inttypes.h", "limits.h", "stdarg.h", "stdatomic.h",
    "stdbool.h", "stddef.h", "stdint.h", "string.h", "sys/types.h", "cpuid.h",
    "elf.h",
}
LUA_HEADER = re.compile(r"l(ua|aux|ualib|p\w+|api|limits|state|func)\w*\.h$")
EFI_HEADER = re.compile(r"efi\w*\.h$")
# Single steps upward that are meant, with the reason.
EXCEPTIONS = {
    ("kernel/core/tty.c", "rayos/vfs.h"): "a tty is a file under /dev",
    ("kernel/include/rayos/thread.h", "reent.h"):
        "a thread holds the C library's state",
}

MAX_LINES = 1000
MAX_COLUMNS = 80
MAX_WIDE_SHARE = 0.01

problems: list[str] = []


def problem(where: object, what: str) -> None:
    problems.append(f"{where}: {what}")


def sources(*suffixes: str) -> Iterator[pathlib.PurePosixPath]:
    """Files of the tree (not of the build), relative to the root."""
    for top in ("kernel", "drivers", "vmm", "lua", "policies", "shell",
                "tests", "configure.py"):
        start = ROOT / top
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield pathlib.PurePosixPath(path.relative_to(ROOT))


def group_of(name: str) -> str | None:
    matching = [p for p in GROUPS if name.startswith(p)]
    return GROUPS[max(matching, key=len)] if matching else None


# --- includes -------------------------------------------------------------

def target_group(header: str) -> str:
    """The layer that an angle-bracket header belongs to."""
    if header.startswith("rayos/"):
        stem = header[len("rayos/"):-len(".h")]
        return "service" if stem in SERVICE_HEADERS else "core"
    if header.startswith("arch/"):
        return "arch"
    if header.startswith("vterm"):
        return "service"
    if header.startswith(("Zydis/", "Zycore/")):
        return "zydis"
    if EFI_HEADER.match(header):
        return "efi"
    if LUA_HEADER.match(header):
        return "lua-library"
    return "plain" if header in PLAIN_HEADERS else "libc"


def check_angle(file: str, group: str, header: str) -> None:
    target = target_group(header)
    if target == "plain":
        return
    if target == "libc":
        if group in ("core", "driver", "boot", "header") and \
                header not in ("sys/types.h",):
            problem(file, f"<{header}> is not for code that may run in "
                          "interrupt context")
        return
    if group == "boot" and header.startswith("rayos/"):
        if header[len("rayos/"):-len(".h")] not in BOOT_HEADERS:
            problem(file, f"the loader shares no <{header}> with the kernel")
        return
    if target not in MAY_SEE[group]:
        problem(file, f"layer {group} must not see <{header}> ({target})")


def check_quoted(file: str, group: str, header: str) -> None:
    """Private headers: the same directory's, or a public one of the tree."""
    path = pathlib.PurePosixPath(file)
    if (ROOT / path.parent / header).exists():
        return
    if not (ROOT / header).exists():
        if not LUA_HEADER.match(header) and not header.endswith(".c"):
            problem(file, f'"{header}" not found')
        return
    target = group_of(header)
    if header.startswith("kernel/") and \
            pathlib.PurePosixPath(header).parent != path.parent:
        problem(file, f'"{header}" is private to its directory')
    elif target not in MAY_SEE[group]:
        problem(file, f'layer {group} must not see "{header}" ({target})')


def is_exception(file: str, header: str) -> bool:
    return any(file.startswith(f) and header == h for f, h in EXCEPTIONS)


def check_includes() -> None:
    pattern = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
    for path in sources(".c", ".h", ".S"):
        file = str(path)
        group = group_of(file)
        if not group:
            continue
        for bracket, header in pattern.findall((ROOT / path).read_text()):
            if is_exception(file, header):
                continue
            check = check_angle if bracket == "<" else check_quoted
            check(file, group, header)


def check_lua_requires() -> None:
    """The runtime below does not know the shell or the policies."""
    pattern = re.compile(r"""require\s*\(?\s*["']((?:shell|policies)\.[^"']*)""")
    for path in sources(".lua"):
        if str(path).startswith("lua/"):
            for module in pattern.findall((ROOT / path).read_text()):
                problem(path, f"lua/ must not require {module}")


# --- headers --------------------------------------------------------------

def kernel_command() -> list[str]:
    """The compiler with the kernel's flags, without files."""
    commands = json.loads((ROOT / "compile_commands.json").read_text())
    entry = next(c for c in commands if c["file"] == "kernel/core/main.c")
    words = shlex.split(entry["command"])
    return words[:words.index("-MD")]


def check_headers() -> None:
    """Each public header, included twice, and nothing else."""
    command = kernel_command()
    with tempfile.TemporaryDirectory() as scratch:
        probe = pathlib.Path(scratch) / "probe.c"
        for path in sources(".h"):
            text = str(path)
            if "/include/" not in text or text.startswith("tests/"):
                continue
            name = text.split("/include/")[1]
            probe.write_text(f"#include <{name}>\n#include <{name}>\n")
            done = subprocess.run([*command, "-fsyntax-only", str(probe)],
                                  cwd=ROOT, text=True, capture_output=True)
            if done.returncode:
                problem(path, "does not compile alone:\n" + done.stderr)


# --- objects --------------------------------------------------------------

def symbols(files: list[pathlib.Path], defined: bool) -> dict[str, str]:
    """Symbols that object files or archives define, or want: name -> file."""
    if not files:
        return {}
    done = subprocess.run(
        ["nm", "-A", "--defined-only" if defined else "--undefined-only", "-g",
         *map(str, files)], text=True, capture_output=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        where, _, rest = line.rpartition(":")
        if rest.split():
            found[rest.split()[-1]] = where
    return found


def object_files(*directories: str) -> list[pathlib.Path]:
    return [p for d in directories
            for p in sorted((BUILD / "obj" / d).rglob("*.o"))
            if (ROOT / p.relative_to(BUILD / "obj").with_suffix("")).exists()]


def allowed_library_symbols() -> set[str]:
    """The names that <rayos/libc.h> allows, in its first comment, and the
    functions that it declares itself."""
    text = (ROOT / "kernel/include/rayos/libc.h").read_text()
    listed = re.search(r"string\.c:([^.]*)\.", text)
    names = set(re.findall(r"\w+", listed.group(1))) if listed else set()
    return names | set(re.findall(r"(\w+)\(", text))


def check_interrupt_safe_objects() -> None:
    tools = json.loads((BUILD / "run.json").read_text())
    core = ["kernel/arch", "kernel/core", "kernel/mm", "kernel/sched"]
    library = symbols([pathlib.Path(a) for a in tools["archives"]], True)
    library |= symbols(object_files("kernel/libc"), True)
    fine = allowed_library_symbols() | set(symbols(object_files(*core), True))
    for file in object_files(*core, "drivers"):
        for name in symbols([file], False):
            if name in library and name not in fine:
                problem(file.relative_to(BUILD / "obj").with_suffix(""),
                        f"calls {name} of the C library, which is not safe in "
                        "interrupt context")


def check_general_registers() -> None:
    """Vector and x87 registers belong to the interrupted thread."""
    files = object_files("kernel/arch", "kernel/core", "kernel/mm",
                         "kernel/sched", "kernel/reflex", "drivers", "vmm")
    # A guest's registers, which its instructions name.
    files = [f for f in files if f.name != "vector_registers.S.o"]
    done = subprocess.run(["objdump", "-d", "--no-show-raw-insn",
                           *map(str, files)], text=True, check=True,
                          capture_output=True)
    for part in re.split(r"^(?=/.*file format)", done.stdout, flags=re.M):
        found = re.search(r"%([xyz]?mm\d+|st\b)", part)
        if found:
            name = pathlib.Path(part.split(":")[0])
            problem(name.relative_to(BUILD / "obj").with_suffix(""),
                    f"uses %{found.group(1)}, which it must not touch")


def check_libgcc() -> None:
    """The host's libgcc uses the red zone, which an interrupt on the same
    stack would overwrite: nothing of it may be in the kernel."""
    link_map = BUILD / "kernel.elf.map"
    text = link_map.read_text() if link_map.exists() else ""
    for member in sorted(set(re.findall(r"libgcc\.a\(([^)]*)\)", text))):
        problem("kernel.elf", f"{member} of libgcc is linked in")


# --- style ----------------------------------------------------------------

def check_size() -> None:
    total: dict[str, int] = {}
    wide: dict[str, list[str]] = {}
    for path in sources(".c", ".h", ".S", ".py", ".lua"):
        lines = (ROOT / path).read_text().splitlines()
        if len(lines) > MAX_LINES:
            problem(path, f"{len(lines)} lines, {MAX_LINES} are the limit")
        kind = ".c" if path.suffix in (".h", ".S") else path.suffix
        total[kind] = total.get(kind, 0) + len(lines)
        wide.setdefault(kind, []).extend(
            f"{path}:{n}" for n, line in enumerate(lines, 1)
            if len(line.expandtabs(8)) > MAX_COLUMNS)
    for kind, places in wide.items():
        if len(places) > MAX_WIDE_SHARE * total[kind]:
            problem(f"*{kind}", f"{len(places)} of {total[kind]} lines are "
                    f"over {MAX_COLUMNS} columns: " + " ".join(places[:40]))


def main() -> None:
    check_includes()
    check_lua_requires()
    check_headers()
    check_interrupt_safe_objects()
    check_general_registers()
    check_libgcc()
    check_size()
    for line in problems:
        print(line)
    print(f"layering: {len(problems)} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
