"""What must hold in a simulation: always, in the end, or at least once over many runs.

@sim.always              after every event                       safety
sim.eventually(...)      once faults have stopped                liveness
sim.sometimes(..., ...)  at least once over all runs             was it tried at all?
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from attrs import define, field, frozen

from mesolite.actors.errors import MesoliteError
from mesolite.messages.checking import Duration, Name, checked_arguments, in_seconds
from mesolite.simulation.named import Named
from mesolite.waiting import words

C = TypeVar("C", bound=Callable[[], object])


class PropertyViolated(MesoliteError, AssertionError):
    """Something did not hold that must. `name` says what."""

    def __init__(self, text: str, name: str) -> None:
        """Say what, when and how."""
        super().__init__(text)
        self.name = name


@frozen
class Always:
    """A check after every event."""

    check: Callable[[], object]
    name: str


@frozen
class Eventually:
    """What must come true within so many seconds once faults have stopped."""

    done: Callable[[], object]
    within_s: float
    name: str


@define(eq=False)
class Sometimes:
    """What must have been true at some moment; `times` counts only up to the first."""

    done: Callable[[], object] | None
    name: str
    reached: bool = False


@define(eq=False)
class Stated:
    """What was stated of one simulation."""

    always: list[Always] = field(factory=list)
    eventually: list[Eventually] = field(factory=list)
    sometimes: dict[str, Sometimes] = field(factory=dict)
    recovered: bool = True
    """False while something was stated of the end, and faults have not been stopped since."""


class Properties(Named):
    """The verbs of a simulation that say what must hold."""

    stated: Stated

    @checked_arguments
    def always(self, check: C) -> C:
        """Check this after every event, from now on; used as a decorator.

        It reads, from `sim.view` and whatever the test keeps, and asserts, or returns whether it holds. What it raises
        comes out of whatever lets things happen.

        Raises:
            TypeError: at the first event: it returned something that is neither a bool nor None.
        """
        if not self.stated.always and not self.stated.sometimes:
            self.runtime.looks.append(self._look)
        self.stated.always.append(Always(check, words(check)))
        return check

    @checked_arguments
    def eventually(self, done: Callable[[], object], within: Duration = 600.0) -> None:
        """Demand that this comes true within so many virtual seconds from the moment faults have stopped.

        `done` returns whether it has, and is asked after every event until it is so once; it does not assert, and only
        looks. That moment is `recover()`, which is called at the end of a test or an explored scenario if it was not
        before.
        """
        self.stated.recovered = False
        self.stated.eventually.append(Eventually(done, in_seconds(within), words(done)))

    @checked_arguments
    def sometimes(self, done: Callable[[], object], name: Name) -> None:
        """Demand that this is so at some moment of at least one of many runs: that what a test is about was tried.

        One run that never came there is no failure; an exploration of which no run did is.
        """
        if not self.stated.always and not self.stated.sometimes:
            self.runtime.looks.append(self._look)
        known = self.stated.sometimes.get(name)
        if known is not None and known.done is not None:
            earlier, later = known.done, done
            known.done = lambda: earlier() or later()  # as reached(name) said in two places
        else:
            self.stated.sometimes[name] = Sometimes(done, name, reached=known is not None and known.reached)

    @checked_arguments
    def reached(self, name: Name) -> None:
        """Note that user code has come to a place of that name; see `mesolite.harness.reached`."""
        self.stated.sometimes.setdefault(name, Sometimes(None, name)).reached = True

    def _look(self) -> None:
        """Look after an event; nothing here changes the run."""
        self.runtime.looking = True
        try:
            self._look_at_all()
        finally:
            self.runtime.looking = False

    def _look_at_all(self) -> None:
        for each in self.stated.always:
            if not _holds(each):
                raise PropertyViolated(f"{each.name} does not hold, at {self.runtime.now():.3f} s", each.name)
        for one in self.stated.sometimes.values():
            if not one.reached and one.done is not None and _is_so(one.done, one.name):
                one.reached = True

    def _demand(self, within_s: float | None) -> None:
        """Wait for what must come true now that nothing disturbs it any more."""
        began = self.runtime.now()
        for each in self.stated.eventually:
            allowed_s = each.within_s if within_s is None else within_s
            left_s = max(0.0, began + allowed_s - self.runtime.now())
            if not self.runtime.wait(partial(self._has_come, each), left_s):
                raise PropertyViolated(
                    f"{each.name} has not come true within {allowed_s:g} virtual seconds since faults stopped at "
                    f"{began:.3f} s",
                    each.name,
                )


    def _has_come(self, each: Eventually) -> bool:
        """Whether it has come true; it only looks."""
        self.runtime.looking = True
        try:
            return _is_so(each.done, each.name)
        finally:
            self.runtime.looking = False


def _is_so(done: Callable[[], object], name: str) -> bool:
    """Whether it is. A function that nobody has called, or a coroutine that nobody runs, would always be."""
    result = done()
    if callable(result) or inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError(f"{name} must return whether it is so, and returned {result!r}: call it, without async")
    return bool(result)


def _holds(each: Always) -> bool:
    result = each.check()
    if result is None or isinstance(result, bool):
        return result is not False
    raise TypeError(f"{each.name} must assert, or return a bool, and returned {result!r}")
