"""What is due when: in order of deadline, then of setting (core.md LP-40). Both runtimes keep their future in one."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Entry(Protocol):
    """Something in the future that may be called off."""

    @property
    def live(self) -> bool:
        """Whether it is still to come."""


E = TypeVar("E", bound=Entry)


class Timeline(Generic[E]):
    """A heap of what is to come. What was called off leaves it once it is the larger half: constant cost each."""

    def __init__(self) -> None:
        """Start with nothing to come."""
        self._entries: list[tuple[float, int, E]] = []
        self._count = 0
        self._outdated = 0

    def __len__(self) -> int:
        """How many entries are kept, those called off included."""
        return len(self._entries)

    def __iter__(self) -> Iterator[tuple[float, E]]:
        """Go through what is to come, in order, each with its deadline; for whoever looks."""
        return ((deadline, entry) for deadline, _, entry in sorted(self._entries, key=_in_order) if entry.live)

    def add(self, deadline: float, entry: E) -> None:
        """Put something in the future."""
        self._count += 1
        heapq.heappush(self._entries, (deadline, self._count, entry))
        if self._outdated > 64 and self._outdated * 2 > len(self._entries):
            self._entries = [waiting for waiting in self._entries if waiting[2].live]
            heapq.heapify(self._entries)
            self._outdated = 0

    def called_off(self, count: int = 1) -> None:
        """Learn that so many entries will never be due."""
        self._outdated += count

    def next(self) -> float | None:
        """When the next live entry is due."""
        entries = self._entries
        while entries and not entries[0][2].live:
            heapq.heappop(entries)
            self._outdated = max(0, self._outdated - 1)
        return entries[0][0] if entries else None

    def take_due(self, now: float) -> E | None:
        """Take out the first live entry that is due, if there is one."""
        entries = self._entries
        while entries and entries[0][0] <= now:
            entry = heapq.heappop(entries)[2]
            if entry.live:
                return entry
            self._outdated = max(0, self._outdated - 1)
        return None

    def due(self, now: float) -> Iterator[E]:
        """Take out whatever is due, in order."""
        while (entry := self.take_due(now)) is not None:
            yield entry


def _in_order(entry: tuple[float, int, object]) -> tuple[float, int]:
    return entry[:2]
