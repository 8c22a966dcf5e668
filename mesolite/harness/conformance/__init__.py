"""Conformance: run any scheduler through what may happen to it, and say what it does not survive.

    report = check(MyScheduler, job_of=lambda task: task.name)
    print(report.text())

Or as tests: derive from `SchedulerConformance`. docs/conformance.md says what is judged, and what is not seen. Inside:

    jobs         which jobs there should be, learned from a calm run, and what becomes of each
    subject      the scheduler that is tried, and how it is run
    stage        what a situation has at hand
    acts         what is done to it, one function each
    situations   what may happen, in order, with names
    trial        one run in a situation: a scenario
    verdict      what was found
    report       all of it, as text and as Markdown
    checking     runs all
    suite        the same as tests of pytest
"""

import importlib
from typing import TYPE_CHECKING

from mesolite.harness.conformance.checking import check
from mesolite.harness.conformance.report import Report
from mesolite.harness.conformance.situations import SITUATIONS, Situation
from mesolite.harness.conformance.verdict import CannotBeTried, Finding, Kind, NotHandled, Verdict

if TYPE_CHECKING:
    from mesolite.harness.conformance.suite import SchedulerConformance

__all__ = [
    "SITUATIONS", "CannotBeTried", "Finding", "Kind", "NotHandled", "Report", "SchedulerConformance", "Situation",
    "Verdict", "check",
]  # fmt: skip

if not TYPE_CHECKING:

    def __getattr__(name):
        """Load what needs pytest when it is used: who only runs `check` need not have it."""
        if name == "SchedulerConformance":
            return importlib.import_module("mesolite.harness.conformance.suite").SchedulerConformance
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
