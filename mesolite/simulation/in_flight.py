"""What is in flight between actors, and which of it comes next. All of it is data: it can be listed and compared.

Rule: order holds per channel, that is per sender and receiver; everything else is first in, first out, but for what the
order postpones (choices.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from mesolite.actors.runtime.port import ActorContext, Delivery
from mesolite.simulation.choices import BLOCK, BLOCK_BITS, RANKS, ChannelKey, Noting, Order, Postponed

NOT_BEGUN = -1
IN_BLOCK = BLOCK - 1


class Channel:
    """From one life of an actor to whoever has a name. It lives as long as its sender, or until it is empty.

    Attributes:
        key: what it is called in every run.
        sent: how many messages were put on it.
        arrives: when the last of them arrives, which the next must not overtake.
        behind: those that wait for the first of them to be taken; None: nothing is on it.
        closing: its sender has gone, or never was; it is forgotten when it is empty.
        begin_latency: where its latencies are drawn from, once one was.
        ranks, block: how far back its messages stand, of the newest block that was asked for.
    """

    __slots__ = ("arrives", "begin_latency", "behind", "block", "closing", "key", "ranks", "sent", "to")

    def __init__(self, key: ChannelKey, *, closing: bool = False) -> None:
        """Start with nothing on it."""
        self.key = key
        self.to = key.receiver
        self.sent = 0
        self.arrives = 0.0
        self.behind: deque[Entry] | None = None
        self.closing = closing
        self.begin_latency = self.block = NOT_BEGUN
        self.ranks = b""


Entry = tuple[Channel, int, Delivery]
"""Something in flight: on which channel, which message of it (the first is 1), and what is delivered in the end."""


class Directed(NamedTuple):
    """Something in flight that is not simply for whoever has the name when it arrives, or not for the network to judge.

    `context`: an answer or a piece of news for one life of an actor; its successor under that name must not get it.
    """

    event: object
    context: ActorContext | None = None
    judged: bool = False


NOTHING_BEHIND: deque[Entry] = deque(maxlen=0)
"""Shared by all channels on which a single message is, as nearly always."""


class InFlight:
    """What is due now, by channel. The first of each channel may be next."""

    def __init__(self, order: Order) -> None:
        """Start with nothing in flight."""
        self._order = order
        self._overtaken = order.overtaken if isinstance(order, Noting) else None
        self._fresh: list[Entry] = []  # first on its channel, and not ranked yet: alone there is nothing to choose
        self._calm: deque[Entry] = deque()
        # What is postponed, by rank, each with its number in the order of ranking; bit n: there is something of rank n.
        self._postponed: list[deque[tuple[int, Entry]]] = [deque() for _ in range(RANKS)]
        self._some = 0
        self._closing: dict[tuple[str, str], Channel] = {}
        self._ranked = 0
        self._newest_taken = 0
        self._noted_at = 0

    # ---------------------------------------------------------------------------------------------------- channels

    def open(self, context: ActorContext, to: str) -> Channel:
        """Open a channel, or go on with one on which something of an earlier life is still in flight."""
        channel = self._closing.pop((context.name, to), None)
        if channel is None:
            channel = Channel(ChannelKey(context.name, context.incarnation, to))
        channel.closing = False
        context.outgoing[to] = channel
        return channel

    def close(self, context: ActorContext, now: float) -> None:
        """Its sender has gone: keep those of its channels on which something is in flight."""
        for to in list(context.outgoing):
            self.forget(context, to, now)

    def forget(self, context: ActorContext, to: str, now: float) -> None:
        """Nobody will put anything on this channel soon: keep it only while something is in flight there."""
        channel: Channel | None = context.outgoing.pop(to, None)
        if channel is not None and (channel.behind is not None or channel.arrives > now):
            channel.closing = True
            self._closing[context.name, to] = channel

    def of_nobody(self, sender: str, to: str) -> Channel:
        """Give out the channel of somebody who has gone, or never was: news of him travel on it."""
        channel = self._closing.get((sender, to))
        if channel is None:
            channel = self._closing[sender, to] = Channel(ChannelKey(sender, 0, to), closing=True)
        return channel

    # ----------------------------------------------------------------------------------------------------- messages

    def put(self, channel: Channel, serial: int, delivery: Delivery) -> None:
        """Put it at the end of its channel."""
        behind = channel.behind
        if behind is None:
            channel.behind = NOTHING_BEHIND
            self._fresh.append((channel, serial, delivery))
        elif behind:
            behind.append((channel, serial, delivery))
        else:
            channel.behind = deque(((channel, serial, delivery),))

    def put_first(self, entries: list[Entry]) -> None:
        """Put entries of one channel back, before all that is on it now."""
        channel = entries[0][0]
        first, *others = [*entries, *self.clear(channel)]
        channel.behind = deque(others) if others else NOTHING_BEHIND
        self._fresh.append(first)

    def clear(self, channel: Channel) -> list[Entry]:
        """Take out everything that is due on a channel, in order."""
        taken: list[Entry] = []
        if channel.behind is not None:
            taken = [entry for entry in self._heads() if entry[0] is channel] + list(channel.behind)
            channel.behind = None
            self._fresh = [entry for entry in self._fresh if entry[0] is not channel]
            self._calm = deque(entry for entry in self._calm if entry[0] is not channel)
            for rank, entries_of_rank in enumerate(self._postponed):
                self._postponed[rank] = deque(ranked for ranked in entries_of_rank if ranked[1][0] is not channel)
            self._some = sum(1 << rank for rank, entries_of_rank in enumerate(self._postponed) if entries_of_rank)
        return taken

    def __len__(self) -> int:
        """How much is due, on all channels."""
        return sum(1 + len(channel.behind or ()) for channel, _, _ in self._heads())

    def __iter__(self) -> Iterator[Entry]:
        """Go through what is due, channel by channel."""
        return (entry for head in self._heads() for entry in (head, *(head[0].behind or ())))

    def take(self) -> Entry | None:
        """Take out what comes next, None if nothing is due."""
        # What is calm goes before all that is not ranked yet, so that is ranked in one go when nothing calm is left.
        calm, fresh = self._calm, self._fresh
        if calm:
            entry = calm.popleft()
        elif len(fresh) == 1 and not self._some:
            entry = fresh.pop()
        else:
            if fresh:
                self._rank()
            if calm:
                entry = calm.popleft()
            elif self._some:
                entry = self._take_postponed()
            else:
                return None
        channel = entry[0]
        if channel.behind:
            fresh.append(channel.behind.popleft())
        else:
            channel.behind = None
            if channel.closing:
                self._closing.pop((channel.key.sender, channel.to), None)
        return entry

    def _heads(self) -> list[Entry]:
        return [*self._calm, *(entry for ranked in self._postponed for _, entry in ranked), *self._fresh]

    def _rank(self) -> None:
        """There is a choice: say how far back each new entry stands."""
        calm, number = self._calm, self._ranked
        for entry in self._fresh:
            channel, serial, _ = entry
            number += 1
            if channel.block != serial >> BLOCK_BITS:
                channel.block = serial >> BLOCK_BITS
                channel.ranks = self._order.ranks(channel.key, channel.block)
            if rank := channel.ranks[serial & IN_BLOCK]:
                self._postponed[rank].append((number, entry))
                self._some |= 1 << rank
            else:
                calm.append(entry)
                self._newest_taken = number  # before anything that is postponed
        self._ranked = number
        self._fresh.clear()

    def _take_postponed(self) -> Entry:
        """Nothing calm is left. To postpone it was an exception from the calm order if that made a difference.

        It did if something that came later has gone first, or if another exception has while this was in flight: were
        this one calm, it would have gone before that one.
        """
        rank = (self._some & -self._some).bit_length() - 1  # the lowest of which there is something
        ranked = self._postponed[rank]
        number, entry = ranked.popleft()
        if not ranked:
            self._some ^= 1 << rank
        if number < self._newest_taken:
            self._note(entry, rank)
        else:
            self._newest_taken = number
            if number <= self._noted_at:
                self._note(entry, rank)
        return entry

    def _note(self, entry: Entry, rank: int) -> None:
        self._noted_at = self._ranked
        if self._overtaken is not None:
            self._overtaken(Postponed(entry[0].key, entry[1], rank))
