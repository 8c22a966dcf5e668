"""What an exploration has found, and what it has tried."""

from __future__ import annotations

import os
from collections import Counter

from attrs import define, field

from mesolite.actors.errors import MesoliteError
from mesolite.harness.coverage import Coverage
from mesolite.harness.failure import Failure
from mesolite.harness.run import Outcome

ENOUGH = 50
"""A kind of fault that was injected so often, and never had an effect, is a mistake of the exploration."""


UNSEEN: list[Exploration] = []
"""The explorations of tests that have found a failure at which nobody has looked: the pytest plugin fails the tests."""


class NothingReached(MesoliteError, AssertionError):
    """An exploration has tried something else than it should have: a place was never reached, a fault had no effect."""


class NotLookedAt(MesoliteError, AssertionError):
    """An exploration has found a failure, and the test that made it has not looked at what was found."""


@define(kw_only=True, eq=False)
class Exploration:
    """What was found.

    Attributes:
        runs: how many seeds were run.
        clusters: in how many of them there was a cluster.
        seconds: how long that took, in real time, without making the script small.
        sometimes: what was to be reached at least once, and in how many runs it was.
        faults: how often each kind of fault was injected, and had an effect.
        coverage: which events reached which actors in which state, and which callbacks were called.
        aimed: the kinds of faults that may hit nobody but those of certain names.
    """

    _failure: Failure | None = None
    runs: int = 0
    clusters: int = 0
    seconds: float = 0.0
    sometimes: dict[str, int] = field(factory=dict)
    faults: dict[str, Counter[str]] = field(factory=dict)
    coverage: Coverage = field(factory=Coverage)
    aimed: dict[str, tuple[str, ...]] = field(factory=dict)

    @property
    def failure(self) -> Failure | None:
        """The failure of the lowest seed that fails, its script made small; None if no seed fails."""
        self.seen()
        return self._failure

    def seen(self) -> None:
        """Note that somebody has looked at what was found."""
        UNSEEN[:] = [other for other in UNSEEN if other is not self]

    def fail(self, failure: Failure) -> None:
        """Note what was found; in a test it is unseen until somebody has looked at it."""
        self.seen()
        self._failure = failure
        if "PYTEST_CURRENT_TEST" in os.environ:
            UNSEEN.append(self)

    @property
    def seeds_per_second(self) -> float:
        """How many seeds were run in a second."""
        return self.runs / self.seconds if self.seconds else 0.0

    def check(self) -> None:
        """Raise what was found: the failure, a place that no run has reached, a fault that never had an effect.

        Raises:
            Exception: the failure, as it is; a note says what was done and how to see it again.
            NothingReached: something was never tried.
        """
        failure = self.failure
        if failure is not None:
            failure.error.add_note(str(failure))
            raise failure.error
        if not self.runs:
            raise NothingReached("no seed was run: the time was over before the first")
        missed = {name: targets for name, targets in self.aimed.items() if name not in self.faults}
        if missed and self.runs >= ENOUGH:
            text = "; ".join(f"{name}, which may hit {', '.join(targets)}" for name, targets in missed.items())
            raise NothingReached(f"in {self.runs} runs this was never injected: {text}. Is there anybody of that name?")
        never = [name for name, runs in self.sometimes.items() if not runs]
        if never:
            raise NothingReached(f"in {self.runs} runs this was never reached: {', '.join(never)}")
        idle = [
            name for name, count in self.faults.items() if count["injected"] >= ENOUGH and not count["had an effect"]
        ]
        if idle:
            raise NothingReached(f"in {self.runs} runs these faults never had an effect: {', '.join(idle)}")

    def __str__(self) -> str:
        """Say what was run, and what was found."""
        lines = [f"{self.runs} seeds, {self.seeds_per_second:.1f} per second"]
        lines += [f"  reached in {runs} runs: {name}" for name, runs in self.sometimes.items()]
        lines += [
            f"  {name}: {count['injected']} injected, {count['had an effect']} had an effect"
            for name, count in sorted(self.faults.items())
        ]
        first = [] if self._failure is None else [f"{self._failure}\n"]
        return "\n".join([*first, *lines, str(self.coverage), *([] if first else ["nothing found"])])

    def refuse_empty(self) -> None:
        """Refuse what has run a scenario in vain; a test may have its reasons.

        Raises:
            NothingReached: no run has made a cluster.
        """
        if self.runs and not self.clusters and self._failure is None:
            raise NothingReached(f"in {self.runs} runs the scenario has made no cluster, so nothing was tried")

    def add(self, outcome: Outcome) -> None:
        """Count a run."""
        self.runs += 1
        self.clusters += outcome.sim.started is not None
        for name, was_reached in outcome.sometimes.items():
            self.sometimes[name] = self.sometimes.get(name, 0) + was_reached
        for name, count in outcome.faults.items():
            self.faults.setdefault(name, Counter()).update(count)

    def merge(self, other: Exploration) -> None:
        """Count the runs of another process."""
        self.runs += other.runs
        self.clusters += other.clusters
        for name, runs in other.sometimes.items():
            self.sometimes[name] = self.sometimes.get(name, 0) + runs
        for name, count in other.faults.items():
            self.faults.setdefault(name, Counter()).update(count)
        self.coverage.merge(other.coverage)
