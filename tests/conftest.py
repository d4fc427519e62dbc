"""The closing lines of a test run: what ran where."""

import collections


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
