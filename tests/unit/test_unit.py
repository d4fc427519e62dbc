"""The unit tests of the kernel's pure modules: C programs built for the host
with the address and undefined-behaviour sanitizers, which report by TAP. Each
TAP line is a test here."""

import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE.parents[1] / "build" / "unit"
_RESULT = re.compile(r"^(not )?ok \d+ (.*)$")
_reports: dict[str, "Report"] = {}


class Report:
    """What one program said: every test's result with its diagnostics."""

    def __init__(self, name: str):
        if not (PROGRAMS / name).exists():
            pytest.fail(f"{name} is not built: run `ninja test`",
                        pytrace=False)
        try:
            done = subprocess.run(
                [PROGRAMS / name], text=True, errors="replace", timeout=300,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired as e:
            pytest.fail(f"{name} does not end:\n{e.stdout}")
        self.output, self.status = done.stdout, done.returncode
        self.passed: dict[str, bool] = {}
        self.said: dict[str, str] = {}
        lines: list[str] = []
        for line in self.output.splitlines():
            match = _RESULT.match(line)
            if match:
                self.passed[match[2]] = not match[1]
                self.said[match[2]] = "\n".join(lines)
                lines = []
            else:
                lines.append(line)


def _report(name: str) -> Report:
    """Run each program once in a worker."""
    if name not in _reports:
        _reports[name] = Report(name)
    return _reports[name]


def _tests_of(source: pathlib.Path) -> list[str]:
    return re.findall(r"^TEST\((\w+)\)", source.read_text(), re.MULTILINE)


SOURCES = sorted(HERE.glob("test_*.c"))


@pytest.mark.parametrize("name,test", [
    pytest.param(s.stem, t, id=f"{s.stem.removeprefix('test_')}-{t}")
    for s in SOURCES for t in _tests_of(s)])
def test_unit(name, test):
    report = _report(name)
    if test not in report.passed:
        pytest.fail(f"{name} ended before this test:\n"
                    + report.output[-4000:], pytrace=False)
    if not report.passed[test]:
        pytest.fail(report.said[test], pytrace=False)


@pytest.mark.parametrize("name", [s.stem for s in SOURCES])
def test_program_ends_well(name):
    """No sanitizer report at the end, no test missing from the list."""
    report = _report(name)
    assert report.status == 0, report.output[-4000:]
    assert f"1..{len(report.passed)}" in report.output.splitlines()
