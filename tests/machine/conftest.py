"""Fixtures for machine tests, the report of a failed one, and lanes.

A test runs in QEMU unless it says otherwise: @pytest.mark.lanes("qemu",
"bochs") runs it once in each, with the machines that `fleet` makes.
"""

import pathlib
import re
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from machine import BUILD, LANES, Machine, lane_works  # noqa: E402

OUT = BUILD / "test-out"


class Fleet:
    """Makes the machines of one test and remembers them for the report."""

    def __init__(self, workdir: pathlib.Path, lane: str = "qemu"):
        self.workdir = workdir
        self.lane = lane
        self.machines: list[Machine] = []

    def __call__(self, **options) -> Machine:
        """Make and start a machine; it ends with the test."""
        m = self.make(**options)
        return m.start()

    def make(self, lane: str | None = None, **options) -> Machine:
        where = self.workdir / f"m{len(self.machines)}"
        m = LANES[lane or self.lane](where, **options)
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


def _lane_of(item) -> str:
    """The lane that this instance of a test was made for."""
    callspec = getattr(item, "callspec", None)
    if not callspec:
        return "qemu"
    machine = callspec.params.get("machine")  # of a module's own fixture
    if isinstance(machine, tuple):
        return machine[0]
    return callspec.params.get("lane", "qemu")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "lanes(*names): the emulators to run this test in")


def pytest_generate_tests(metafunc):
    """A test with lanes has an instance in each that exists here."""
    mark = metafunc.definition.get_closest_marker("lanes")
    if not mark:
        return
    unknown = set(mark.args) - set(LANES)
    if unknown:
        raise ValueError(f"there is no lane called {unknown}")
    if "lane" not in metafunc.fixturenames:
        metafunc.fixturenames.append("lane")
    metafunc.parametrize("lane", [n for n in mark.args if lane_works(n)])


@pytest.fixture
def fleet(request):
    f = Fleet(_workdir(request.node.name), _lane_of(request.node))
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


@pytest.fixture(scope="module")
def host(request):
    """One booted machine with the guests' disk at /guests."""
    f = Fleet(_workdir(request.module.__name__ + "_host"))
    request.module.shared_fleet = f
    m = f.boot(cmdline="testhooks", guests=True, memory=1024)
    m.wait_files("/guests")
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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.user_properties.append(("lane", _lane_of(item)))
