#!/usr/bin/python3
"""Set RayOS up for building: packages, third-party sources, build.ninja.

    ./configure.py --setup    installs what is missing, then configures
    ./configure.py            only configures, or says what is missing

Then `ninja help` lists what can be done. Tools are overridden by option or
environment: CC, QEMU, OVMF_CODE, OVMF_VARS, GDB, CLANG_FORMAT, LUACHECK.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import email
import fcntl
import glob
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from typing import Iterable, Iterator, NoReturn

if sys.version_info < (3, 9):
    sys.exit("configure: Python 3.9 or newer is needed, this is "
             + sys.version.split()[0])

Path = pathlib.Path
ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests"))
import host_programs  # noqa: E402

BUILD = Path("build")  # relative to ROOT, as all paths of the tree are
PYTHON = "/usr/bin/python3"  # Debian's: the tests' modules are packages

# --- Tables ---

# Debian packages, and what each is for.
PACKAGES = {
    "ninja-build": "runs the build",
    "gcc": "compiles the kernel, newlib and the unit tests",
    "libc6-dev": "C library of the unit tests, which run on the host",
    "clang": "compiles the fuzz targets",
    "libclang-rt-14-dev": "libFuzzer and sanitizers of the fuzz targets",
    "binutils": "links and strips the kernel",
    "make": "newlib's own build",
    "perl": "Debian's source tools",
    "dpkg-dev": "unpacks Debian source packages with their patches",
    "xz-utils": "unpacks Debian source packages",
    "ca-certificates": "mirrors that are reached by https",
    "gnu-efi": "start-up code and headers of the UEFI loader",
    "mtools": "fills the disk image's FAT file system",
    "dosfstools": "makes the disk image's FAT file system",
    "unifont": "font data: every character",
    "console-setup-linux": "font data: Terminus",
    "qemu-system-x86": "the machine that `run`, `test` and `gdb` start",
    "ovmf": "UEFI firmware of the machines",
    "bochs": "the second emulator that tests run in",
    "bochsbios": "needed by Bochs",
    "vgabios": "video BIOS of Bochs' machine",
    "gdb": "`ninja gdb`",
    "lua5.4": "tests compare with the hosted interpreter",
    "liblua5.4-dev": "benchmarks: the clock of the hosted interpreter",
    "busybox-static": "benchmarks: the Linux beside RayOS",
    "cpio": "benchmarks: that Linux's first file system",
    "lua-check": "`ninja lint`",
    "clang-format": "`ninja format` and `ninja lint`",
    "python3-pytest": "`ninja test`",
    "python3-pytest-xdist": "tests in parallel",
    "python3-pytest-timeout": "ends a test that hangs",
    "python3-pil": "tests look at the screen",
    "python3-numpy": "tests compare pictures",
    "python3-pyte": "tests look at a terminal as a person does",
}
WINDOW_PACKAGES = ["qemu-system-gui"]  # where somebody can look at a window


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
    ThirdParty("GNU Unifont", "unifont", "binary", "1:15.",
               "GPL-2+ with font embedding exception, or OFL-1.1",
               "font with a glyph for every character"),
    ThirdParty("Terminus Font", "console-setup-linux", "binary", "1.",
               "OFL-1.1", "font of the screen's terminal"),
    ThirdParty("gnu-efi", "gnu-efi", "binary", "3.0.", "BSD",
               "start-up code of the UEFI loader"),
)

UNIFONT = Path("/usr/share/unifont/unifont.hex")
TERMINUS = [Path("/usr/share/consolefonts") / f"Uni2-Terminus{size}.psf.gz"
            for size in ("16", "Bold16", "24x12", "Bold24x12", "32x16",
                         "Bold32x16")]

# --- flags ---

WARNINGS = ("-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes "
            "-Wundef -Wvla -Werror").split()
# What all code in the kernel has in common, third-party code too.
MACHINE_FLAGS = (
    "-std=gnu11 -O2 -g -nostdinc -mno-red-zone -mcmodel=kernel -fno-pic "
    "-fno-pie -fno-stack-protector -fno-omit-frame-pointer "
    "-fno-strict-aliasing -fno-asynchronous-unwind-tables "
    "-fcf-protection=none -D__DYNAMIC_REENT__ "
    "-fstack-clash-protection "  # frames over a page meet the guard page
    "-D_CLOCKS_PER_SEC_=1000000").split()  # newlib: 1000
KERNEL_INCLUDES = ["-Ikernel/include", "-Ikernel/arch/x86_64/include", "-I."]
# Code that may run in interrupt context must not touch SSE registers.
NO_FLOAT = ["-mgeneral-regs-only"]
NO_VECTOR = ["-fno-tree-vectorize", "-fno-tree-slp-vectorize"]
LOADER_FLAGS = (
    "-std=gnu11 -O2 -g -ffreestanding -nostdinc -fpic -fshort-wchar "
    "-mno-red-zone -fno-stack-protector -fno-strict-aliasing "
    "-fcf-protection=none -DGNU_EFI_USE_MS_ABI").split()
# Pure modules of the kernel that the loader uses too.
LOADER_SHARED = ("kernel/core/fmt.c", "kernel/core/sha256.c",
                 "kernel/core/string.c")

KERNEL_SOURCES = (
    "kernel/arch", "kernel/core", "kernel/mm", "kernel/sched", "kernel/fs",
    "kernel/display", "kernel/libc", "kernel/reflex", "kernel/net", "drivers",
    "vmm", "lua", "tests/kernel")
FLOAT_SOURCES = re.compile(r"lua/|kernel/libc/|kernel/display/terminal")
# glibc's mathematical functions: what is compiled plain, what for two kinds of
# CPU (kernel/libc/math.c), and its internal headers, for which glibc.h stands.
GLIBC_ONCE = ("branred e_cosh e_exp_data e_fmod e_log10 e_log2_data "
              "e_log_data e_pow_log_data e_sinh math_err s_tanh sincostab").split()
GLIBC_TWICE = ("e_asin e_atan2 e_exp e_log e_log2 e_pow s_atan s_expm1 s_sin "
               "s_tan").split()
GLIBC_VARIANTS = {"plain": [], "fma": ["-mfma", "-mavx2"]}
GLIBC_HEADERS = (
    "endian fenv_private fix-int-fp-convert-zero libm-alias-double "
    "libm-alias-finite math-barriers math-narrow-eval math-svid-compat "
    "math-underflow math_private nan-high-order-bit").split()
# Wrappers of ours around third-party files, which they include: the sanitizer
# spares them, and what they include is not compiled by itself.
WRAPPERS = re.compile(r"lua/limit_")

NEWLIB_CFLAGS = ("-O2 -g1 -fno-omit-frame-pointer -D__DYNAMIC_REENT__ "
                 "-D__OBSOLETE_MATH=0")
NEWLIB_CC_FLAGS = ("-ffreestanding -mno-red-zone -mcmodel=kernel -fno-pic "
                   "-fno-pie -fno-stack-protector -fcf-protection=none")
NEWLIB_OPTIONS = (
    "--target=x86_64-elf --disable-multilib "
    "--disable-newlib-supplied-syscalls --disable-libgloss "
    "--enable-newlib-io-long-long --enable-newlib-io-c99-formats "
    "--enable-newlib-retargetable-locking").split()


# --- Small helpers ---

def fail(message: str) -> NoReturn:
    sys.exit("configure: " + message)


def say(message: str) -> None:
    print("configure: " + message, flush=True)


def output(*command: str) -> str:
    """Standard output of a command that must succeed."""
    try:
        return subprocess.run(command, check=True, text=True,
                              capture_output=True).stdout
    except FileNotFoundError:
        fail(f"{command[0]} not found")
    except subprocess.CalledProcessError as e:
        fail(f"`{shlex.join(command)}` failed:\n{e.stderr}")


def run_quietly(cwd: Path, command: list[str], advice: str = "") -> None:
    """Run a command; show the end of what it said only when it fails."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("CC", "CFLAGS", "MAKEFLAGS", "CONFIG_SITE")}
    done = subprocess.run(command, cwd=cwd, env=env, text=True,
                          errors="replace", stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-30:])
        fail(f"`{shlex.join(command)}` failed:\n{tail}\n{advice}")


def write_if_changed(path: Path, text: str) -> None:
    """Keep the time of a generated file whose content stays the same."""
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def cache_root() -> Path:
    return Path(os.environ["XDG_CACHE_HOME"]) / "rayos"


@contextlib.contextmanager
def cache_lock() -> Iterator[None]:
    """One configure at a time fills the cache; cleans up after dead ones."""
    cache_root().mkdir(parents=True, exist_ok=True)
    with open(cache_root() / "lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        for left in cache_root().glob(".work-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


# --- Debian packages ---

def missing_packages(names: Iterable[str]) -> list[str]:
    """Those of the names that are not installed; none when not on Debian."""
    if not shutil.which("dpkg-query"):
        return []
    query = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    installed = {line.split()[0] for line in query.stdout.splitlines()
                 if line.endswith(" installed")}
    return [n for n in names if n not in installed]


def install_command(packages: list[str]) -> list[str]:
    return ["apt-get", "install", "-y", "--no-install-recommends", *packages]


def as_root(command: list[str]) -> int:
    """Run a command as root; its exit status."""
    command = ["env", "DEBIAN_FRONTEND=noninteractive", *command]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            fail("neither root nor sudo; as root, run:\n    "
                 + shlex.join(command[2:]))
        command = ["sudo", *command]
    say(shlex.join(command))
    return subprocess.run(command).returncode


def setup_packages() -> None:
    """Install what is missing; do nothing at all when nothing is."""
    window = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    missing = missing_packages(
        [*PACKAGES, *(WINDOW_PACKAGES if window else [])])
    if not missing:
        return
    # A fresh machine has no lists; old lists name what the mirror has no more.
    have_lists = any(Path("/var/lib/apt/lists").glob("*_Packages*"))
    if have_lists and as_root(install_command(missing)) == 0:
        return
    if as_root(["apt-get", "update"]) or as_root(install_command(missing)):
        fail("the packages could not be installed")


def check_packages() -> None:
    """Say exactly what is missing and how to get it."""
    missing = missing_packages(PACKAGES)
    if missing:
        fail("these Debian packages are missing:\n"
             + "".join(f"    {n:24}{PACKAGES[n]}\n" for n in missing)
             + "Get them by `./configure.py --setup`, or as root by\n    "
             + shlex.join(install_command(missing)))


# --- Third-party sources ---

ELSEWHERE = "Sources from elsewhere are given by --third-party DIR."


def release_codename() -> str:
    text = Path("/etc/os-release").read_text()
    match = re.search(r'^VERSION_CODENAME="?([^"\n]+)', text, re.MULTILINE)
    return match.group(1) if match else ""


def deb822_entries(text: str) -> Iterator[dict[str, str]]:
    """Paragraphs of a .sources file, keys in lower case."""
    text = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        # The syntax is that of mail headers.
        headers = email.message_from_string(paragraph)
        yield {key.lower(): value for key, value in headers.items()}


def one_line_entries(text: str) -> Iterator[dict[str, str]]:
    """Lines of a .list file in the same shape."""
    pattern = re.compile(
        r"\s*(deb|deb-src)\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)")
    for line in text.splitlines():
        match = pattern.match(line)
        if match:
            options = dict(o.split("=", 1) for o in (match[2] or "").split()
                           if "=" in o)
            yield {"types": match[1], "uris": match[3], "suites": match[4],
                   "components": match[5].strip(),
                   **{k.lower(): v for k, v in options.items()}}


def is_debians_own(entry: dict[str, str], codename: str) -> bool:
    """Whether an apt entry is the distribution's, not a third party's."""
    suites = {s + tail for s in (codename, "stable")
              for tail in ("", "-updates", "-security", "/updates")}
    if entry.get("enabled", "yes").lower() in ("no", "false", "0", "off"):
        return False
    if "main" not in entry.get("components", "").split() or \
            not suites.issuperset(entry.get("suites", "").split()):
        return False
    signed_by = entry.get("signed-by")
    if signed_by:
        return "debian-archive-" in signed_by
    return all(re.search(r"(/debian(-security)?|security\.debian\.org)/*$", u)
               for u in entry.get("uris", "").split())


def source_list(etc: Path = Path("/etc/apt")) -> str:
    """Entries for deb-src in deb822 format, from the machine's own."""
    entries: list[dict[str, str]] = []
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            entries += (one_line_entries if path.suffix == ".list" else
                        deb822_entries)(path.read_text())
    codename = release_codename()
    paragraphs: list[str] = []
    for entry in entries:
        if not is_debians_own(entry, codename):
            continue
        uris = " ".join(u.rstrip("/") for u in entry["uris"].split())
        paragraph = (f"Types: deb-src\nURIs: {uris}\nSuites: "
                     f"{entry['suites']}\nComponents: main\n")
        if "signed-by" in entry:
            paragraph += f"Signed-By: {entry['signed-by']}\n"
        if paragraph not in paragraphs:
            paragraphs.append(paragraph)
    if not paragraphs:
        fail(f"{etc} has no entry of Debian's own for '{codename}'. "
             + ELSEWHERE)
    return "\n".join(paragraphs)


def private_apt(directory: Path) -> list[str]:
    """apt-get over lists of its own: the system's are never touched."""
    parts, lists = directory / "parts", directory / "lists"
    parts.mkdir()
    (lists / "partial").mkdir(parents=True)
    (parts / "src.sources").write_text(source_list())
    options = {
        "Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": parts,
        "Dir::State::lists": lists, "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "", "APT::Update::Error-Mode": "any"}
    if os.geteuid() == 0:  # the sandbox user cannot write there
        options["APT::Sandbox::User"] = "root"
    return ["apt-get", "-q", *(f"-o{k}={v}" for k, v in options.items())]


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


# --- Tools ---

def find_tool(name: str) -> str:
    return shutil.which(name) or fail(
        f"{name} not found; ./configure.py --setup installs the usual tools")


def check_version(tool: str, minimum: tuple[int, ...],
                  before: str = "") -> None:
    """Refuse a tool that is too old."""
    text = output(tool, "--version")
    match = re.search(before + r"(\d+(?:\.\d+)*)", text)
    if not match:
        fail(f"{tool} does not tell its version: {text.splitlines()[:1]}")
    version = tuple(int(n) for n in match.group(1).split("."))
    if version < minimum:
        fail(f"{tool} is version {match.group(1)}, but "
             f"{'.'.join(map(str, minimum))} or newer is needed")


def check_compiler(cc: str) -> bool:
    """Refuse an old compiler; True for clang."""
    clang = "clang" in output(cc, "--version")
    check_version(cc, (14,) if clang else (12,),
                  "clang version " if clang else r"\) ")
    return clang


# A boot sector that tells the debug-exit port that it ran: the whole way of
# real mode, firmware and port I/O. mov al,21; out 0xf4,al; hlt; jmp to hlt
KVM_PROBE = bytes((0xB0, 21, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD))
KVM_PROBE_STATUS = 21 << 1 | 1  # what QEMU's isa-debug-exit makes of it


def run_kvm_probe(qemu: str) -> bool:
    with tempfile.NamedTemporaryFile() as disk:
        disk.write(KVM_PROBE.ljust(510, b"\0") + b"\x55\xaa" + bytes(65536))
        disk.flush()
        command = (f"{shlex.quote(qemu)} -nodefaults -M q35,accel=kvm -cpu "
                   "host -m 64 -display none -device isa-debug-exit,"
                   "iobase=0xf4,iosize=1 -drive format=raw,file=" + disk.name)
        try:
            done = subprocess.run(shlex.split(command), timeout=10,
                                  stdin=subprocess.DEVNULL,
                                  capture_output=True)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == KVM_PROBE_STATUS


def kvm_usable(qemu: str) -> bool:
    """Whether a guest really runs under KVM; remembered per machine."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    key = f"{qemu} {os.stat(qemu).st_mtime} {os.uname()}"
    known = BUILD / "kvm-probe" / hashlib.sha256(key.encode()).hexdigest()
    if not known.exists():
        say("trying whether KVM works here")
        write_if_changed(known, str(run_kvm_probe(qemu)))
    return known.read_text() == "True"


def find_tools(args: argparse.Namespace) -> argparse.Namespace:
    """The arguments with tools checked and found, and what they can do."""
    check_version(find_tool("ninja"), (1, 10))
    for name in ("cc", "qemu", "gdb", "clang_format", "luacheck"):
        setattr(args, name, find_tool(getattr(args, name)))
    args.clang = check_compiler(args.cc)
    args.gcc = find_tool("gcc") if args.clang else args.cc
    check_version(args.qemu, (7,), "version ")
    for path in (args.ovmf_code, args.ovmf_vars):
        if not Path(path).is_file():
            fail(f"{path} not found; ./configure.py --setup installs it")
    args.kvm = kvm_usable(args.qemu)
    return args


# --- build.ninja ---

def tree_files(root: str, *suffixes: str) -> list[str]:
    """Files below a directory of the tree, sorted, relative to ROOT."""
    return sorted(str(p) for p in Path(root).rglob("*")
                  if p.suffix in suffixes and p.is_file())


class Ninja:
    """Collects the text of build.ninja."""

    def __init__(self) -> None:
        self.lines = ["# Written by configure.py.",
                      "ninja_required_version = 1.10", f"builddir = {BUILD}"]

    @staticmethod
    def path(path: object) -> str:
        return re.sub(r"([$ :])", r"$\1", str(path))

    def rule(self, name: str, command: str, description: str,
             **settings: object) -> None:
        self.lines += ["", f"rule {name}", f"  command = {command}",
                       f"  description = {description}"]
        self.lines += [f"  {k} = {v}" for k, v in settings.items()]

    def build(self, outputs: object, rule: str, inputs: object = (),
              implicit: object = (), order_only: object = (),
              **variables: object) -> None:
        def join(items: object) -> str:
            many = items if isinstance(items, (list, tuple)) else [items]
            return " ".join(self.path(i) for i in many)

        line = f"build {join(outputs)}: {rule} {join(inputs)}"
        line += f" | {join(implicit)}" if implicit else ""
        line += f" || {join(order_only)}" if order_only else ""
        self.lines.append(line)
        self.lines += [f"  {k} = {v}" for k, v in variables.items() if v]

    def compile(self, compiler: str, flags: list[str], source: object,
                out: object, order_only: object = ()) -> str:
        self.build(out, "cc", source, order_only=order_only,
                   cc=self.shell(compiler),
                   flags=shlex.join(flags).replace("$", "$$"))
        return str(out)

    @staticmethod
    def shell(word: object) -> str:
        return shlex.quote(str(word)).replace("$", "$$")


class Build:
    """Describes the whole build, one method for each product."""

    def __init__(self, tools: argparse.Namespace,
                 sources: dict[str, Source]) -> None:
        self.ninja, self.tools = Ninja(), tools
        self.newlib = newlib_directory(sources["newlib"].version, tools.gcc)
        self.libc = [self.newlib / "lib/libc.a", self.newlib / "lib/libm.a"]
        self.tree = {name: s.path for name, s in sources.items()}
        resource = (output(tools.cc, "-print-resource-dir").strip()
                    + "/include" if tools.clang else
                    output(tools.cc, "-print-file-name=include").strip())
        # The compiler's headers first, as in every tool chain: newlib's
        # stdatomic.h does not know its _Atomic.
        self.libc_includes = ["-isystem", resource,
                              "-isystem", str(self.newlib / "include")]
        luser = Path("lua/luser.h")
        # Third-party headers are system headers to the compiler, so that its
        # warnings spare them.
        self.lua_flags = ["-DLUA_COMPAT_5_3"] + (
            [f'-DLUA_USER_H="{luser}"'] if luser.exists() else []) + [
            "-isystem", str(BUILD / "gen/include"),
            "-isystem", str(self.tree["lua5.4"] / "src"),
            "-isystem", str(self.tree["lua-lpeg"]),
            "-isystem", str(self.tree["lua-cjson"])]
        self.vterm_flags = ["-isystem", str(self.tree["libvterm"] / "include")]
        self.archives = [*map(str, self.libc), output(
            tools.gcc, "-print-libgcc-file-name").strip()]

    # --- rules ---

    def rules(self) -> None:
        rule, sh = self.ninja.rule, self.ninja.shell
        rule("cc", "$cc $flags -MD -MF $out.d -c $in -o $out", "CC $out",
             depfile="$out.d", deps="gcc")
        linker = output(self.tools.gcc, "-print-prog-name=ld.bfd").strip()
        archives = " ".join(map(sh, self.archives))
        rule("link", f"{sh(linker)} -nostdlib -static --build-id=sha1 "
             "-z max-page-size=4096 -z noexecstack --orphan-handling=place "
             "-T kernel/arch/x86_64/kernel.ld -Map=$out.map --wrap=_dtoa_r "
             f"-o $out @$out.rsp --start-group {archives} --end-group", "LINK $out",
             rspfile="$out.rsp", rspfile_content="$in")
        rule("strip", "strip -g -o $out $in", "STRIP $out")
        rule("copy", "cp $in $out", "COPY $out")
        rule("hash", "cd $dir && sha256sum kernel.elf boot.tar > sha256sums",
             "HASH $out")
        rule("efi_link", f"{sh(linker)} -nostdlib -shared -Bsymbolic "
             "-znocombreloc -T /usr/lib/elf_x86_64_efi.lds "
             "/usr/lib/crt0-efi-x86_64.o $in /usr/lib/libefi.a "
             "/usr/lib/libgnuefi.a --no-undefined -o $out", "LINK $out")
        sections = " ".join("-j " + sh(s) for s in (
            ".text .sdata .data .dynamic .dynsym .rel .rela .rel.* .rela.* "
            ".reloc").split())
        rule("efi", f"objcopy {sections} --target efi-app-x86_64 $in $out",
             "EFI $out")
        rule("python", f"{PYTHON} $script $args", "$what $out")
        rule("annotate", "lua5.4 lua/annotate.lua $dir $in", "ANNOTATE $dir")
        rule("console", "$command", "$out", pool="console")
        rule("newlib", f"{PYTHON} configure.py --build-newlib $source $target "
             "--cc $gcc --xdg-cache-home $cache",
             "NEWLIB (once for all clones, about a minute)", generator=1,
             pool="console")

    # --- third-party code ---

    def newlib_edge(self) -> None:
        # A generator's outputs are spared by `ninja -t clean`.
        sh = self.ninja.shell
        self.ninja.build(self.libc, "newlib", source=sh(self.tree["newlib"]),
                         target=sh(self.newlib), gcc=sh(self.tools.gcc),
                         cache=sh(self.tools.xdg_cache_home))

    def third_party_objects(self) -> list[str]:
        # linit.c: lua/openlibs.c is in its place.
        left_out = {"lua.c", "luac.c", "linit.c", *(
            name for path in glob.glob("lua/limit_*.c") for name in re.findall(
                r'#include [<"](\w+\.c)[>"]', Path(path).read_text()))}
        sources = {
            "lua5.4": sorted(self.tree["lua5.4"].glob("src/*.c")),
            "lua-lpeg": [self.tree["lua-lpeg"] / f"{n}.c"
                         for n in ("lpcap", "lpcode", "lpprint", "lptree")],
            "lua-cjson": [self.tree["lua-cjson"] / f"{n}.c"
                          for n in ("lua_cjson", "strbuf", "fpconv")],
            "libvterm": sorted(self.tree["libvterm"].glob("src/*.c"))}
        flags = [*MACHINE_FLAGS, "-w", *self.libc_includes, "-I.",
                 *self.lua_flags, *self.vterm_flags]
        return [self.ninja.compile(
            self.tools.cc,
            # lua_sethook runs in interrupts: no SSE in these two.
            flags + (NO_VECTOR if p.name in ("ldebug.c", "ldo.c") else []), p,
            BUILD / "obj/third-party" / package / f"{p.stem}.o", self.libc)
            for package, paths in sources.items() for p in paths
            if p.name not in left_out]

    def glibc_objects(self) -> list[str]:
        """Always by gcc, like glibc: clang fuses other operations."""
        source = self.tree["glibc"] / "sysdeps/ieee754/dbl-64"
        headers = BUILD / "gen/glibc"
        for name in GLIBC_HEADERS:
            write_if_changed(headers / f"{name}.h",
                             '#include "kernel/libc/glibc.h"\n')
        include = output(self.tools.gcc, "-print-file-name=include").strip()
        flags = [*MACHINE_FLAGS, "-frounding-math", "-w", "-isystem", include,
                 "-isystem", str(self.newlib / "include"), "-I.",
                 f"-I{headers}", f"-I{source}"]
        work = [(name, name, []) for name in GLIBC_ONCE] + [
            (name, f"{name}-{variant}", [f"-DGLIBC_VARIANT={variant}", *extra])
            for variant, extra in GLIBC_VARIANTS.items()
            for name in GLIBC_TWICE]
        return [self.ninja.compile(
            self.tools.gcc, flags + extra, source / f"{name}.c",
            BUILD / f"obj/third-party/glibc/{out}.o", self.libc)
            for name, out, extra in work]

    # --- the kernel ---

    def kernel_flags(self, source: str) -> list[str]:
        flags = [*MACHINE_FLAGS, "-ffreestanding", *WARNINGS,
                 *self.libc_includes, *KERNEL_INCLUDES]
        if not FLOAT_SOURCES.match(source):
            flags += NO_FLOAT
        if source.startswith(("lua/", "tests/kernel/")):
            flags += self.lua_flags
        if source.startswith("kernel/display/"):
            flags += self.vterm_flags
        return flags

    def kernel_objects(self, directory: Path, extra: list[str]) -> list[str]:
        objects = []
        for source in [f for d in KERNEL_SOURCES
                       for f in tree_files(d, ".c", ".S")]:
            # The handlers of the sanitizer must not call themselves.
            exempt = source.endswith(("ubsan.c", ".S")) or \
                WRAPPERS.match(source)
            objects.append(self.ninja.compile(
                self.tools.cc,
                self.kernel_flags(source) + ([] if exempt else extra), source,
                directory / f"{source}.o", self.libc))
        return objects

    def kernel(self, directory: Path, objects: list[str]) -> None:
        self.ninja.build(directory / "kernel.elf", "link", objects,
                         ["kernel/arch/x86_64/kernel.ld", *self.libc])
        self.ninja.build(directory / "kernel.stripped.elf", "strip",
                         directory / "kernel.elf")

    def loader(self) -> None:
        flags = [*LOADER_FLAGS, *WARNINGS, *self.libc_includes,
                 "-isystem", "/usr/include/efi", "-isystem",
                 "/usr/include/efi/x86_64", *KERNEL_INCLUDES]
        if not self.tools.clang:
            flags.append("-maccumulate-outgoing-args")
        objects = [self.ninja.compile(self.tools.cc, flags, source,
                                      BUILD / f"boot/obj/{source}.o",
                                      self.libc)
                   for source in [*tree_files("kernel/boot", ".c", ".S"),
                                  *filter(os.path.exists, LOADER_SHARED)]]
        self.ninja.build(BUILD / "boot/loader.so", "efi_link", objects)
        self.ninja.build(BUILD / "boot/BOOTX64.EFI", "efi",
                         BUILD / "boot/loader.so")

    # --- the image ---

    def fonts(self) -> list[Path]:
        script = "kernel/display/mkfont.py"
        if not Path(script).exists():
            return []
        out = BUILD / "gen/fonts"
        fonts = [out / "unifont.psf"] + [out / p.stem for p in TERMINUS]
        self.ninja.build(fonts, "python", (), [script, UNIFONT, *TERMINUS],
                         script=script, what="FONTS",
                         args=shlex.join(map(str, [out, UNIFONT, *TERMINUS])))
        return fonts

    def archive(self) -> None:
        content = {f: f for d in ("lua", "policies", "shell")
                   for f in tree_files(d, ".lua")}
        content |= {f"scenario/{Path(f).relative_to('tests/scenario')}": f
                    for f in tree_files("tests/scenario", ".lua")}
        content |= {f"lua/{Path(f).name}": f
                    for f in tree_files(str(BUILD / "gen/lua"), ".lua")}
        content |= {f"fonts/{f.name}": str(f) for f in self.fonts()}
        manifest = BUILD / "gen/archive.manifest"
        write_if_changed(manifest, "".join(
            f"{name}={path}\n" for name, path in sorted(content.items())))
        script = "kernel/boot/mkarchive.py"
        self.ninja.build(BUILD / "boot.tar", "python", (),
                         [script, manifest, *content.values()], script=script,
                         args=f"{BUILD}/boot.tar {manifest}", what="ARCHIVE")

    def image(self, directory: Path) -> Path:
        esp, build = directory / "esp", self.ninja.build
        write_if_changed(BUILD / "gen/boot.cfg", "\n")
        files = {"EFI/BOOT/BOOTX64.EFI": BUILD / "boot/BOOTX64.EFI",
                 "rayos/kernel.elf": directory / "kernel.stripped.elf",
                 "rayos/boot.tar": BUILD / "boot.tar",
                 "rayos/boot.cfg": BUILD / "gen/boot.cfg"}
        for name, source in files.items():
            build(esp / name, "copy", source)
        build(esp / "rayos/sha256sums", "hash", (),
              [esp / "rayos/kernel.elf", esp / "rayos/boot.tar"],
              dir=esp / "rayos")
        image, script = directory / "rayos.img", "kernel/boot/mkimage.py"
        build(image, "python", (),
              [script, esp / "rayos/sha256sums", *(esp / n for n in files)],
              script=script, args=f"{image} {esp}", what="IMAGE")
        return image

    # --- tests and the other targets ---

    def targets(self, images: list[Path],
                programs: dict[str, list[str]]) -> None:
        """What runs something, and is always out of date."""
        sh, tools = self.ninja.shell, self.tools
        image, ubsan = images
        c_list, lua_list = BUILD / "gen/c-files", BUILD / "gen/lua-files"
        write_if_changed(c_list, "".join(
            f + "\n" for d in ("kernel", "drivers", "vmm", "lua", "tests")
            for f in tree_files(d, ".c", ".h")))
        write_if_changed(lua_list, "".join(
            f + "\n" for d in ("lua", "policies", "shell", "tests")
            for f in tree_files(d, ".lua")))
        write_if_changed(BUILD / "gen/help", HELP)
        env = (f"QEMU={sh(tools.qemu)} OVMF_CODE={sh(tools.ovmf_code)} "
               f"OVMF_VARS={sh(tools.ovmf_vars)} {PYTHON}")
        run = f"{PYTHON} kernel/boot/run.py"
        for name, needs, command in (
                ("run", [image], f"{run} $$RUN_ARGS"),
                ("gdb", [image], f"{run} --gdb $$RUN_ARGS"),
                ("test", [image, ubsan, "annotations", *programs["unit"],
                          *programs["fuzz"]],
                 f"{env} -m pytest -q --timeout=300 --dist loadfile "
                 "$${PYTEST_ARGS--n 2} tests"),
                ("fuzz", [BUILD / "boot.tar", *programs["fuzz"]],
                 f"{PYTHON} tests/fuzz/fuzz.py $$FUZZ_ARGS"),
                ("scenario", [image], f"{PYTHON} tests/scenario/run.py "
                 "$$SCENARIO $$SCENARIO_ARGS"),
                ("bench", [image], f"{env} tests/bench/bench.py $$BENCH_ARGS"),
                ("bench-accept", [], f"{PYTHON} tests/bench/bench.py --accept"),
                ("mutants", [], f"{PYTHON} tests/mutants/mutants.py "
                 "$$MUTANTS_ARGS"),
                ("format", [], f"xargs -r {sh(tools.clang_format)} -i < {c_list}"),
                ("lint", [image], f"{PYTHON} -m pytest -q tests/test_lint.py"),
                ("help", [], f"cat {BUILD}/gen/help")):
            self.ninja.build(name, "console", (), needs, command=command)
        # What editors with LuaLS know of our modules.
        out, docs = BUILD / "annotations", tree_files("lua/doc", ".lua")
        made = [out / Path(d).name for d in docs]
        self.ninja.build(made, "annotate", docs, "lua/annotate.lua", dir=out)
        self.ninja.build("annotations", "phony", made)
        self.ninja.lines.append(f"default {image} annotations")

    def regenerate(self, args: list[str]) -> None:
        """build.ninja follows configure.py, the set of files, and what unit
        tests and wrappers say that they include."""
        roots = {r.split("/")[0] for r in KERNEL_SOURCES} | {
            "kernel", "policies", "shell", "tests"}
        directories = sorted(
            str(p) for r in roots if Path(r).is_dir()
            for p in [Path(r), *Path(r).rglob("*")]
            if p.is_dir() and not p.name.startswith(("__", ".")))
        self.ninja.rule("configure", f"{PYTHON} configure.py "
                        + shlex.join(args).replace("$", "$$"), "CONFIGURE",
                        generator=1, pool="console")
        inputs = [*directories, *host_programs.inputs(),
                  *glob.glob("lua/limit_*.c")]
        # What is gone is out of date, not an error.
        self.ninja.build(inputs, "phony")
        self.ninja.build("build.ninja", "configure", (),
                         ["configure.py", *inputs])

    def write(self, args: list[str]) -> None:
        self.rules()
        self.regenerate(args)
        self.newlib_edge()
        third_party = self.third_party_objects() + self.glibc_objects()
        ours = self.kernel_objects(BUILD / "obj", [])
        self.kernel(BUILD, ours + third_party)
        sanitized = self.kernel_objects(BUILD / "ubsan/obj",
                                        ["-fsanitize=undefined"])
        self.kernel(BUILD / "ubsan", sanitized + third_party)
        self.loader()
        self.archive()
        images = [self.image(BUILD), self.image(BUILD / "ubsan")]
        programs = host_programs.describe(self.ninja, self.tools.gcc,
                                          find_tool("clang"), self.tree)
        self.targets(images, programs)
        Path("build.ninja").write_text("\n".join(self.ninja.lines) + "\n")
        write_if_changed(Path("compile_commands.json"),
                         output("ninja", "-t", "compdb", "cc"))


HELP = """\
ninja           build the bootable disk image build/rayos.img
ninja run       start it in QEMU (RUN_ARGS="--memory 2048 --cpus 4")
ninja test      all tests (PYTEST_ARGS="-n 2 -k name")
ninja fuzz      fuzz the parsers (FUZZ_SECONDS=20, FUZZ_ARGS="tar elf")
ninja scenario  run SCENARIO="file.lua ..." inside the OS
ninja bench     benchmarks beside Linux
ninja bench-accept  the last results become the baseline
ninja mutants   deliberate faults, and which test catches each
ninja gdb       start it under the debugger
ninja lint      check style, layering and headers
ninja format    put the C files into the common format
ninja -t clean  remove what was built
"""


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--setup", action="store_true",
                        help="install missing Debian packages")
    parser.add_argument("--third-party", metavar="DIR", type=os.path.abspath,
                        help="unpacked sources instead of Debian's archive")
    for name, default in (
            ("cc", "gcc"), ("qemu", "qemu-system-x86_64"), ("gdb", "gdb"),
            ("clang-format", "clang-format"), ("luacheck", "luacheck"),
            ("ovmf-code", "/usr/share/OVMF/OVMF_CODE.fd"),
            ("ovmf-vars", "/usr/share/OVMF/OVMF_VARS.fd"),
            ("xdg-cache-home", str(Path.home() / ".cache"))):
        variable = name.upper().replace("-", "_")
        parser.add_argument(f"--{name}", help=f"environment: {variable}",
                            default=os.environ.get(variable) or default)
    parser.add_argument("--build-newlib", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_arguments()
    # What ninja runs this with, when the tree changes: all of it, so that
    # nothing hangs on the environment then.
    again = [word for name, value in vars(args).items()
             if isinstance(value, str)
             for word in ("--" + name.replace("_", "-"), value)]
    os.chdir(ROOT)
    os.environ["XDG_CACHE_HOME"] = args.xdg_cache_home
    if args.build_newlib:
        build_newlib(*args.build_newlib, args.cc)
        return
    if args.setup:
        setup_packages()
    check_packages()
    find_tools(args)
    sources = find_sources(args.third_party)
    write_if_changed(BUILD / "gen/lua/about_data.lua", about_data(sources))
    write_if_changed(BUILD / "gen/include/lua5.4-deb-multiarch.h",
                     '#define DEB_HOST_MULTIARCH "x86_64-rayos"\n')
    build = Build(args, sources)
    write_if_changed(BUILD / "run.json", json.dumps(
        {**vars(args), "archives": build.archives}, indent=1) + "\n")
    build.write(again)
    say(f"ready ({'clang' if args.clang else 'gcc'}, "
        f"{'KVM' if args.kvm else 'no usable KVM'}); `ninja help` tells "
        "what can be done")


if __name__ == "__main__":
    main()
