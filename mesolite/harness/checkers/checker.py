"""What a checker is: a statement that must hold, and the records it wants to see.

A checker marks its methods with what they are for, so that a record costs only those who want it:

    hears(ActorRole.MASTER, KillTask)          method(record, core): such an event was handled by such an actor
    says(ActorRole.MASTER, ResourceOffers)     method(record, core, message, to): it wants this said
    does(ActorRole.REGISTRAR, Save)            method(record, core, effect): it wants another effect
    afterwards(ActorRole.MASTER)               method(record, core): after any event but heartbeats

`core` is the actor's, in the state after the event and before the effects are carried out. It is read, never changed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from attrs import frozen

from mesolite.actors.decisions.contract import Send
from mesolite.actors.errors import InvalidValue
from mesolite.actors.trace import Record
from mesolite.messages.checking.misfits import shown

if TYPE_CHECKING:
    from mesolite.harness.checkers.watching import Checkers

Method = TypeVar("Method", bound=Callable[..., None])


class Family(enum.Enum):
    """Whose fault it is when a statement does not hold."""

    OURS = "this is a fault of Mesolite"
    YOURS = "this is a fault of the scheduler or executor under test"


class Assumption(enum.Enum):
    """What a statement takes for granted; what a test does to a simulation may end it, and then nobody judges by it."""

    RELIABLE = "no message was dropped that its sender does not say again"
    COMPLETE = "no message was dropped at all, heartbeats apart"
    HONEST = "every message was said by whom it names as its sender"


class ActorRole(enum.Enum):
    """What an actor is, as checkers tell them apart."""

    MASTER = "master"
    REGISTRAR = "registrar"
    AGENT = "agent"
    EXECUTOR = "executor"
    SCHEDULER = "scheduler"
    OTHER = "other"


class How(enum.Enum):
    """What of a record a method is called for."""

    HEARS = "hears"
    SAYS = "says"
    DOES = "does"
    AFTERWARDS = "afterwards"


class Wish(NamedTuple):
    """The records a method is called for; no kinds: all."""

    how: How
    role: ActorRole
    kinds: tuple[type, ...] = ()


@frozen
class Violation:
    """A statement that did not hold.

    Attributes:
        checker: its name, as in docs/checkers.md.
        family: whose fault it is.
        statement: what must hold.
        time: when it did not, in virtual seconds.
        text: how it did not.
        about: the actors and ids that it is about.
    """

    checker: str
    family: Family
    statement: str
    time: float
    text: str
    about: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say whose fault it is, what must hold, and how it did not."""
        return f"{self.checker}: {self.family.value}\n    {self.statement}\n    at {self.time:.3f} s: {self.text}"


HOOKS = ("overdue", "calm", "due", "attach", "catch_up", "violated", "violation")
"""What checkers are asked, and what they have from their base."""

Finding = tuple[str, tuple[object, ...]]
"""How a statement does not hold, and whom it is about."""


def hears(role: ActorRole, *kinds: type) -> Callable[[Method], Method]:
    """Want to see these events of those actors."""
    return _wishing(Wish(How.HEARS, role, kinds))


def says(role: ActorRole, *kinds: type) -> Callable[[Method], Method]:
    """Want to see these messages of those actors."""
    return _wishing(Wish(How.SAYS, role, kinds))


def does(role: ActorRole, *kinds: type) -> Callable[[Method], Method]:
    """Want to see these effects, other than messages, of those actors."""
    return _wishing(Wish(How.DOES, role, kinds))


def afterwards(role: ActorRole) -> Callable[[Method], Method]:
    """Want to see those actors after everything that they handle, heartbeats apart."""
    return _wishing(Wish(How.AFTERWARDS, role))


def _wishing(wish: Wish) -> Callable[[Method], Method]:
    how, role, kinds = wish
    if not isinstance(role, ActorRole):
        raise InvalidValue(f"{how.value}: {shown(role)} is no role; give one of {', '.join(map(str, ActorRole))}")
    if how is not How.AFTERWARDS and not (kinds and all(isinstance(kind, type) for kind in kinds)):
        given = ", ".join(map(shown, kinds)) or "nothing"
        raise InvalidValue(f"{how.value}({role}): say which kinds it is called for, as classes; given: {given}")

    def mark(method: Method) -> Method:
        method.__dict__["wishes"] = (*wishes_of(method), wish)
        return method

    return mark


def said(record: Record, *kinds: type) -> Iterator[tuple[str, Any]]:
    """What of these kinds a record's event led to saying, each after whom it is to be said to."""
    return ((each.to, each.message) for each in record.effects if type(each) is Send and type(each.message) in kinds)


def wishes_of(method: Any) -> tuple[Wish, ...]:
    """What a method was marked with."""
    return getattr(method, "wishes", ())


def refuse_mute(checker: Checker) -> None:
    """Refuse a checker that would never say anything, or that nobody could name.

    Raises:
        InvalidValue: it has no name or statement, wants to see nothing, or has a method that nearly has a hook's name.
    """
    kind = type(checker)
    for what in ("name", "statement"):
        if not isinstance(given := getattr(kind, what, None), str) or not given:
            raise InvalidValue(f"{kind.__name__} has no {what}: give the class one, {what} = '...'")
    methods = {name: value for owner in kind.__mro__ for name, value in vars(owner).items() if callable(value)}
    for name in [name for name, value in methods.items() if not name.startswith("_") and not wishes_of(value)]:
        if name not in HOOKS and (near := get_close_matches(name, HOOKS[:3], 1, cutoff=0.75)):
            raise InvalidValue(f"{kind.__name__}.{name} is never called: {near[0]} is meant, it seems")
    if not any(map(wishes_of, methods.values())) and kind.overdue is Checker.overdue and kind.calm is Checker.calm:
        raise InvalidValue(f"{kind.__name__} would see nothing: mark methods with @says, @hears, @does or @afterwards")


class Observer:
    """Sees what it wants to see of one simulation, and states nothing: what checkers have in common."""

    def attach(self, watch: Checkers) -> None:
        """Belong to this simulation from now on."""
        self.watch = watch
        if watch.is_late:
            self.catch_up()

    def catch_up(self) -> None:
        """Learn from the states of actors what happened before anybody watched."""


class Checker(Observer):
    """One statement.

    Attributes:
        name: by which it is switched off, and a violation is known.
        statement: what must hold, in a sentence.
        family: whose fault it is otherwise.
        assumes: what it takes for granted; when that ends, it is switched off.
    """

    name: ClassVar[str]
    statement: ClassVar[str]
    family: ClassVar[Family] = Family.OURS
    assumes: ClassVar[frozenset[Assumption]] = frozenset({Assumption.RELIABLE, Assumption.HONEST})

    def violated(self, text: str, *about: object) -> None:
        """Report that the statement does not hold, now."""
        self.watch.report(self.violation(text, *about))

    def violation(self, text: str, *about: object) -> Violation:
        """Say that the statement does not hold, now."""
        ids = tuple(str(one) for one in about if one)
        return Violation(self.name, self.family, self.statement, self.watch.sim.now, text, ids)

    def overdue(self, now: float) -> Iterator[Finding]:
        """What should have happened by now and has not; asked at times when nothing is disturbed."""
        return iter(())

    def calm(self) -> Iterator[Finding]:
        """What would not hold if nothing more happened, all being mended and everybody having had time."""
        return iter(())

    def due(self) -> Iterator[float]:
        """When what is under way now will be overdue: no run ends before, unless it is done, as nobody would know."""
        return iter(())
