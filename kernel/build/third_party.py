"""What is not ours: the table of it, its sources (from Debian's archive into a
cache, or from a given directory), and the C library built from them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import tempfile

from kernel.build.apt import ELSEWHERE, private_apt
from kernel.build.common import (Path, cache_lock, cache_root, fail, output,
                                 run_quietly, say)


@dataclasses.dataclass(frozen=True)
class ThirdParty:
    """Something in the image, or in its loader, that is not ours."""
    name: str
    package: str   # Debian's name of it
    kind: str      # "source" package or installed "binary" package
    version: str   # wanted prefix of Debian's version
    licence: str
    use: str
    part: str = ""  # of a large source tree: the directory that is kept


THIRD_PARTY = (
    ThirdParty("newlib", "newlib", "source", "3.3.", "BSD and similar",
               "C library of the kernel"),
    ThirdParty("GNU C Library", "glibc", "source", "2.36-", "LGPL-2.1+",
               "mathematical functions, equal to Linux's to the last bit",
               "sysdeps/ieee754/dbl-64"),
    ThirdParty("Lua", "lua5.4", "source", "5.4.", "MIT",
               "the language that RayOS is scripted in"),
    ThirdParty("LPeg", "lua-lpeg", "source", "1.0.", "MIT",
               "pattern matching and grammars for Lua"),
    ThirdParty("lua-cjson", "lua-cjson", "source", "2.1.", "MIT",
               "JSON for Lua"),
    ThirdParty("libvterm", "libvterm", "source", "0.1.", "MIT",
               "the terminal on the screen"),
    ThirdParty("Zydis", "zydis", "source", "4.0.", "MIT",
               "decoder of x86 instructions, for the hypervisor"),
    ThirdParty("Zycore", "libzycore-dev", "binary", "1.4.", "MIT",
               "headers of Zydis"),
    ThirdParty("GNU Unifont", "unifont", "binary", "1:15.",
               "GPL-2+ with font embedding exception, or OFL-1.1",
               "font with a glyph for every character"),
    ThirdParty("Terminus Font", "console-setup-linux", "binary", "1.",
               "OFL-1.1", "font of the screen's terminal"),
    ThirdParty("gnu-efi", "gnu-efi", "binary", "3.0.", "BSD",
               "start-up code of the UEFI loader"),
)


# --- Sources ---

@dataclasses.dataclass(frozen=True)
class Source:
    """An unpacked tree."""
    path: Path
    version: str


def cached_source(item: ThirdParty) -> Source | None:
    """The newest complete tree of the wanted version in the cache."""
    found: list[Source] = []
    for stamp in cache_root().glob(f"sources/{item.package}_*/complete"):
        version = stamp.read_text().strip()
        if version.startswith(item.version):
            found.append(Source(stamp.parent / "tree", version))
    return max(found, key=lambda s: s.path.parent.stat().st_mtime,
               default=None)


def fetch_source(item: ThirdParty, apt: list[str], scratch: Path) -> None:
    """Fetch, verify and unpack one package; enters the cache by a rename."""
    work = scratch / item.package
    work.mkdir()
    say(f"fetching the Debian source package {item.package}")
    run_quietly(work, [*apt, "--only-source", "source", item.package],
                ELSEWHERE)
    dsc = next(work.glob("*.dsc")).read_text(errors="replace")
    match = re.search(r"^Version: *(\S+)", dsc, re.MULTILINE)
    version = match.group(1) if match else "unknown"
    if not version.startswith(item.version):
        fail(f"Debian's {item.package} is {version} here, RayOS is made for "
             f"{item.version}*. {ELSEWHERE}")
    ready = work / "ready"
    ready.mkdir()
    tree = next(p for p in work.iterdir() if p.is_dir() and p != ready)
    (ready / "tree" / item.part).parent.mkdir(parents=True, exist_ok=True)
    (tree / item.part).rename(ready / "tree" / item.part)
    (ready / "complete").write_text(version + "\n")
    target = cache_root() / "sources" / f"{item.package}_{version}"
    target.parent.mkdir(exist_ok=True)
    if target.exists():  # without its stamp: damaged by somebody
        shutil.rmtree(target)
    ready.rename(target)


def fetch_sources(items: list[ThirdParty]) -> None:
    with cache_lock():
        items = [i for i in items if not cached_source(i)]
        if not items:  # another configure was quicker
            return
        with tempfile.TemporaryDirectory(dir=cache_root(),
                                         prefix=".work-") as scratch:
            apt = private_apt(Path(scratch))
            say("reading Debian's lists of source packages")
            run_quietly(Path(scratch), [*apt, "update"], ELSEWHERE)
            for item in items:
                fetch_source(item, apt, Path(scratch))


def given_source(item: ThirdParty, directory: Path) -> Source:
    """A tree of --third-party DIR."""
    trees = sorted(p for p in directory.glob(f"{item.package}-*")
                   if p.is_dir())
    if not trees:
        fail(f"{directory} has no {item.package}-*")
    changelog = trees[-1] / "debian/changelog"
    version = trees[-1].name[len(item.package) + 1:]
    if changelog.exists():
        match = re.match(r"\S+ \(([^)]+)\)", changelog.read_text())
        version = match.group(1) if match else version
    return Source(trees[-1].resolve(), version)


def find_sources(third_party: str | None) -> dict[str, Source]:
    """All source trees by package; fetches those that are missing."""
    items = [i for i in THIRD_PARTY if i.kind == "source"]
    if third_party:
        return {i.package: given_source(i, Path(third_party)) for i in items}
    if not all(map(cached_source, items)):
        fetch_sources(items)
    sources = {i.package: cached_source(i) for i in items}
    return {name: s for name, s in sources.items() if s}


def about_data(sources: dict[str, Source]) -> str:
    """THIRD_PARTY as a Lua table, with the versions that are really there."""
    binary = [i.package for i in THIRD_PARTY if i.kind == "binary"]
    lines = output("dpkg-query", "-W", "-f", "${Package} ${Version}\n",
                   *binary) if shutil.which("dpkg-query") else ""
    versions = dict(line.split() for line in lines.splitlines())
    versions |= {name: s.version for name, s in sources.items()}
    rows = []
    for item in THIRD_PARTY:
        fields = dataclasses.asdict(item)
        del fields["kind"], fields["package"], fields["part"]
        fields["version"] = versions.get(item.package, "unknown")
        rows.append("  { " + ", ".join(f"{k} = {json.dumps(v)}"
                                       for k, v in fields.items()) + " },\n")
    return ("-- Written by configure.py from its table of third-party code.\n"
            "return {\n" + "".join(rows) + "}\n")


# --- newlib ---

NEWLIB_CFLAGS = ("-O2 -g1 -fno-omit-frame-pointer -D__DYNAMIC_REENT__ "
                 "-D__OBSOLETE_MATH=0")
NEWLIB_CC_FLAGS = ("-ffreestanding -mno-red-zone -mcmodel=kernel -fno-pic "
                   "-fno-pie -fno-stack-protector -fcf-protection=none")
NEWLIB_OPTIONS = (
    "--target=x86_64-elf --disable-multilib "
    "--disable-newlib-supplied-syscalls --disable-libgloss "
    "--enable-newlib-io-long-long --enable-newlib-io-c99-formats "
    "--enable-newlib-retargetable-locking").split()


def newlib_directory(version: str, gcc: str) -> Path:
    """Where the library for this version, compiler and flags belongs."""
    identity = [version, output(gcc, "--version").splitlines()[0],
                NEWLIB_CFLAGS, NEWLIB_CC_FLAGS, *NEWLIB_OPTIONS]
    key = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:12]
    return cache_root() / f"newlib-{version}-{key}"


def build_newlib(source: str, target: str, gcc: str) -> None:
    """What build.ninja's newlib edge runs: build and install into target."""
    with cache_lock():
        if (Path(target) / "lib/libc.a").exists():
            return
        with tempfile.TemporaryDirectory(dir=cache_root(),
                                         prefix=".work-") as scratch:
            work, prefix = Path(scratch) / "build", Path(scratch) / "prefix"
            work.mkdir()
            run_quietly(work, [f"{source}/configure", f"--prefix={prefix}",
                              *NEWLIB_OPTIONS,
                              f"CC_FOR_TARGET={gcc} {NEWLIB_CC_FLAGS}",
                              "AR_FOR_TARGET=ar", "AS_FOR_TARGET=as",
                              "RANLIB_FOR_TARGET=ranlib",
                              f"CFLAGS_FOR_TARGET={NEWLIB_CFLAGS}"])
            run_quietly(work, ["make", f"-j{os.cpu_count() or 1}",
                              "all-target-newlib"])
            run_quietly(work, ["make", "install-target-newlib"])
            shutil.rmtree(target, ignore_errors=True)
            (prefix / "x86_64-elf").rename(target)
