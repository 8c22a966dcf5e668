"""What a benchmark returns, and how rounds are run: ours and theirs in turn, medians over rounds."""

from __future__ import annotations

import gc
import operator
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from attrs import field, frozen

RATES = ("per s",)
"""Units of which more is better."""

_HOLDS = {"under": operator.lt, "at most": operator.le, "at least": operator.ge}


@frozen
class Goal:
    """What we want of a figure: `Goal("under", 20)`; of its ratio if `ratio`, else of its median."""

    words: str = field(validator=lambda _goal, _field, words: _HOLDS[words])
    limit: float
    ratio: bool = False

    def __str__(self) -> str:
        """Say it as in a table."""
        return f"{'ratio ' if self.ratio else ''}{self.words} {self.limit:g}"

    def met(self, value: float) -> bool:
        """Whether this value is what we want."""
        return bool(_HOLDS[self.words](value, self.limit))


@frozen(kw_only=True)
class Figure:
    """One thing measured in several rounds, and what was measured beside it in the same rounds."""

    what: str
    unit: str
    ours: Sequence[float]
    """One value per round."""
    beside: str
    """What theirs is."""
    theirs: Sequence[float]
    """One value per round, in the same unit."""
    goal: Goal | None = None

    @property
    def median(self) -> float:
        """The middle of ours."""
        return statistics.median(self.ours)

    @property
    def median_beside(self) -> float:
        """The middle of theirs."""
        return statistics.median(self.theirs)

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, round by round."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)]

    @property
    def ratio(self) -> float:
        """The middle of the rounds' ratios; unlike the ratio of the medians it forgives slow minutes of the machine."""
        return statistics.median(self.ratios)

    @property
    def best_ratio(self) -> float:
        """The best of ours by the best of theirs: what noise, which only ever slows down, touches least."""
        best = max if self.unit in RATES else min
        return float(best(self.ours) / best(self.theirs))

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; None if there is none."""
        if self.goal is None:
            return None
        return self.goal.met(self.ratio if self.goal.ratio else self.median)

    def as_record(self) -> dict[str, Any]:
        """Put it as plain data for JSON."""
        return {
            "what": self.what,
            "unit": self.unit,
            "median": self.median,
            "lowest": min(self.ours),
            "highest": max(self.ours),
            "beside": self.beside,
            "median_beside": self.median_beside,
            "ratio": self.ratio,
            "best_ratio": self.best_ratio,
            "ratio_lowest": min(self.ratios),
            "ratio_highest": max(self.ratios),
            "goal": str(self.goal) if self.goal else None,
            "met": self.met,
        }


@frozen(kw_only=True)
class Result:
    """What one benchmark has to say."""

    title: str
    settings: str
    """The preset the cluster ran with, as in `Settings.local()`; every figure names it."""
    figures: list[Figure]
    remarks: list[str] = field(factory=list)
    """What was seen besides, a sentence each."""

    @property
    def repeats(self) -> int:
        """How many rounds were counted."""
        return len(self.figures[0].ours)

    def as_record(self) -> dict[str, Any]:
        """Put it as plain data for JSON."""
        return {
            "title": self.title,
            "settings": self.settings,
            "repeats": self.repeats,
            "figures": [figure.as_record() for figure in self.figures],
            "remarks": self.remarks,
        }


def in_turn(rounds: int, *subjects: Callable[[], Any]) -> list[list[Any]]:
    """Measure every subject once per round, A B A B, after one round that does not count.

    Returns for each subject what it returned, round by round.
    """
    for subject in subjects:
        subject()
    # Modules stay for good, and those of earlier benchmarks (Dask's alone are 100,000 objects) are no part of this one:
    # the collector need not look through them again and again.
    gc.collect()
    gc.freeze()
    rows = [[_undisturbed(subject) for subject in subjects] for _ in range(rounds)]
    return [list(column) for column in zip(*rows, strict=True)]


def _undisturbed(subject: Callable[[], Any]) -> Any:
    # What the one before left behind must not be collected at this one's expense.
    gc.collect()
    return subject()


class Stopwatch:
    """Seconds since it was made, or until it was stopped, on a clock: by default of real time."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Start."""
        self._clock = clock
        self._started = clock()
        self._stopped: float | None = None

    @property
    def s(self) -> float:
        """Seconds."""
        return (self._clock() if self._stopped is None else self._stopped) - self._started

    @property
    def ms(self) -> float:
        """Milliseconds."""
        return self.s * 1000.0

    def stop(self) -> None:
        """Count no further."""
        self._stopped = self._clock()
