"""Fixtures for machine tests, and the report of a failed one."""

import pathlib
import re
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from machine import BUILD, Machine  # noqa: E402

OUT = BUILD / "test-out"


class Fleet:
    """Makes the machines of one test and remembers them for the report."""

    def __init__(self, workdir: pathlib.Path):
        self.workdir = workdir
        self.machines: list[Machine] = []

    def __call__(self, **options) -> Machine:
        """Make and start a machine; it ends with the test."""
        m = self.make(**options)
        return m.start()

    def make(self, **options) -> Machine:
        m = Machine(self.workdir / f"m{len(self.machines)}", **options)
        self.machines.append(m)
        return m

    def boot(self, **options) -> Machine:
        """Make, start, and wait for the prompt."""
        m = self(**options)
        m.wait_prompt()
        return m

    def close(self, keep: bool) -> None:
        for m in self.machines:
            m.kill()
        if not keep:
            shutil.rmtree(self.workdir, ignore_errors=True)


def _workdir(name: str) -> pathlib.Path:
    path = OUT / re.sub(r"[^A-Za-z0-9_.-]+", "_", name)[:60]
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


@pytest.fixture
def fleet(request):
    f = Fleet(_workdir(request.node.name))
    request.node.fleet = f
    yield f
    report = getattr(request.node, "report_call", None)
    f.close(keep=report is None or report.failed)


@pytest.fixture(scope="module")
def shared(request):
    """One booted machine for all tests of a module that leave it as it was."""
    f = Fleet(_workdir(request.module.__name__))
    m = f.boot(cmdline="testhooks")
    request.module.shared_fleet = f
    yield m
    f.close(keep=request.session.testsfailed > 0)


def _describe(m: Machine) -> str:
    """What a developer wants to see of a machine whose test failed."""
    text = m.serial.text() if m.serial else ""
    if not text and (m.workdir / "serial.log").exists():
        text = (m.workdir / "serial.log").read_text(errors="replace")
    lines = [f"machine in {m.workdir}", *text.splitlines()[-40:]]
    panic = re.search(r"^.*RayOS panic[\s\S]*", text, re.MULTILINE)
    if panic:
        lines += ["", "--- panic ---", *panic.group(0).splitlines()[:80]]
    try:
        m.screenshot("failed")
        lines.append(f"screen: {m.workdir}/failed.png")
    except Exception as e:  # the machine may be gone: say so, go on
        lines.append(f"no screen dump: {e}")
    return "\n".join(lines)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.report_call = report
    if not report.failed:
        return
    fleets = [getattr(item, "fleet", None),
              getattr(item.module, "shared_fleet", None)]
    for f in filter(None, fleets):
        for m in f.machines:
            report.sections.append(("machine", _describe(m)))
