"""Conformance as tests of pytest: a class to derive from, with one test for each situation."""

from __future__ import annotations

from typing import Any

import pytest

from mesolite.actors.errors import Refused
from mesolite.harness.conformance.checking import Checking, subject_of
from mesolite.harness.conformance.jobs import JobOf, named
from mesolite.harness.conformance.situations import SITUATIONS, Situation
from mesolite.harness.conformance.subject import Make


class SchedulerConformance:
    """One test for each situation, of the scheduler that a fixture gives.

    So this is all:

        class TestMine(SchedulerConformance):
            @pytest.fixture
            def scheduler(self):
                return MyScheduler

    `scheduler` and `job_of` are what `check` takes; `options` is a dict of its other arguments, such as `resources`.
    Each may be a fixture of the class, of its module or of a conftest.py.
    """

    @pytest.fixture
    def scheduler(self) -> Make:
        """The class of schedulers, or what makes one: to be overridden."""
        raise Refused(
            f"{type(self).__name__} does not say which scheduler it tests: give it a fixture `scheduler` that returns "
            "the class, or a function that makes one"
        )

    @pytest.fixture
    def job_of(self) -> JobOf:
        """Which job a task belongs to, by default its name."""
        return named

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        """What `check` is given besides."""
        return {}

    @pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name.replace(" ", "-"))
    def test_situation(self, situation: Situation, scheduler: Make, job_of: JobOf, options: dict[str, Any]) -> None:
        """It is handled: no job is lost or runs twice, nothing leaks or stays without an answer."""
        Checking.of(*subject_of(scheduler, job_of, **options)).verdict(situation).check()
