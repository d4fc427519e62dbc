"""Third-party code in the kernel: how each library is compiled, and what our
code needs to include it."""

from __future__ import annotations

import argparse
import dataclasses
import glob
import re

from kernel.build.common import BUILD, Path, output, write_if_changed
from kernel.build.flags import MACHINE_FLAGS, NO_FLOAT
from kernel.build.ninja import Ninja
from kernel.build.third_party import Source, newlib_directory

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
# The decoder of Zydis with operands, and names for reports. It calls nothing,
# not even a C library. No guest is shown AVX-512 or Knights Corner.
ZYDIS_PARTS = ("Decoder DecoderData Mnemonic Register Segment SharedData Utils "
               "Zydis").split()
ZYDIS_DEFINES = (
    "ZYAN_NO_LIBC ZYCORE_STATIC_BUILD ZYDIS_STATIC_BUILD "
    "ZYDIS_DISABLE_AVX512 ZYDIS_DISABLE_ENCODER ZYDIS_DISABLE_FORMATTER "
    "ZYDIS_DISABLE_KNC").split()
ZYCORE_INCLUDES = BUILD / "gen/zycore"


@dataclasses.dataclass(frozen=True)
class PlainLibrary:
    """A library that compiles everywhere, so that host programs have it too."""
    sources: list[Path]
    flags: list[str]            # of who includes its headers
    own_flags: list[str] = dataclasses.field(default_factory=list)


def plain_libraries(tree: dict[str, Path]) -> dict[str, PlainLibrary]:
    lua, zydis = tree["lua5.4"] / "src", tree["zydis"]
    return {
        "lua5.4": PlainLibrary(
            [p for p in sorted(lua.glob("*.c"))
             if p.name not in ("lua.c", "luac.c")], ["-isystem", str(lua)]),
        "zydis": PlainLibrary(
            [zydis / f"src/{n}.c" for n in ZYDIS_PARTS],
            [*(f"-D{d}" for d in ZYDIS_DEFINES),
             "-isystem", str(zydis / "include"),
             "-isystem", str(ZYCORE_INCLUDES)], [f"-I{zydis / 'src'}"])}


class Libraries:
    """What is built from trees that are not ours."""

    def __init__(self, ninja: Ninja, tools: argparse.Namespace,
                 sources: dict[str, Source]) -> None:
        self.ninja, self.tools = ninja, tools
        self.newlib = newlib_directory(sources["newlib"].version, tools.gcc)
        self.libc = [self.newlib / "lib/libc.a", self.newlib / "lib/libm.a"]
        self.tree = {name: s.path for name, s in sources.items()}
        self.plain = plain_libraries(self.tree)
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
        self.zydis_flags = self.plain["zydis"].flags
        self.archives = [*map(str, self.libc), output(
            tools.gcc, "-print-libgcc-file-name").strip()]

    def newlib_edge(self) -> None:
        # A generator's outputs are spared by `ninja -t clean`.
        sh = self.ninja.shell
        self.ninja.build(self.libc, "newlib", source=sh(self.tree["newlib"]),
                         target=sh(self.newlib), gcc=sh(self.tools.gcc),
                         cache=sh(self.tools.xdg_cache_home))

    def objects(self) -> list[str]:
        """All of it, but the C library, which is two archives."""
        return [*self.lua_and_vterm_objects(), *self.zydis_objects(),
                *self.glibc_objects()]

    def lua_and_vterm_objects(self) -> list[str]:
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
            self.tools.cc, flags, p,
            BUILD / "obj/third-party" / package / f"{p.stem}.o", self.libc)
            for package, paths in sources.items() for p in paths
            if p.name not in left_out]

    def zydis_objects(self) -> list[str]:
        # Only these of the host's headers, which are no kernel's otherwise.
        link = ZYCORE_INCLUDES / "Zycore"
        if not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to("/usr/include/Zycore")
        library = self.plain["zydis"]
        flags = [*MACHINE_FLAGS, *NO_FLOAT, "-ffreestanding", "-w",
                 *self.libc_includes, *library.flags, *library.own_flags]
        return [self.ninja.compile(
            self.tools.cc, flags, p,
            BUILD / f"obj/third-party/zydis/{p.stem}.o", self.libc)
            for p in library.sources]

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
