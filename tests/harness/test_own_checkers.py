"""Checkers that users write: a mistake in one is named as its own, and one that would never say anything is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mesolite import InvalidValue, Simulation
from mesolite.harness import Faults, explore
from mesolite.harness.checkers import (
    STANDARD,
    ActorRole,
    Checker,
    Checkers,
    Family,
    NoJobTwice,
    afterwards,
    does,
    hears,
    says,
)
from mesolite.harness.checkers.checker import refuse_mute
from mesolite.messages import AcceptOffers, StatusUpdate
from tests.scenarios.schedulers import PLAIN, Launcher, command_task


class Own(Checker):
    """What all here have in common."""

    name = "own"
    statement = "Something holds."
    family = Family.YOURS


JOBS: dict[str, str] = {}


class FewAtOnce(Own):
    """Says when two tasks are launched at once."""

    @says(ActorRole.SCHEDULER, AcceptOffers)
    def accepted(self, record: Any, core: Any, message: AcceptOffers, to: str) -> None:
        """A scheduler takes an offer."""
        if sum(len(operation.tasks) for operation in message.operations) > 1:
            self.violated(f"{record.actor} launches several tasks at once", record.actor)


class Raises(Own):
    """Raises at the first update."""

    @hears(ActorRole.SCHEDULER, StatusUpdate)
    def told(self, record: Any, core: Any) -> None:
        """A scheduler is told something."""
        raise KeyError("job")


class TakesTooLittle(Own):
    """Has a method of another shape than it is called with."""

    @hears(ActorRole.SCHEDULER, StatusUpdate)
    def told(self) -> None:
        """A scheduler is told something."""


class YieldsText(Own):
    """Yields no pairs."""

    def calm(self) -> Iterator[Any]:
        """Say it in the wrong way."""
        yield "something"


class ReturnsNothing(Own):
    """Returns no findings at all."""

    def overdue(self, now: float) -> Any:
        """Say nothing."""


class Nameless(Checker):
    """Has no name."""

    @hears(ActorRole.SCHEDULER, StatusUpdate)
    def told(self, record: Any, core: Any) -> None:
        """A scheduler is told something."""


class Blind(Own):
    """Wants to see nothing."""

    def told(self, record: Any, core: Any) -> None:
        """Nobody calls this."""


class Misspelt(FewAtOnce):
    """Means another hook."""

    def clam(self) -> Iterator[Any]:
        """Nobody calls this."""
        yield "something", ()


class Twin(FewAtOnce):
    """Has the name of another."""

    name = "one_end_per_task"


def two_tasks(sim: Simulation) -> None:
    """A scheduler launches two tasks at once."""
    cluster = sim.cluster(agents=1)
    cluster.run(Launcher(command_task("t1"), command_task("t2")), framework=PLAIN)
    sim.advance(30.0)


def found(make: Callable[[], Checker]) -> str:
    """What two seeds without faults show."""
    failure = explore(two_tasks, seeds=2, faults=Faults.none(), checkers=[make]).failure
    return "" if failure is None else str(failure.error)


def test_a_checker_of_ones_own_is_heard() -> None:
    """It says whose fault it is, what must hold, and how it does not."""
    said = found(FewAtOnce)

    assert said.startswith("own: this is a fault of the scheduler or executor under test\n    Something holds.\n")
    assert said.endswith("launches several tasks at once")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Raises, "the checker own has raised KeyError: 'job'"),
        (TakesTooLittle, "the checker own has raised TypeError: "),
        (YieldsText, "the checker own has raised ValueError: "),
        (ReturnsNothing, "the checker own has raised TypeError: 'NoneType' object is not iterable"),
        (lambda: NoJobTwice(job_of=lambda task: JOBS[task.name]), "the checker no_job_twice has raised KeyError"),
    ],
)
def test_what_a_checker_raises_is_its_own_fault(make: Callable[[], Checker], said: str) -> None:
    """And not that of the scheduler, or of the master, that it looks at."""
    assert found(make).startswith(said)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (Nameless, "Nameless has no name: give the class one"),
        (Blind, "Blind would see nothing: mark methods with @says"),
        (Misspelt, "Misspelt.clam is never called: calm is meant, it seems"),
        (Twin, "two checkers are named 'one_end_per_task'"),
    ],
)
def test_a_checker_that_would_say_nothing_is_refused(make: Callable[[], Checker], why: str) -> None:
    """A check that cannot fail is worse than none."""
    with pytest.raises(InvalidValue) as refused:
        found(make)

    assert why in str(refused.value)


@pytest.mark.parametrize("mark", [says, hears, does])
def test_a_wish_says_of_whom_and_what(mark: Callable[..., Any]) -> None:
    """Or the method would never be called."""
    role: Any = "SCHEDULER"
    with pytest.raises(InvalidValue, match=r"'SCHEDULER' \(str\) is no role; give one of ActorRole.MASTER"):
        mark(role, StatusUpdate)
    with pytest.raises(InvalidValue, match="say which kinds it is called for, as classes; given: nothing"):
        mark(ActorRole.SCHEDULER)
    with pytest.raises(InvalidValue, match=r"as classes; given: 'StatusUpdate' \(str\)"):
        mark(ActorRole.SCHEDULER, "StatusUpdate")
    with pytest.raises(InvalidValue, match="is no role"):
        afterwards(role)


def test_ours_are_what_is_asked_of_others() -> None:
    """Each has a name and a statement, and sees something."""
    for kind in STANDARD:
        refuse_mute(kind())


def test_what_a_checker_raises_is_raised_by_whoever_asks(sim: Simulation) -> None:
    """Attached by hand nobody else would say so, and the run goes on."""
    checkers = Checkers(sim, [Raises()])

    two_tasks(sim)

    with pytest.raises(Exception, match="the checker own has raised KeyError"):
        _ = checkers.first
    with pytest.raises(Exception, match="the checker own has raised KeyError"):
        checkers.unfinished()


def test_tasks_without_a_name_are_no_job(sim: Simulation) -> None:
    """Two of them are not one job twice."""
    checkers = Checkers(sim, [NoJobTwice()])

    two_tasks(sim)

    assert checkers.first is None
