"""What a trace is made of: an event at an actor and its effects, and what happened to messages, actors and machines."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import attrs

from mesolite.messages.agent import PingAgent, PongAgent
from mesolite.messages.election import DetectLeader, KeepSession, SessionKept

HEARTBEATS = (PingAgent, PongAgent, KeepSession, SessionKept, DetectLeader)
"""What is said all the time and tells nothing while it is answered; left out of texts unless asked for."""


class Record(NamedTuple):
    """One event at one actor: when, from whom, what it led to, and which earlier record caused it (-1: none).

    `life` says which life of that name it happened in, 0 where nobody lived.
    """

    index: int  # type: ignore[assignment]  # instead of the search that a tuple has; nobody searches a record
    time: float
    actor: str
    sender: str
    event: Any
    effects: Any
    cause: int
    life: int = 0


class Lost(NamedTuple):
    """Stands for a message that never arrived, and why: dropped by a fault, cut by a partition, nobody there.

    `by` is the index of the record that says what lost it: the cut, the rule, the end of its receiver; -1 if its
    receiver never lived.
    """

    message: Any
    why: str
    by: int = -1


RELEASED = "released"
"""How a message is disturbed whose holding is over; what it did next is told anyway."""


class Disturbed(NamedTuple):
    """Stands for a message that did not go its usual way: `held`, `released`, `delayed`, `duplicated`.

    `by` is the index of the record that says by what; the record of its delivery has this one for its cause.
    """

    message: Any
    how: str
    by: int = -1


@attrs.frozen
class Done:
    """What hands did, a test's or an operator's: a fault, its end, a machine switched off or on again.

    `about` are the actors it was done to. `code` is the line of code that does it, as in `agent-1.crash()`.
    """

    verb: str
    about: tuple[str, ...]
    code: str

    @classmethod
    def to(cls, whom: str, verb: str, *arguments: object, **named: object) -> Done:
        """What was done to one machine: its name in front, arguments that are not None behind."""
        return cls(verb, (whom.partition(".")[0],), f"{whom}.{verb}({_given(arguments, named)})")

    @classmethod
    def by_sim(cls, verb: str, about: tuple[str | None, ...], *arguments: object, **named: object) -> Done:
        """What was done to the network of a simulation, with the arguments that are not None."""
        known = tuple(name for name in about if name is not None)
        return cls(verb, known, f"sim.{verb}({_given(arguments, named)})")


class Code(str):
    """An argument that is code already."""

    __slots__ = ()


def _given(arguments: tuple[object, ...], named: dict[str, object]) -> str:
    words = [_literal(value) for value in arguments if value is not None]
    return ", ".join(words + [f"{name}={_literal(value)}" for name, value in named.items() if value is not None])


def _literal(value: object) -> str:
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, enum.Enum):
        return value.name
    if callable(value):
        name = str(getattr(value, "__name__", "..."))
        return name if name.isidentifier() else "..."
    if isinstance(value, Code):
        return value
    return f"{value:g}" if isinstance(value, float) else repr(value)


@attrs.frozen
class Ended:
    """An actor has ended: with which status, by itself with which reason, or `silent`, so that no link broke."""

    status: int
    reason: str = ""
    silent: bool = False


class Raised(NamedTuple):
    """Stands in a record for the effects of an event at which the core raised, which ended its actor."""

    error: str


class Routine:
    """As what a timer that sets itself again is kept: beside the heartbeats, so that it pushes nothing out."""


def raised(error: BaseException) -> Raised:
    """What it raised, in words; never fails itself."""
    try:
        return Raised(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001  # what was raised may not be able to say what it is
        return Raised(type(error).__name__)
