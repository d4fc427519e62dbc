"""Which worker runs what, and the closing lines of a run: what ran where."""

import collections

import pytest

from second_try import SecondTry

FUZZ = "tests/fuzz/"


def pytest_addoption(parser):
    parser.addoption("--second-try", type=int, default=0, metavar="N",
                     help="so many machine tests may fail once (second_try.py)")


def pytest_configure(config):
    config.pluginmanager.register(SecondTry(config.getoption("--second-try")))


def pytest_collection_modifyitems(items):
    """Fuzz targets last: many equal pieces, so that all workers end at about
    the same time."""
    items.sort(key=lambda item: item.nodeid.startswith(FUZZ))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file belongs to one worker, whose machines its tests share; of fuzz
    targets each is free, for they share nothing and take 20 s each."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return nodeid if nodeid.startswith(FUZZ) else \
                super()._split_scope(nodeid)

    return Scheduling(config, log)


def _lane_of(report) -> str | None:
    """The emulator that a machine test used; else the directory of the test."""
    lane = dict(getattr(report, "user_properties", ())).get("lane")
    parts = getattr(report, "nodeid", "").split("/")
    return lane or (parts[1] if len(parts) > 2 else None)


def pytest_terminal_summary(terminalreporter):
    """How many tests ran in each lane, how many of them failed, how long."""
    count, failed = collections.Counter(), collections.Counter()
    seconds: dict[str, float] = collections.defaultdict(float)
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            lane = _lane_of(report)
            if lane is None or not hasattr(report, "when"):
                continue
            seconds[lane] += report.duration
            count[lane] += report.when == "call"
            failed[lane] += outcome in ("failed", "error")
    for lane in sorted(seconds):
        terminalreporter.write_line(
            f"lane {lane}: {count[lane]} tests ran, {failed[lane]} failed, "
            f"{seconds[lane]:.0f} s")
