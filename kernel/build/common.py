"""What configure.py and its modules share: running commands, saying what is
wrong, and the cache that all clones of the tree use."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
from typing import Iterator, NoReturn

Path = pathlib.Path
BUILD = Path("build")  # relative to the root, as all paths of the tree are
PYTHON = "/usr/bin/python3"  # Debian's: the tests' modules are packages


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


def tree_files(root: str, *suffixes: str) -> list[str]:
    """Files below a directory of the tree, sorted, relative to the root."""
    return sorted(str(p) for p in Path(root).rglob("*")
                  if p.suffix in suffixes and p.is_file())
