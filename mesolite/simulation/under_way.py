"""What is under way between parties, and which of it comes next.

Rule: order holds per (sender, receiver) pair; the seed chooses among everything else (core.md LP-13).
"""

from __future__ import annotations

from collections import deque
from typing import SupportsIndex

from mesolite.actors.runtime.port import Delivery

Channel = tuple[str, str]
"""From whom to whom."""

LONG = 100
"""From so much on a channel is kept in a deque: taking the first of a list costs the more the longer it is."""


class _Long(deque[Delivery]):
    """A long channel, which is used as the lists are: asking for every message what its channel is would cost more."""

    __slots__ = ()

    def pop(self, index: SupportsIndex = -1) -> Delivery:
        if index == 0:
            return self.popleft()
        return super().pop()


class UnderWay:
    """What is under way on each channel, oldest first; `active` are those that hold something, to choose from.

    A channel is kept only while it holds something. To make it anew costs less than to find it again among those of
    ten thousand agents, which no cache of a processor holds.
    """

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._deliveries: dict[Channel, list[Delivery] | _Long] = {}
        self.active: list[Channel] = []

    def put(self, sender: str, to: str, delivery: Delivery) -> None:
        """Put it at the end of its channel."""
        channel = (sender, to)
        deliveries = self._deliveries.get(channel)
        if deliveries is None:
            self._deliveries[channel] = [delivery]
            self.active.append(channel)
        else:
            deliveries.append(delivery)
            if len(deliveries) == LONG:
                self._deliveries[channel] = _Long(deliveries)

    def __len__(self) -> int:
        """How much is under way, on all channels."""
        return sum(map(len, self._deliveries.values()))

    def put_first(self, sender: str, to: str, delivery: Delivery) -> None:
        """Put it before all that is under way on its channel."""
        self.put(sender, to, delivery)
        deliveries = self._deliveries[sender, to]
        deliveries.insert(0, deliveries.pop())

    def take(self, index: int) -> tuple[str, Delivery]:
        """Take out the oldest of that active channel; returns for whom it is, too."""
        active = self.active
        channel = active[index]
        deliveries = self._deliveries[channel]
        delivery = deliveries.pop(0)
        if not deliveries:
            del self._deliveries[channel]
            active[index] = active[-1]
            active.pop()
        return channel[1], delivery
