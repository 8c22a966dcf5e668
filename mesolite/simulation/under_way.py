"""What is under way between parties, and which of it comes next.

Rule: order holds per (sender, receiver) pair; the seed chooses among everything else (core.md LP-13).
"""

from __future__ import annotations

from mesolite.actors.runtime.port import Delivery

SWEEP_AT = 4096
"""Empty channels are kept, for they are soon used again, until there are so many that looking for unused ones pays."""


class Channel:
    """What is under way from one party to another, oldest first.

    A list, as it rarely holds more than one: an empty deque takes 0.6 KB, and with a thousand actors it is the
    processor's cache that counts.
    """

    __slots__ = ("deliveries", "to")

    def __init__(self, to: str) -> None:
        """Start empty."""
        self.to = to
        self.deliveries: list[Delivery] = []


class UnderWay:
    """Channels by sender and receiver; `active` are those that hold something, for the runtime to choose from."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._channels: dict[str, dict[str, Channel]] = {}
        self._count = 0
        self._sweep_at = SWEEP_AT
        self.active: list[Channel] = []

    def put(self, sender: str, to: str, delivery: Delivery) -> None:
        """Put it at the end of its channel."""
        channels = self._channels.get(sender)
        if channels is None:
            channels = self._channels[sender] = {}
        channel = channels.get(to)
        if channel is None:
            channel = channels[to] = Channel(to)
            self._count += 1
            if self._count > self._sweep_at:
                self._sweep(channel)
        deliveries = channel.deliveries
        if not deliveries:
            self.active.append(channel)
        deliveries.append(delivery)

    def put_first(self, sender: str, to: str, delivery: Delivery) -> None:
        """Put it before all that is under way on its channel."""
        self.put(sender, to, delivery)
        deliveries = self._channels[sender][to].deliveries
        deliveries.insert(0, deliveries.pop())

    def _sweep(self, keep: Channel) -> None:
        """Forget channels that hold nothing; at a constant cost per channel ever made."""
        for sender, channels in list(self._channels.items()):
            for to in [to for to, channel in channels.items() if not channel.deliveries and channel is not keep]:
                del channels[to]
            if not channels:
                del self._channels[sender]
        self._count = sum(len(channels) for channels in self._channels.values())
        self._sweep_at = max(SWEEP_AT, 2 * self._count)
