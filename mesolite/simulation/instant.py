"""Tells an instant of virtual time in which much happens from one that never ends."""

from __future__ import annotations

EVENTS_PER_INSTANT = 200_000
"""About two seconds of real time: whoever has written a loop sees it before giving up on the simulation."""

EVENTS_PER_ACTOR = 100
"""Besides, for each actor alive: ten thousand agents may all have something to do at once."""

EVENTS_PER_MESSAGE = 10
"""Besides, for each message that was under way when those were used up: the answers to one question about a hundred
thousand tasks are on their way at once, between few actors, and each may have its consequences."""

GROWTH = 1.5
"""But what is under way must not grow so much from one look to the next: then each message brings about several."""


class Instant:
    """One instant: when to look whether it ever ends, and what was found so far."""

    __slots__ = ("_allowed", "_under_way", "next_look")

    def __init__(self) -> None:
        """Start with nothing found."""
        self.next_look = EVENTS_PER_INSTANT
        self._allowed = 0
        self._under_way = 0

    def never_ends(self, events: int, actors: int, under_way: int) -> bool:
        """Whether so many events, with so many messages still under way, are taken for an endless loop."""
        fair = EVENTS_PER_INSTANT + EVENTS_PER_ACTOR * actors
        if events < fair:
            self.next_look = fair
            return False
        grown = bool(self._allowed) and under_way > GROWTH * self._under_way
        self._allowed = self._allowed or events + EVENTS_PER_MESSAGE * under_way
        self._under_way = under_way
        self.next_look = min(self._allowed, events + EVENTS_PER_INSTANT)
        return grown or events >= self._allowed
