"""The operator event stream: what actors have made known, the newest of each thing, and who is shown what comes.

    core --Publish(fact)--> actor --> EventStream --> handles read the newest, subscribers are shown each

A fact is stamped with the life of the actor that made it known: what a former life of an agent said of itself is true
no longer when it is started again. Publishing and reading are each one step that cannot be torn, on any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from mesolite.messages.drains import DrainInfo
from mesolite.messages.facts import AgentStatus, DrainForgotten, Fact, MasterStatus, ReclaimForgotten
from mesolite.messages.reclaims import ReclaimInfo

F = TypeVar("F", AgentStatus, MasterStatus, DrainInfo, ReclaimInfo)


class Published(NamedTuple):
    """A fact, and the life of the actor that made it known."""

    fact: Any
    name: str
    incarnation: int


class EventStream:
    """The newest fact of each kind about each thing, by name or id."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self._newest: dict[tuple[type, str], Published] = {}
        self._observers: tuple[Callable[[Published], object], ...] = ()

    def publish(self, fact: Fact, name: str, incarnation: int) -> None:
        """Keep what that life of that actor makes known, in place of what was known before, and show it."""
        published = Published(fact, name, incarnation)
        match fact:
            case AgentStatus() | MasterStatus():
                self._newest[type(fact), fact.name] = published
            case DrainInfo() | ReclaimInfo():
                self._newest[type(fact), fact.id] = published
            case DrainForgotten():
                self._newest.pop((DrainInfo, fact.id), None)
            case ReclaimForgotten():
                self._newest.pop((ReclaimInfo, fact.id), None)
        for observer in self._observers:
            observer(published)

    def newest(self, kind: type[F], key: str) -> F | None:
        """What was last made known about that thing; None: nothing, or it was forgotten."""
        published = self._newest.get((kind, key))
        return published.fact if published is not None else None

    def of_life(self, kind: type[F], name: str, incarnation: int) -> F | None:
        """What that life of an actor has last made known about itself; None: nothing."""
        published = self._newest.get((kind, name))
        return published.fact if published is not None and published.incarnation == incarnation else None

    def subscribe(self, observer: Callable[[Published], object]) -> Callable[[], None]:
        """Show everything that is made known from now on to `observer`, after it is kept.

        It runs where the fact was made known, on threads on any of them, and only looks; what it raises ends whoever
        made it known. Returns what ends the subscription.
        """
        self._observers = (*self._observers, observer)

        def unsubscribe() -> None:
            self._observers = tuple(other for other in self._observers if other is not observer)

        return unsubscribe
