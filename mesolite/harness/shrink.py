"""Make a failing script smaller while the same check fails: fewest faults, then the calmest order, then shorter.

A smaller script that fails otherwise is not followed, but counted: it is another failure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from attrs import define, evolve, field

from mesolite.harness.run import Identity, Outcome, Scenario, Setting, replayed
from mesolite.harness.script import Injection, Script

T = TypeVar("T")

RUNS = 600
"""So many runs at most."""


@define(kw_only=True)
class Shrunk:
    """The smallest script that was found, what it comes to, and what else was met on the way.

    Attributes:
        runs: how many runs that took.
        others: failures that are others, and how often each was met.
    """

    outcome: Outcome
    runs: int = 0
    others: dict[Identity, int] = field(factory=dict)


class _Search:
    """One search: what is looked for, the best so far, and how many runs are left."""

    def __init__(
        self, scenario: Scenario, setting: Setting, best: Shrunk, runs: int, on_run: Callable[[Shrunk], object]
    ) -> None:
        """Look for smaller scripts that fail as this one does."""
        self._scenario = scenario
        self._setting = setting
        self._wanted = best.outcome.identity
        self._left = runs
        self._on_run = on_run
        self.best = best

    def fails(self, script: Script) -> bool:
        """Whether that script fails in the same way; if so it is the best so far."""
        if self._left <= 0:
            return False
        self._left -= 1
        self.best.runs += 1
        self._on_run(self.best)
        outcome = replayed(self._scenario, self.best.outcome.seed, script, self._setting)
        identity = outcome.identity
        if identity is not None and identity != self._wanted:
            self.best.others[identity] = self.best.others.get(identity, 0) + 1
        if identity is None or identity != self._wanted:
            return False
        # The script as it was given: what it could not do any more is taken out by the search itself.
        outcome.script = script
        self.best.outcome = outcome
        return True


def shrink(
    scenario: Scenario,
    setting: Setting,
    best: Shrunk,
    runs: int = RUNS,
    on_run: Callable[[Shrunk], object] = lambda best: None,
) -> None:
    """Find a smaller script that fails as this one does, within so many runs, and put it there.

    Whoever is interrupted has the smallest so far. `on_run` is told of each run, before it begins.
    """
    search = _Search(scenario, setting, best, runs, on_run)
    script = best.outcome.script
    exceptions = script.order or ()

    def with_faults(faults: Sequence[Injection]) -> Script:
        return script.but(faults=tuple(faults), order=None)

    # By its draws a seed orders what is left as before, whatever faults are taken out.
    faults = fewest(script.faults, lambda some: search.fails(with_faults(some)))
    script = with_faults(faults)
    if search.fails(script.but(order=())):
        script = script.but(order=())
    elif exceptions:
        noted = _noted(scenario, setting, search, script)
        if search.fails(script.but(order=noted)):
            kept = fewest(noted, lambda some: search.fails(script.but(order=tuple(some))))
            script = script.but(order=tuple(kept))
    if script.latency != (0.0, 0.0) and search.fails(script.but(latency=(0.0, 0.0))):
        script = script.but(latency=(0.0, 0.0))
    _shorten(script, search)


def _noted(scenario: Scenario, setting: Setting, search: _Search, script: Script) -> tuple[object, ...]:
    """The exceptions that the seed makes with the faults that are left."""
    outcome = replayed(scenario, search.best.outcome.seed, script, setting, note=True)
    return outcome.script.order or ()


def fewest(things: Sequence[T], still: Callable[[Sequence[T]], bool]) -> list[T]:
    """Take out as many as can be, in ever smaller groups, so that it is still so: none that is left can be spared."""
    kept = list(things)
    if kept and still([]):
        return []
    size = len(kept) // 2
    while size:
        before, begin = len(kept), 0
        while begin < len(kept):
            fewer = kept[:begin] + kept[begin + size :]
            if fewer and still(fewer):
                kept = fewer
            else:
                begin += size
        if size > 1 or len(kept) == before:
            size //= 2
    return kept


def _shorten(script: Script, search: _Search) -> None:
    """Let what lasts last shorter, let faults come at once where they come some events later, and at rounder times."""
    for index in range(len(script.faults)):
        for change in (_at_once, _half, _half, _rounded):
            fault = script.faults[index]
            changed = change(fault)
            if changed != fault:
                shorter = script.but(faults=(*script.faults[:index], changed, *script.faults[index + 1 :]))
                if search.fails(shorter):
                    script = shorter


def _at_once(fault: Injection) -> Injection:
    return evolve(fault, events=0)


def _half(fault: Injection) -> Injection:
    return fault if fault.lasts is None else evolve(fault, lasts=round(fault.lasts / 2, 1))


def _rounded(fault: Injection) -> Injection:
    return evolve(fault, at=float(round(fault.at)))
