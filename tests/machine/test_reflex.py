"""Events and reflexes: their scenarios, and what people see of them."""

import subprocess
import sys

import pytest

from machine import ROOT

RUN = ROOT / "tests/scenario/run.py"


@pytest.mark.parametrize("name,cpus", [
    ("events", 2), ("reflexes", 2), ("reflexes", 1), ("default_rules", 2)])
def test_these_scenarios_pass(name, cpus):
    done = subprocess.run(
        [sys.executable, RUN, ROOT / f"tests/scenario/{name}.lua", "--cpus",
         str(cpus)], text=True, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nok 1 " in done.stdout and "not ok" not in done.stdout


def test_the_default_rules_are_there(fleet):
    m = fleet.boot()
    m.eval("for _ = 1, 100 do if #require'reflex'.rules() >= 6 then break end "
           "sys.sleep(0.1) end")
    rules, = m.eval("local names = {} for _, r in "
                    "ipairs(require'reflex'.rules()) do names[r.name] = true "
                    "end return names")
    assert {"interrupt storm", "hanging domain", "power button", "take back",
            "toggle", "guest hangs"} <= set(rules)


def test_a_domain_that_hangs_is_told(fleet):
    m = fleet.boot()
    text, = m.eval(
        'local event, domain = require "event", require "domain" '
        'local queue = event.subscribe("notice") '
        'for _ = 1, 100 do if #require"reflex".rules() > 1 then break end '
        'sys.sleep(0.1) end '
        'domain.spawn { source = "while true do end", budget = 0.1 } '
        'return queue:read(30).text')
    assert "hangs" in text
