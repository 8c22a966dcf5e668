"""One test under many seeds: run again and again with fresh fixtures, and told as one outcome.

The outcome is that of the test for all seeds: failed if it fails with any. One that is marked as expected to fail has
failed as expected if it did with any, and has passed unexpectedly only if it passed with every one.
"""

from __future__ import annotations

import copy
import enum

import pytest
from _pytest.runner import runtestprotocol

MOST_SEEDS = 20
"""How many failing seeds are named."""


class Outcome(enum.IntEnum):
    """What a run came to; of many, the lowest is told."""

    FAILED = 0
    XFAILED = 1
    XPASSED = 2
    PASSED = 3
    SKIPPED = 4


def run_seeds(
    item: pytest.Item, nextitem: pytest.Item | None, count: int, key: pytest.StashKey[int]
) -> list[pytest.TestReport]:
    """Run the item with seeds 0 to `count` - 1, in its stash under `key`; returns the reports to tell it by."""
    # As the item that comes next: everything of the item is torn down, what it shares with others is kept.
    again = copy.copy(item)
    told: dict[Outcome, list[pytest.TestReport]] = {}
    failed: list[int] = []
    durations = {"setup": 0.0, "call": 0.0, "teardown": 0.0}
    properties = list(item.user_properties)
    done = 0
    for seed in range(count):
        _refresh(item, properties)
        item.stash[key] = seed
        last = seed == count - 1
        reports = runtestprotocol(item, log=False, nextitem=nextitem if last else again)
        done += 1
        for report in reports:
            durations[report.when] += report.duration
        outcome = _outcome(reports)
        told.setdefault(outcome, reports)
        if outcome is Outcome.FAILED:
            failed.append(seed)
        if item.session.shouldstop or item.session.shouldfail:
            break  # everything has been torn down
    del item.stash[key]
    reports = told[min(told)]
    for report in reports:
        report.duration = durations[report.when]
    if failed:
        _say_which(reports, failed, done)
    return reports


def _refresh(item: pytest.Item, properties: list[tuple[str, object]]) -> None:
    """Take from the item what an earlier run has left on it: captured output, properties, the test class's instance."""
    item._report_sections.clear()  # noqa: SLF001  # pytest has no other way
    item.user_properties[:] = properties
    if isinstance(item.parent, pytest.Class):
        for name in ("_instance", "_obj"):
            vars(item).pop(name, None)


def _outcome(reports: list[pytest.TestReport]) -> Outcome:
    outcomes = []
    for report in reports:
        expected = hasattr(report, "wasxfail")
        strict = isinstance(report.longrepr, str) and report.longrepr.startswith("[XPASS(strict)]")
        if report.failed:
            outcomes.append(Outcome.XPASSED if strict else Outcome.FAILED)
        elif report.skipped:
            outcomes.append(Outcome.XFAILED if expected else Outcome.SKIPPED)
        elif expected:
            outcomes.append(Outcome.XPASSED)
    return min(outcomes, default=Outcome.PASSED)


def _say_which(reports: list[pytest.TestReport], failed: list[int], done: int) -> None:
    """Put first into the failure's report how many seeds failed, and which."""
    seeds = ", ".join(map(str, failed[:MOST_SEEDS]))
    more = f", and {len(failed) - MOST_SEEDS} more" if len(failed) > MOST_SEEDS else ""
    text = f"{len(failed)} of {done} seeds failed: {seeds}{more}; this is seed {failed[0]}"
    report = next(report for report in reports if report.failed)
    place = next((n for n, (title, _) in enumerate(report.sections) if title == "mesolite"), len(report.sections))
    report.sections.insert(place, ("mesolite seeds", text))
