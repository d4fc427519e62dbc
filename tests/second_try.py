"""A machine test that fails has a second try, in new machines.

Emulators on a busy host stall, and one such stall in a thousand tests would say
nothing of RayOS. What passes only then is unsteady: the run's closing lines
name it with its first failure in full, and more than a few of them fail the
run. Nothing else has a second try: not the tests on the host, and not those that
a developer runs without --second-try.
"""

import pytest

DIRECTORY = "tests/machine/"
PROPERTY = "unsteady"


def _failure(reports) -> str | None:
    """How the first try went wrong."""
    text = [f"{r.when}: {r.longreprtext}\n" + "\n".join(
        f"--- {title} ---\n{section}" for title, section in r.sections)
        for r in reports if r.failed]
    return "\n".join(text) if text else None


class SecondTry:
    """The plugin: `limit` second tries a worker, and as many unsteady tests."""

    def __init__(self, limit: int):
        self.limit = limit
        self.given = 0
        self.unsteady: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item, nextitem):
        if self.given >= self.limit or not item.nodeid.startswith(DIRECTORY):
            return None
        from _pytest.runner import runtestprotocol
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        failure = _failure(reports)
        if failure is None:
            self._log(item, reports)
        else:
            self._try_again(item, nextitem, failure)
        return True

    @staticmethod
    def _log(item, reports) -> None:
        item.ihook.pytest_runtest_logstart(
            nodeid=item.nodeid, location=item.location)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(
            nodeid=item.nodeid, location=item.location)

    def _try_again(self, item, nextitem, failure: str) -> None:
        """All fixtures end first, so that the machines are new. The hook is
        called anew, so that the time-out begins anew as well."""
        item.session._setupstate.teardown_exact(None)
        item.user_properties.append((PROPERTY, failure))
        limit, self.limit = self.limit, 0
        item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        self.limit = limit
        self.given += 1

    def pytest_runtest_logreport(self, report):
        failure = dict(report.user_properties).get(PROPERTY)
        if failure and report.when == "call" and report.passed:
            self.unsteady[report.nodeid] = failure

    def pytest_sessionfinish(self, session):
        if len(self.unsteady) > self.limit and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for nodeid, failure in self.unsteady.items():
            terminalreporter.section(f"UNSTEADY {nodeid}")
            terminalreporter.write_line(failure)
        if len(self.unsteady) > self.limit:
            terminalreporter.write_line(
                f"FAILED: {len(self.unsteady)} tests passed only at the second "
                f"try, {self.limit} may", red=True)
        elif self.unsteady:
            terminalreporter.write_line(
                f"{len(self.unsteady)} tests passed only at the second try")
