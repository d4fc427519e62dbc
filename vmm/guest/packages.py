"""Debian packages that guests are made of: fetched once for all clones of the
tree, and unpacked into the cache."""

from __future__ import annotations

import re
import shutil
import tempfile

from kernel.build.apt import private_apt
from kernel.build.common import (Path, cache_lock, cache_root, output,
                                 run_quietly, say)

# Meta packages, which name the kernel of the day.
META = ("linux-image-cloud-amd64", "linux-image-amd64")


def cached(package: str) -> Path | None:
    """The unpacked tree of the package that was fetched last."""
    found = [p.parent for p in cache_root().glob(f"guests/{package}/*/complete")]
    return max(found, key=lambda p: p.stat().st_mtime, default=None)


def real_name(package: str, apt: list[str]) -> str:
    """What a meta package stands for."""
    if package not in META:
        return package
    show = output("apt-cache", *apt[2:], "depends", package)
    match = re.search(r"Depends: (linux-image-[0-9]\S+)", show)
    if not match:
        raise SystemExit(f"guests: {package} depends on no kernel:\n{show}")
    return match.group(1)


def fetch(package: str, apt: list[str], scratch: Path) -> None:
    """apt verifies it; the tree enters the cache by a rename."""
    say(f"fetching the Debian package {package}")
    work = scratch / package
    work.mkdir()
    run_quietly(work, [*apt, "download", real_name(package, apt)])
    deb = next(work.glob("*.deb"))
    run_quietly(work, ["dpkg-deb", "-x", deb.name, "tree"])
    (work / "tree/complete").touch()
    target = cache_root() / "guests" / package / deb.stem
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)  # without its stamp: damaged
    (work / "tree").rename(target)


def unpacked(*packages: str) -> list[Path]:
    """The trees of the packages; fetches those that are missing."""
    if not all(map(cached, packages)):
        with cache_lock(), tempfile.TemporaryDirectory(
                dir=cache_root(), prefix=".work-") as scratch:
            apt = private_apt(Path(scratch), "deb")
            say("reading Debian's lists of packages")
            run_quietly(Path(scratch), [*apt, "update"])
            for package in packages:
                if not cached(package):
                    fetch(package, apt, Path(scratch))
    return [tree for tree in map(cached, packages) if tree]
