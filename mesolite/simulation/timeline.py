"""The future of a simulation: what is due when, in order of deadline, then of setting (core.md LP-40)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

from mesolite.actors.runtime.port import Timer


class Moment:
    """Something the simulation itself does at a point in time: a delayed parcel arrives, simulated work ends."""

    __slots__ = ("act", "live")

    def __init__(self, act: Callable[[], None]) -> None:
        """Be live until called off."""
        self.act = act
        self.live = True


class Timeline:
    """A heap of timers and moments. What was called off leaves it once it is the larger half: constant cost each."""

    def __init__(self) -> None:
        """Start with nothing to come."""
        self._entries: list[tuple[float, int, Timer | Moment]] = []
        self._count = 0
        self._outdated = 0

    def __len__(self) -> int:
        """How many entries are kept, those called off included."""
        return len(self._entries)

    def add(self, deadline: float, entry: Timer | Moment) -> None:
        """Put something in the future."""
        self._count += 1
        heapq.heappush(self._entries, (deadline, self._count, entry))
        if self._outdated > 64 and self._outdated * 2 > len(self._entries):
            self._entries = [waiting for waiting in self._entries if waiting[2].live]
            heapq.heapify(self._entries)
            self._outdated = 0

    def called_off(self, count: int) -> None:
        """Learn that so many entries will never be due."""
        self._outdated += count

    def next(self) -> float | None:
        """When the next live entry is due."""
        entries = self._entries
        while entries and not entries[0][2].live:
            heapq.heappop(entries)
            self._outdated = max(0, self._outdated - 1)
        return entries[0][0] if entries else None

    def due(self, now: float) -> Iterator[Timer | Moment]:
        """Take out whatever is due, in order."""
        while (deadline := self.next()) is not None and deadline <= now:
            yield heapq.heappop(self._entries)[2]
