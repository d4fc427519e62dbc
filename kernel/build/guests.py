"""Guests of the hypervisor's tests: flat binaries from tests/guests, and the disk
with Linux and others that vmm/guest makes."""

from __future__ import annotations

from kernel.build.common import BUILD, Path, tree_files
from kernel.build.ninja import Ninja

DESKTOP_FILES = ("99-desktop.rules", "customize", "follow", "halt", "init",
                 "terminal", "user", "weston.ini")
# Where vmm/load_flat.c puts them, by the bits of their entry.
BASES = {"16": 0x1000, "32": 0x100000, "64": 0x100000}


def describe(ninja: Ninja, compiler: str, linker: str) -> dict[str, str]:
    """Name in the boot archive -> binary, of every NAME.BITS.S."""
    ninja.rule("guest", f"{ninja.shell(linker)} --oformat binary -m elf_x86_64 "
               "-Ttext $base -e start -o $out $in", "GUEST $out")
    content = {}
    for source in tree_files("tests/guests", ".S"):
        name, bits = Path(source).stem.rsplit(".", 1)
        out = BUILD / "guests" / f"{name}.{bits}"
        loaded = ninja.compile(compiler, ["-Itests/guests"], source,
                               f"{out}.o")
        ninja.build(out, "guest", loaded, base=hex(BASES[bits]))
        content[f"guests/{name}.{bits}"] = str(out)
    return content


def describe_images(ninja: Ninja, cache: str) -> Path:
    """The disk that RayOS has at /guests."""
    image, script = BUILD / "guests.img", "vmm/guest/images.py"
    ninja.build(image, "python", (),
                [*tree_files("vmm/guest", ".py", ".sh"), "/bin/busybox",
                 "kernel/boot/mkimage.py", "kernel/build/apt.py"],
                script=script, args=f"{image} {ninja.shell(cache)}",
                what="GUESTS (fetched once, 100 MB)", pool="console")
    ninja.build("guests", "phony", image)
    debian, script = BUILD / "guest-debian.img", "vmm/guest/debian.py"
    ninja.build(debian, "python", (), [script, "vmm/guest/debian.sh",
                                       "vmm/guest/shutdown.sh"],
                script=script, args=f"{debian} {ninja.shell(cache)}",
                what="DEBIAN (made once, a minute or two)", pool="console")
    ninja.build("guest-debian", "phony", debian)
    desktop, script = BUILD / "desktop.img", "vmm/guest/desktop.py"
    ninja.build(desktop, "python", (), [
        script, "vmm/guest/wallpaper.py",
        *(f"vmm/guest/desktop/{name}" for name in DESKTOP_FILES)],
                script=script, args=f"{desktop} {ninja.shell(cache)}",
                what="DESKTOP (made once, a minute or two)", pool="console")
    ninja.build("desktop", "phony", [image, desktop])
    return image
