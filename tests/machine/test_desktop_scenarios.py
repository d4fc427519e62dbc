"""Desktops by scenarios: each word and what comes of it, and crashes."""

import subprocess
import sys

import pytest

from machine import ROOT

SCENARIOS = {
    "desktop": ["--guests", "--memory", "1024", "--timeout", "240"],
    "desktop_crash": ["--cmdline", "desktop.policy=/tmp/desktop_policy.lua",
                      "--timeout", "180"],
}


@pytest.mark.timeout(450)
@pytest.mark.parametrize("name", SCENARIOS)
def test_these_scenarios_pass(name):
    done = subprocess.run(
        [sys.executable, ROOT / "tests/scenario/run.py",
         ROOT / f"tests/scenario/{name}.lua", *SCENARIOS[name]],
        text=True, capture_output=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nok 1 " in done.stdout and "not ok" not in done.stdout
