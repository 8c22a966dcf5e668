"""Who is there under which name, in which life, and who wants to be told when they go (core.md 1.2, 1.5).

Plain bookkeeping, one per cluster; the runtime that owns it serialises access.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mesolite.actors.errors import NameTaken
from mesolite.actors.runtime.port import ActorContext, ActorFactory, Placement, Runtime

FORMER_GUESTS = 10_000
"""How many names of guests that have gone are remembered; every executor ever run has one of its own."""


class Directory:
    """Names to contexts. A name may be used again once its actor has gone (LP-11); its incarnation then grows.

    A guest is an actor on another's machine, as an executor is. Names of guests are forgotten in the end; from then on,
    unknown guests begin above all forgotten ones, so that no two lives of a name ever have the same incarnation.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._contexts: dict[str, ActorContext] = {}
        self._by_host: dict[str, dict[str, ActorContext]] = {}
        self.find: Callable[[str], ActorContext | None] = self._contexts.get
        """Whoever is alive under that name."""
        self.reasons: dict[str, str] = {}
        """Why those who have ended themselves did so, by name."""
        self.ends: dict[str, int] = {}
        """The trace record of the end of those whose newest life is over, by name; of guests, of those remembered."""
        self._former: dict[str, int] = {}
        self._former_guests: dict[str, int] = {}
        self._forgotten = 0
        self._watchers: dict[str, dict[ActorContext, None]] = {}
        self._watched: dict[ActorContext, dict[str, None]] = {}

    def enter(self, runtime: Runtime, name: str, place: Placement, make: ActorFactory) -> ActorContext:
        """Give out a context, with its actor on it: whoever finds it may speak to it at once.

        Raises:
            NameTaken: somebody alive has that name.
        """
        if name in self._contexts:
            raise NameTaken(f"an actor named {name!r} is alive already; stop it first or choose another name")
        former = self._former_guests.get(name, self._forgotten) if place.host != name else self._former.get(name, 0)
        incarnation = former + 1
        context = ActorContext(runtime, name, incarnation, place)
        context.actor = make(context)
        context.ref = context.actor.actor_ref
        context.inbox = context.actor.actor_inbox
        context.handle = context.actor.handle
        self._contexts[name] = context
        self._by_host.setdefault(context.host, {})[name] = context
        self.reasons.pop(name, None)
        self.ends.pop(name, None)
        return context

    def leave(self, context: ActorContext, record: int = -1) -> tuple[ActorContext, ...]:
        """Take the context back; returns who had linked to it, in the order they linked. Leaving twice is harmless.

        `record` is what the trace says of it.
        """
        if not context.alive:
            return ()
        context.alive = False
        for key in list(context.timers):
            context.call_off(key)
        del self._contexts[context.name]
        there = self._by_host[context.host]
        del there[context.name]
        if not there:
            del self._by_host[context.host]
        self.ends[context.name] = record
        self._remember(context)
        for peer in self._watched.pop(context, ()):
            self._watchers[peer].pop(context, None)
        watchers = tuple(self._watchers.pop(context.name, ()))
        for watcher in watchers:
            self._watched[watcher].pop(context.name, None)
        return watchers

    def ends_itself(self, context: ActorContext, reason: str) -> None:
        """It is about to end, and says why. Of guests, as executors are, their machine's daemon takes care."""
        if context.alive and context.host == context.name:
            self.reasons[context.name] = reason

    def link(self, watcher: ActorContext, peer: str) -> bool:
        """Remember the wish to be told; False if the peer is not there, so that the news is due at once (LP-25)."""
        if peer not in self._contexts:
            return False
        self._watchers.setdefault(peer, {})[watcher] = None
        self._watched.setdefault(watcher, {})[peer] = None
        return True

    def watchers(self, peer: str) -> tuple[ActorContext, ...]:
        """Who has linked to whoever is alive under that name, in the order they linked."""
        return tuple(self._watchers.get(peer, ()))

    def on_host(self, host: str) -> list[ActorContext]:
        """Everybody alive on that machine, in order of arrival."""
        return list(self._by_host.get(host, {}).values())

    def beside(self, context: ActorContext) -> tuple[str, ...]:
        """Who else is alive on its machine; nobody in its first life, which can have left nobody behind."""
        if context.incarnation == 1:
            return ()
        return tuple(other.name for other in self.on_host(context.host) if other is not context)

    def ended(self) -> list[str]:
        """Who had a machine of their own, as agents and frameworks have, and is gone; and why, if they said so."""
        gone = [name for name in self._former if name not in self._contexts]
        return [f"{name} ({self.reasons[name]})" if name in self.reasons else name for name in gone]

    def incarnation(self, name: str) -> int:
        """Which life of that name is the newest; 0 if there was none, or none that is remembered."""
        context = self._contexts.get(name)
        return (
            context.incarnation if context is not None else self._former.get(name) or self._former_guests.get(name, 0)
        )

    def __len__(self) -> int:
        """How many are alive."""
        return len(self._contexts)

    def __iter__(self) -> Iterator[ActorContext]:
        """Everybody alive, in order of arrival."""
        return iter(list(self._contexts.values()))

    def _remember(self, context: ActorContext) -> None:
        if context.host == context.name:
            self._former[context.name] = context.incarnation
            return
        guests = self._former_guests
        guests.pop(context.name, None)  # the newest last
        guests[context.name] = context.incarnation
        if len(guests) > FORMER_GUESTS:
            forgotten = next(iter(guests))
            self._forgotten = max(self._forgotten, guests.pop(forgotten))
            if forgotten not in self._contexts:
                self.ends.pop(forgotten, None)
