"""A short run of every fuzz target, after the inputs that once broke it. What
is found here is new: it differs from run to run.

Each target gets fuzz.SECONDS (FUZZ_SECONDS), which is what the whole lane costs
times the number of targets, divided by the workers: 35 targets are 6 minutes of
a run with -n 2. Who adds many more should think of a common budget.
"""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fuzz  # noqa: E402
import seeds  # noqa: E402


@pytest.mark.parametrize("name,path", [
    pytest.param(n, p, id=f"{n}-{p.name}")
    for n in fuzz.NAMES for p in fuzz.regressions(n)])
def test_an_input_that_once_broke_a_parser_does_no_more(name, path):
    result = fuzz.replay(name, [path])
    assert result.passed, result.output[-6000:]


@pytest.mark.parametrize("name", fuzz.NAMES)
def test_random_input_breaks_nothing(name):
    result = fuzz.fuzz(name, fuzz.SECONDS)
    print(result)
    assert result.passed, result.output[-6000:]
    assert result.runs > 100, "hardly anything was tried\n" + result.output
    assert result.coverage > 10, "the parser was not reached\n" + result.output


def test_every_target_has_seeds():
    assert sorted(seeds.MAKERS) == fuzz.NAMES
