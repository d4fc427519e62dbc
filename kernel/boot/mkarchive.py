#!/usr/bin/python3
"""Make the boot archive: a plain ustar that is the same for the same files.

usage: mkarchive.py OUT MANIFEST

Each line of MANIFEST is NAME=PATH: the name in the archive, and the file.
"""

from __future__ import annotations

import pathlib
import sys
import tarfile


def directories(names: list[str]) -> list[str]:
    """Every directory that the names lie in, parents first."""
    found: set[str] = set()
    for name in names:
        found.update(str(p) for p in pathlib.PurePosixPath(name).parents)
    return sorted(found - {"."})


def entry(name: str, size: int, directory: bool) -> tarfile.TarInfo:
    """A header without anything of the machine that made it."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if directory else tarfile.REGTYPE
    info.mode = 0o755 if directory else 0o644
    info.size = size
    return info


def main() -> None:
    out, manifest = map(pathlib.Path, sys.argv[1:])
    files = dict(line.split("=", 1)
                 for line in manifest.read_text().splitlines() if line)
    temporary = out.with_suffix(".tmp")
    with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in directories(list(files)):
            tar.addfile(entry(name, 0, True))
        for name in sorted(files):
            with open(files[name], "rb") as f:
                size = f.seek(0, 2)
                f.seek(0)
                tar.addfile(entry(name, size, False), f)
    temporary.replace(out)


main()
