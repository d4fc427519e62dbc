"""Scenarios: the good ones pass, the broken ones fail with a readable report."""

import pathlib
import re
import subprocess
import sys

import pytest
from PIL import Image

from machine import ROOT

RUN = ROOT / "tests/scenario/run.py"


def run(*args, timeout: float = 240, cwd=None) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, RUN, *map(str, args)], text=True,
                          capture_output=True, timeout=timeout,
                          cwd=cwd)


def scenario(tmp_path: pathlib.Path, text: str,
             name: str = "x.lua") -> pathlib.Path:
    path = tmp_path / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["domains", "screen", "agent"])
def test_our_own_scenarios_pass(tmp_path, name):
    done = run(ROOT / f"tests/scenario/{name}.lua", "--cpus", 1)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nok 1 " in done.stdout and "not ok" not in done.stdout
    assert done.stderr == ""


FILES = """
local t = require "scenario"
local argument = ...
t.is(argument, "two words", "the argument")
t.is(#t.read("/boot/scenario/given.bin"), 70000, "the size of the file")
t.write("/tmp/out/back.bin", t.read("/boot/scenario/given.bin"):reverse())
t.wait(function() return (t.screenshot("/tmp/out/screen.png")) or true end)
t.done()
"""


def test_files_and_arguments_go_in_and_files_come_out(tmp_path):
    data = bytes(i * i % 251 for i in range(70000))
    (tmp_path / "data").write_bytes(data)
    done = run(scenario(tmp_path, FILES), "--arg", "two words",
               "--put", f"{tmp_path}/data:given.bin",
               "--get", f"back.bin:{tmp_path}/back",
               "--get", f"screen.png:{tmp_path}/screen.png")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "back").read_bytes() == data[::-1]
    with Image.open(tmp_path / "screen.png") as picture:
        picture.load()
        assert picture.width >= 640 and len(picture.getcolors()) >= 1
    assert "%scenario" not in done.stdout  # the transfer is hidden


BROKEN = {
    "a_failure": (
        'local t = require "scenario"\nt.plan(2)\n'
        't.is(6 * 7, 43, "sum")\nt.ok(true, "fine")\n',
        ["1 of 2 not ok", "not ok 1 - sum"], ["x.lua:3", "43"]),
    "an_error": (
        'local t = require "scenario"\nt.plan(1)\nlocal x\nx.y = 1\n',
        ["Bail out! error: /boot/scenario/x.lua:4: attempt to index"],
        ["# stack traceback:"]),
    "no_plan": (
        'local t = require "scenario"\nt.ok(true, "fine")\n',
        ["there is no plan"], []),
    "a_short_plan": (
        'local t = require "scenario"\nt.plan(3)\nt.ok(true, "fine")\n',
        ["the plan was 3, but 1 came"], []),
    "an_endless_loop": (
        'local t = require "scenario"\nt.plan(1)\nwhile true do end\n',
        ["Bail out! time-out: it did not end in 2 s"],
        ["/boot/scenario/x.lua:3: in main chunk"]),
    "a_panic": (
        'local t = require "scenario"\nt.plan(1)\n'
        'require "sys".test.crash("panic")\n',
        ["the system panicked"], ["RayOS panic", "sys.test.crash"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_scenario_fails_readably(tmp_path, name):
    text, on_stderr, on_stdout = BROKEN[name]
    done = run(scenario(tmp_path, text), "--timeout", 2)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "x.lua: FAILED" in done.stderr
    for words in on_stderr:
        assert words in done.stderr
    for words in on_stdout:
        assert words in done.stdout


def test_the_guide_works_word_by_word(tmp_path):
    guide = (ROOT / "docs/scenarios.md").read_text()
    for name, text in re.findall(r"^```Lua\n-- (\S+)\n(.*?)^```", guide,
                                 re.MULTILINE | re.DOTALL):
        scenario(tmp_path, f"-- {name}\n{text}", name)
    commands = re.findall(r"^    tests/scenario/run.py (.*)$", guide,
                          re.MULTILINE)
    outputs = re.findall(r"^```text\n(.*?)^```", guide,
                         re.MULTILINE | re.DOTALL)
    assert len(commands) == 2 and len(outputs) == 2
    for command in commands:
        done = run(*command.split(), cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        if "quota" in command:
            assert done.stdout == outputs[0]
    assert (tmp_path / "hello.png").read_bytes().startswith(b"\x89PNG")
    policy = tmp_path / "quota.lua"
    policy.write_text(policy.read_text().replace("<=", "<"))
    done = run(*commands[0].split(), cwd=tmp_path)
    assert done.returncode == 1 and outputs[1] in done.stdout


def test_a_file_that_is_not_there_is_named():
    done = run("/no/such.lua")
    assert done.returncode != 0
    assert "/no/such.lua: there is no such file" in done.stderr
