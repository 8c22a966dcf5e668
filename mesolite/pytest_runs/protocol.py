"""One test, run again and again with fresh fixtures, and told as one outcome.

The outcome is that of the test for all its runs: failed if one fails. One that is marked as expected to fail has failed
as expected if it did so in any run, and has passed unexpectedly only if it passed in every one.
"""

from __future__ import annotations

import copy
import enum
from collections.abc import Callable
from typing import Any

import pytest
from _pytest.runner import check_interactive_exception, get_reraise_exceptions

from mesolite.actors.errors import MesoliteError
from mesolite.simulation import Simulation

GIVEN = pytest.StashKey[Simulation]()
"""The simulation that the harness has made for this run of the item."""
TOLD = pytest.StashKey[Callable[[], str]]()
"""Says what the report of this run of the item begins with."""
REPEATED_BY = pytest.StashKey[str]()
"""The command that repeats this run of the item."""
EXPLORING = pytest.StashKey[bool]()
"""This run is one of many that nobody will read about."""


class Came(enum.IntEnum):
    """What a run came to; of many, the lowest is told."""

    FAILED = 0
    XFAILED = 1
    XPASSED = 2
    PASSED = 3
    SKIPPED = 4


class TestFailed(MesoliteError, AssertionError):
    """A test has failed by other means than an exception, as `pytest.fail` does."""

    __test__ = False


class NothingMore(BaseException):
    """The item is not run any more: its fixtures fail, or the whole session is to stop."""


class Runs:
    """The runs of one item: called with a simulation, it runs the test with that, as a scenario of the harness.

    Attributes:
        item: which test.
        node_id: its name, by which a kept script knows it.
        is_told: whether the run that comes now is the one to be told about: debuggers are for that alone.
        reports: of the last run.
    """

    def __init__(self, item: pytest.Item) -> None:
        """Run that test."""
        self.item: Any = item
        self.node_id = item.nodeid
        self.is_told = False
        self.reports: list[pytest.TestReport] = []
        # As the item that comes next: everything of the item is torn down, what it shares with others is kept.
        self._again = copy.copy(item)
        self._first: dict[Came, list[pytest.TestReport]] = {}
        self._durations = {"setup": 0.0, "call": 0.0, "teardown": 0.0}
        self._properties = list(item.user_properties)

    def __call__(self, sim: Simulation) -> None:
        """Run the test once, and raise what it raises.

        Raises:
            Exception: what its body has raised.
            TestFailed: it has failed otherwise.
            NothingMore: its fixtures fail, or the session is to stop.
        """
        item = self.item
        self._refresh()
        item.stash[GIVEN] = sim
        item.stash[EXPLORING] = not self.is_told
        if not item._request:  # noqa: SLF001  # as pytest itself runs an item again
            item._initrequest()  # noqa: SLF001
        try:
            self.reports, error = self._phases()
        finally:
            item._request = False  # noqa: SLF001
            item.funcargs = None
            del item.stash[GIVEN], item.stash[EXPLORING]
        came = _came(self.reports)
        self._first.setdefault(came, self.reports)
        if item.session.shouldstop or item.session.shouldfail:
            raise NothingMore
        if came is not Came.FAILED:
            return
        if error is None:
            raise NothingMore
        if isinstance(error, Exception):
            raise error
        raise TestFailed(str(error)).with_traceback(error.__traceback__)

    def _refresh(self) -> None:
        """Take from the item what an earlier run has left: captured output, properties, its class's instance."""
        self.item._report_sections.clear()  # noqa: SLF001  # pytest has no other way
        self.item.user_properties[:] = self._properties
        if isinstance(self.item.parent, pytest.Class):
            for name in ("_instance", "_obj"):
                vars(self.item).pop(name, None)

    def _phases(self) -> tuple[list[pytest.TestReport], BaseException | None]:
        """Set up, call, tear down; returns also what the call has raised."""
        session = self.item.session
        report, _ = self._phase("setup")
        reports, error = [report], None
        if report.passed:
            report, error = self._phase("call")
            reports.append(report)
        nextitem = None if session.shouldfail or session.shouldstop else self._again
        report, _ = self._phase("teardown", nextitem=nextitem)
        if report.failed:
            error = None  # fixtures that fail are nothing to be explored
        return [*reports, report], error

    def _phase(self, when: Any, **more: Any) -> tuple[pytest.TestReport, BaseException | None]:
        item, hook = self.item, getattr(self.item.ihook, f"pytest_runtest_{when}")
        reraise = get_reraise_exceptions(item.config)

        def run() -> None:
            __tracebackhide__ = True
            hook(item=item, **more)

        call = pytest.CallInfo.from_call(run, when=when, reraise=reraise)
        report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
        self._durations[when] += report.duration
        if self.is_told and check_interactive_exception(call, report):
            item.ihook.pytest_exception_interact(node=item, call=call, report=report)
        return report, None if call.excinfo is None else call.excinfo.value

    # ------------------------------------------------------------------------------------------------ what is told

    def outcome(self) -> list[pytest.TestReport]:
        """The reports of the run that stands for all: of those that came to the worst, the first."""
        return self._first[min(self._first)]

    def failed(self, error: Exception) -> list[pytest.TestReport]:
        """Reports of a test that failed because of this, and not in one of its runs."""
        def fail() -> None:
            raise error

        call = pytest.CallInfo.from_call(fail, when="call")
        report: pytest.TestReport = self.item.ihook.pytest_runtest_makereport(item=self.item, call=call)
        others = [each for each in self.reports if each.when != "call" and each.passed]
        return sorted([*others, report], key=lambda each: ("setup", "call", "teardown").index(each.when))

    def close(self, reports: list[pytest.TestReport], nextitem: pytest.Item | None) -> list[pytest.TestReport]:
        """Tear down what the next item does not need; returns the reports to tell the item by."""
        item = self.item
        for report in reports:
            report.duration = self._durations[report.when]
        if item.session.shouldstop or item.session.shouldfail:
            return reports  # everything has been torn down
        # The item itself is torn down, so that the hooks for it have been called: only what it shared is left.
        teardown = item.session._setupstate.teardown_exact  # noqa: SLF001
        call = pytest.CallInfo.from_call(
            lambda: teardown(nextitem), when="teardown", reraise=get_reraise_exceptions(item.config)
        )
        if call.excinfo is None:
            return reports
        failed: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
        return [*(each for each in reports if each.when != "teardown"), failed]


def _came(reports: list[pytest.TestReport]) -> Came:
    outcomes = []
    for report in reports:
        expected = hasattr(report, "wasxfail")
        strict = isinstance(report.longrepr, str) and report.longrepr.startswith("[XPASS(strict)]")
        if report.failed:
            outcomes.append(Came.XPASSED if strict else Came.FAILED)
        elif report.skipped:
            outcomes.append(Came.XFAILED if expected else Came.SKIPPED)
        elif expected:
            outcomes.append(Came.XPASSED)
    return min(outcomes, default=Came.PASSED)
