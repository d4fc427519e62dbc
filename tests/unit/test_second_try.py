"""Second tries of machine tests: who has one, in what state, and how many."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).parents[1]

MODULE = """
import pathlib, time, pytest
MADE = pathlib.Path(__file__).parent / "made"

@pytest.fixture(scope="module")
def machine():
    with open(MADE, "a") as f:
        f.write("x")
    yield len(MADE.read_text())
    assert len(MADE.read_text()) < 9

def test_good(machine):
    pass

"""
ONCE = """
def test_once(machine):
    assert machine > 1, "the first machine stalled"

def test_in_the_same(machine):
    assert machine == 2
"""
LATE = """
def test_late(machine):
    assert machine > 1
    time.sleep(12)
"""
NEVER = """
def test_never(machine):
    assert machine > 99
"""


def unsteady(count: int) -> str:
    return "".join(f"""
def test_unsteady_{i}():
    tried = MADE.with_name("tried_{i}")
    assert tried.exists() or tried.touch()
""" for i in range(count))


@pytest.fixture
def run(tmp_path):
    def run(source: str, limit: int, directory: str = "machine", *options):
        where = tmp_path / "tests" / directory
        where.mkdir(parents=True)
        for name in ("conftest.py", "second_try.py"):
            shutil.copy(TESTS / name, tmp_path / "tests")
        (where / "test_some.py").write_text(MODULE + source)
        env = {k: v for k, v in os.environ.items() if "PYTEST" not in k}
        p = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--timeout=2", "-p",
             "no:cacheprovider", "--second-try", str(limit), *options, "tests"],
            cwd=tmp_path, env=env, text=True, capture_output=True, timeout=60)
        return p.returncode, p.stdout
    return run


@pytest.mark.parametrize("workers", [(), ("-n", "2", "--dist", "loadfile")])
def test_a_second_try_is_in_a_new_machine_and_told(run, workers):
    status, text = run(ONCE, 2, "machine", *workers)
    assert status == 0 and "3 passed" in text, text
    assert "UNSTEADY tests/machine/test_some.py::test_once" in text
    assert "the first machine stalled" in text


def test_what_is_broken_fails(run):
    status, text = run(NEVER, 2)
    assert status == 1 and "1 failed, 1 passed" in text, text
    assert "UNSTEADY" not in text


def test_nobody_else_has_one(run):
    assert run(ONCE, 2, "unit")[0] == 1


def test_none_unless_asked_for(run):
    assert run(ONCE, 0)[0] == 1


def test_the_second_try_has_a_time_out_as_well(run):
    status, text = run(LATE, 2)
    assert status == 1 and "Timeout" in text, text


@pytest.mark.parametrize("workers", [(), ("-n", "2", "--dist", "load")])
def test_more_than_a_few_fail_the_run(run, workers):
    assert run(unsteady(3), 2, "machine", *workers)[0] == 1
