"""The shell's host tests: each tests/unit/shell/test_*.lua prints TAP."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests/unit/shell"


@pytest.mark.parametrize("path", sorted(TESTS.glob("test_*.lua")),
                         ids=lambda p: p.stem)
def test_shell(path):
    env = os.environ | {"LUA_PATH": f"{ROOT}/shell/?.lua;{ROOT}/lua/?.lua;{TESTS}/?.lua"}
    env.pop("LUA_PATH_5_4", None)
    env.pop("LUA_INIT", None)
    env.pop("LUA_INIT_5_4", None)
    run = subprocess.run([os.environ.get("LUA", "lua5.4"), str(path)],
                         cwd=ROOT, env=env, capture_output=True, text=True,
                         errors="replace", timeout=120)
    report = run.stdout + run.stderr
    plan = re.search(r"^1\.\.(\d+)$", run.stdout, re.MULTILINE)
    assert plan, f"no plan, the file did not run to its end:\n{report}"
    results = re.findall(r"^(not ok|ok) (\d+)", run.stdout, re.MULTILINE)
    failed = [number for word, number in results if word == "not ok"]
    assert not failed, f"failed: {', '.join(failed)}\n{report}"
    assert len(results) == int(plan.group(1)) > 0, report
    assert run.returncode == 0, report
