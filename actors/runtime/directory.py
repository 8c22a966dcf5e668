"""Who is there under which name, in which life, and who wants to be told when they go (core.md 1.2, 1.5).

Plain bookkeeping, one per cluster; the runtime that owns it serialises access.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mesolite.actors.errors import NameTaken
from mesolite.actors.runtime.port import ActorFactory, Place, Runtime, Seat

FORMER_GUESTS = 10_000
"""How many names of guests that have gone are remembered; every executor ever run has one of its own."""


class Directory:
    """Names to seats. A name may be used again once its party has gone (LP-11); its incarnation then grows.

    A guest is a party on another's machine, as an executor is. Names of guests are forgotten in the end; from then on,
    unknown guests begin above all forgotten ones, so that no two lives of a name ever have the same incarnation.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._seats: dict[str, Seat] = {}
        self.find: Callable[[str], Seat | None] = self._seats.get
        """Whoever is alive under that name."""
        self.reasons: dict[str, str] = {}
        """Why those who have ended themselves did so, by name."""
        self.ends: dict[str, int] = {}
        """The trace record of the end of those whose newest life is over, by name; of guests, of those remembered."""
        self._former: dict[str, int] = {}
        self._former_guests: dict[str, int] = {}
        self._forgotten = 0
        self._watchers: dict[str, dict[Seat, None]] = {}
        self._watched: dict[Seat, dict[str, None]] = {}

    def enter(self, runtime: Runtime, name: str, place: Place, make: ActorFactory) -> Seat:
        """Give out a seat, with its actor on it: whoever finds it may speak to it at once.

        Raises:
            NameTaken: somebody alive has that name.
        """
        if name in self._seats:
            raise NameTaken(f"a party named {name!r} is alive already; stop it first or choose another name")
        former = self._former_guests.get(name, self._forgotten) if place.host != name else self._former.get(name, 0)
        incarnation = former + 1
        seat = Seat(runtime, name, incarnation, place)
        seat.actor = make(seat)
        seat.ref = seat.actor.actor_ref
        seat.inbox = seat.actor.actor_inbox
        self._seats[name] = seat
        self.reasons.pop(name, None)
        self.ends.pop(name, None)
        return seat

    def leave(self, seat: Seat, record: int = -1) -> tuple[Seat, ...]:
        """Take the seat back; returns who had linked to it, in the order they linked. Leaving twice is harmless.

        `record` is what the trace says of it.
        """
        if not seat.alive:
            return ()
        seat.alive = False
        for key in list(seat.timers):
            seat.call_off(key)
        del self._seats[seat.name]
        self.ends[seat.name] = record
        self._remember(seat)
        for peer in self._watched.pop(seat, ()):
            self._watchers[peer].pop(seat, None)
        watchers = tuple(self._watchers.pop(seat.name, ()))
        for watcher in watchers:
            self._watched[watcher].pop(seat.name, None)
        return watchers

    def ends_itself(self, seat: Seat, reason: str) -> None:
        """It is about to end, and says why. Of guests, as executors are, their machine's daemon takes care."""
        if seat.alive and seat.host == seat.name:
            self.reasons[seat.name] = reason

    def link(self, watcher: Seat, peer: str) -> bool:
        """Remember the wish to be told; False if the peer is not there, so that the news is due at once (LP-25)."""
        if peer not in self._seats:
            return False
        self._watchers.setdefault(peer, {})[watcher] = None
        self._watched.setdefault(watcher, {})[peer] = None
        return True

    def on_host(self, host: str) -> list[Seat]:
        """Everybody alive on that machine, in order of arrival."""
        return [seat for seat in self if seat.host == host]

    def beside(self, seat: Seat) -> tuple[str, ...]:
        """Who else is alive on its machine; nobody in its first life, which can have left nobody behind."""
        if seat.incarnation == 1:
            return ()
        return tuple(other.name for other in self.on_host(seat.host) if other is not seat)

    def ended(self) -> list[str]:
        """Who had a machine of their own, as agents and frameworks have, and is gone; and why, if they said so."""
        gone = [name for name in self._former if name not in self._seats]
        return [f"{name} ({self.reasons[name]})" if name in self.reasons else name for name in gone]

    def incarnation(self, name: str) -> int:
        """Which life of that name is the newest; 0 if there was none, or none that is remembered."""
        seat = self._seats.get(name)
        return seat.incarnation if seat is not None else self._former.get(name) or self._former_guests.get(name, 0)

    def __len__(self) -> int:
        """How many are alive."""
        return len(self._seats)

    def __iter__(self) -> Iterator[Seat]:
        """Everybody alive, in order of arrival."""
        return iter(list(self._seats.values()))

    def _remember(self, seat: Seat) -> None:
        if seat.host == seat.name:
            self._former[seat.name] = seat.incarnation
            return
        guests = self._former_guests
        guests.pop(seat.name, None)  # the newest last
        guests[seat.name] = seat.incarnation
        if len(guests) > FORMER_GUESTS:
            forgotten = next(iter(guests))
            self._forgotten = max(self._forgotten, guests.pop(forgotten))
            if forgotten not in self._seats:
                self.ends.pop(forgotten, None)
