#!/usr/bin/python3
"""Set RayOS up for building: packages, third-party sources, build.ninja.

    ./configure.py --setup    installs what is missing, then configures
    ./configure.py            only configures, or says what is missing

Then `ninja help` lists what can be done. Tools are overridden by option or
environment: CC, QEMU, OVMF_CODE, OVMF_VARS, GDB, CLANG_FORMAT, LUACHECK.
What is behind it is in kernel/build/, one module for each subject.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import pathlib
import shlex
import sys

if sys.version_info < (3, 9):
    sys.exit("configure: Python 3.9 or newer is needed, this is "
             + sys.version.split()[0])

ROOT = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
import host_programs  # noqa: E402
from kernel.build import guests  # noqa: E402
from kernel.build.common import (  # noqa: E402
    BUILD, PYTHON, Path, output, say, tree_files, write_if_changed)
from kernel.build.flags import (  # noqa: E402
    FLOAT_SOURCES, KERNEL_INCLUDES, KERNEL_SOURCES, LOADER_FLAGS,
    LOADER_SHARED, MACHINE_FLAGS, NO_FLOAT, WARNINGS, WRAPPERS)
from kernel.build.libraries import Libraries  # noqa: E402
from kernel.build.ninja import Ninja  # noqa: E402
from kernel.build.packages import check_packages, setup_packages  # noqa: E402
from kernel.build.third_party import (  # noqa: E402
    Source, about_data, build_newlib, find_sources)
from kernel.build.tools import find_tool, find_tools  # noqa: E402

UNIFONT = Path("/usr/share/unifont/unifont.hex")
TERMINUS = [Path("/usr/share/consolefonts") / f"Uni2-Terminus{size}.psf.gz"
            for size in ("16", "Bold16", "24x12", "Bold24x12", "32x16",
                         "Bold32x16")]


class Build:
    """Describes the whole build, one method for each product."""

    def __init__(self, tools: argparse.Namespace,
                 sources: dict[str, Source]) -> None:
        self.ninja, self.tools = Ninja(), tools
        self.libs = Libraries(self.ninja, tools, sources)

    # --- rules ---

    def rules(self) -> None:
        rule, sh = self.ninja.rule, self.ninja.shell
        rule("cc", "$cc $flags -MD -MF $out.d -c $in -o $out", "CC $out",
             depfile="$out.d", deps="gcc")
        linker = output(self.tools.gcc, "-print-prog-name=ld.bfd").strip()
        archives = " ".join(map(sh, self.libs.archives))
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

    # --- the kernel ---

    def kernel_flags(self, source: str) -> list[str]:
        flags = [*MACHINE_FLAGS, "-ffreestanding", *WARNINGS,
                 *self.libs.libc_includes, *KERNEL_INCLUDES]
        if not FLOAT_SOURCES.match(source):
            flags += NO_FLOAT
        if source.startswith(("lua/", "tests/kernel/")):
            flags += self.libs.lua_flags
        if source.startswith("kernel/display/"):
            flags += self.libs.vterm_flags
        if source.startswith("vmm/"):
            flags += self.libs.zydis_flags
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
                directory / f"{source}.o", self.libs.libc))
        return objects

    def kernel(self, directory: Path, objects: list[str]) -> None:
        self.ninja.build(directory / "kernel.elf", "link", objects,
                         ["kernel/arch/x86_64/kernel.ld", *self.libs.libc])
        self.ninja.build(directory / "kernel.stripped.elf", "strip",
                         directory / "kernel.elf")

    def loader(self) -> None:
        flags = [*LOADER_FLAGS, *WARNINGS, *self.libs.libc_includes,
                 "-isystem", "/usr/include/efi", "-isystem",
                 "/usr/include/efi/x86_64", *KERNEL_INCLUDES]
        if not self.tools.clang:
            flags.append("-maccumulate-outgoing-args")
        objects = [self.ninja.compile(self.tools.cc, flags, source,
                                      BUILD / f"boot/obj/{source}.o",
                                      self.libs.libc)
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
        content |= guests.describe(self.ninja, self.tools.gcc, output(
            self.tools.gcc, "-print-prog-name=ld.bfd").strip())
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
                # The desktop's disk is made by root only.
                ("run", [image, *["desktop"] * (os.geteuid() == 0)],
                 f"{run} $$RUN_ARGS"),
                ("gdb", [image], f"{run} --gdb $$RUN_ARGS"),
                ("test", [image, ubsan, "annotations", "desktop",
                          "guest-debian", *programs["unit"],
                          *programs["fuzz"]],
                 f"{env} -m pytest -q --timeout=300 --second-try 2 "
                 "--dist loadfile $${PYTEST_ARGS--n 2} tests"),
                ("fuzz", [BUILD / "boot.tar", *programs["fuzz"]],
                 f"{PYTHON} tests/fuzz/fuzz.py $$FUZZ_ARGS"),
                ("scenario", [image], f"{PYTHON} tests/scenario/run.py "
                 "$$SCENARIO $$SCENARIO_ARGS"),
                ("bench", [image, "desktop"],
                 f"{env} tests/bench/bench.py $$BENCH_ARGS"),
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
        """build.ninja follows what writes it, the set of files, and what unit
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
        inputs = [*directories, *tree_files("kernel/build", ".py"),
                  *host_programs.inputs(),
                  *glob.glob("lua/limit_*.c")]
        # What is gone is out of date, not an error.
        self.ninja.build(inputs, "phony")
        self.ninja.build("build.ninja", "configure", (),
                         ["configure.py", *inputs])

    def write(self, args: list[str]) -> None:
        self.rules()
        self.regenerate(args)
        self.libs.newlib_edge()
        third_party = self.libs.objects()
        ours = self.kernel_objects(BUILD / "obj", [])
        self.kernel(BUILD, ours + third_party)
        sanitized = self.kernel_objects(BUILD / "ubsan/obj",
                                        ["-fsanitize=undefined"])
        self.kernel(BUILD / "ubsan", sanitized + third_party)
        self.loader()
        self.archive()
        images = [self.image(BUILD), self.image(BUILD / "ubsan")]
        guests.describe_images(self.ninja, self.tools.xdg_cache_home)
        programs = host_programs.describe(self.ninja, self.tools.gcc,
                                          find_tool("clang"), self.libs.plain)
        self.targets(images, programs)
        Path("build.ninja").write_text("\n".join(self.ninja.lines) + "\n")
        write_if_changed(Path("compile_commands.json"),
                         output("ninja", "-t", "compdb", "cc"))


HELP = """\
ninja           build the bootable disk image build/rayos.img
ninja run       start it in QEMU (RUN_ARGS="--memory 2048 --cpus 4"); as root it
                makes what is missing of the desktop first
ninja test      all tests (PYTEST_ARGS="-n 2 -k name")
ninja desktop   what `show linux desktop` shows, as root; `ninja run` takes it
ninja guests    the disk of virtual machines that tests use (fetched once)
ninja guest-debian  a disk with Debian and QEMU's guest agent, as root
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
        {**vars(args), "archives": build.libs.archives}, indent=1) + "\n")
    build.write(again)
    say(f"ready ({'clang' if args.clang else 'gcc'}, "
        f"{'KVM' if args.kvm else 'no usable KVM'}); `ninja help` tells "
        "what can be done")


if __name__ == "__main__":
    main()
