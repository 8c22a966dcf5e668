"""Who is there under which name, in which life, and who wants to be told when they go (core.md 1.2, 1.5).

Plain bookkeeping, one per cluster; the runtime that owns it serialises access.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mesolite.actors.errors import NameTaken
from mesolite.actors.runtime.port import ActorFactory, Place, Runtime, Seat


class Directory:
    """Names to seats. A name may be used again once its party has gone (LP-11); its incarnation then grows."""

    def __init__(self) -> None:
        """Start empty."""
        self._seats: dict[str, Seat] = {}
        self.find: Callable[[str], Seat | None] = self._seats.get
        """Whoever is alive under that name."""
        self._incarnations: dict[str, int] = {}
        self._watchers: dict[str, dict[Seat, None]] = {}

    def enter(self, runtime: Runtime, name: str, place: Place, make: ActorFactory) -> Seat:
        """Give out a seat, with its actor on it: whoever finds it may speak to it at once.

        Raises:
            NameTaken: somebody alive has that name.
        """
        if name in self._seats:
            raise NameTaken(f"a party named {name!r} is alive already; stop it first or choose another name")
        incarnation = self._incarnations.get(name, 0) + 1
        seat = Seat(runtime, name, incarnation, place)
        seat.actor = make(seat)
        seat.ref = seat.actor.actor_ref
        self._incarnations[name] = incarnation
        self._seats[name] = seat
        return seat

    def leave(self, seat: Seat) -> tuple[Seat, ...]:
        """Take the seat back; returns who had linked to it, in the order they linked. Leaving twice is harmless."""
        if not seat.alive:
            return ()
        seat.alive = False
        seat.timers.clear()
        del self._seats[seat.name]
        for watchers in self._watchers.values():
            watchers.pop(seat, None)
        return tuple(self._watchers.pop(seat.name, ()))

    def link(self, watcher: Seat, peer: str) -> bool:
        """Remember the wish to be told; False if the peer is not there, so that the news is due at once (LP-25)."""
        if peer not in self._seats:
            return False
        self._watchers.setdefault(peer, {})[watcher] = None
        return True

    def on_host(self, host: str) -> list[Seat]:
        """Everybody alive on that machine, in order of arrival."""
        return [seat for seat in self if seat.host == host]

    def incarnation(self, name: str) -> int:
        """How many lives that name has had."""
        return self._incarnations.get(name, 0)

    def __iter__(self) -> Iterator[Seat]:
        """Everybody alive, in order of arrival."""
        return iter(list(self._seats.values()))
