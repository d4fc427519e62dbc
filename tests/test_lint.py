"""The sources keep the rules of the house, as `ninja lint` checks them."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"


def tool(name: str) -> str:
    """The tool that configure.py found."""
    return json.loads((BUILD / "run.json").read_text())[name]


def files(kind: str) -> list[str]:
    """The list that configure.py wrote, for `ninja lint` as well."""
    listed = (BUILD / f"gen/{kind}-files").read_text().split()
    present = [f for f in listed if (ROOT / f).exists()]
    assert len(present) > 20, "the list of files is not what it was"
    return present


def check(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, text=True, timeout=240,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        pytest.fail(f"{done.stdout[-8000:]}\nexit status {done.returncode}",
                    pytrace=False)


def test_files_include_only_what_their_layer_may_see():
    check(sys.executable, "tests/layering.py")


def test_clang_has_no_complaints_about_kernel_and_loader():
    check(sys.executable, "tests/clang_syntax.py")


def test_c_files_are_in_the_common_format():
    check(tool("clang_format"), "--dry-run", "-Werror", *files("c"))


def test_luacheck_finds_nothing_in_lua_files():
    check(tool("luacheck"), "-q", "--no-color", *files("lua"))
