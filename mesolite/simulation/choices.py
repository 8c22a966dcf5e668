"""What a seed chooses. A draw is a pure function of (seed, stream, key, n): one draw more or less changes no other.

So a fault can be taken out of a run, or another put in, and whatever it does not touch stays as it was.

The calm order of what is due at the same instant is first in, first out. A seed makes exceptions from it: it postpones
some messages, each by its rank. What is calm goes first, then what is postponed, the lowest rank first; on one channel
nothing overtakes (core.md LP-13). An exception names a message by its channel and serial, never by a time or a place in
a queue, so it stays the same exception while other things change around it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple, Protocol, runtime_checkable

from mesolite.actors.errors import InvalidValue

BLOCK_BITS = 6
BLOCK = 1 << BLOCK_BITS
"""How many messages of a channel are ranked at once: as many as one digest has bytes."""

CALM = 0
"""The rank of what is not postponed."""

RANKS = 256
"""There are so many; the highest waits longest."""

POSTPONED = 0.5
"""Which share of the messages that could be overtaken a seed postpones, unless told otherwise."""

_MASK = (1 << 64) - 1
_UNIT = 1.0 / (1 << 53)


def _digest(size: int, *words: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, words)).encode(), digest_size=size).digest()


def stream(seed: int, name: str, *key: object) -> int:
    """Where the draws of that name and key begin, such as the latencies of one channel; the same on every Python."""
    return int.from_bytes(_digest(8, seed, name, *key), "big")


def draw(begin: int, n: int) -> float:
    """Draw the n-th number of a stream, at least 0 and less than 1 (the output function of SplitMix64)."""
    z = (begin + n * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) * _UNIT


class ChannelKey(NamedTuple):
    """One direction between two actors, and which life of the sender opened it: the same in every run."""

    sender: str
    life: int
    receiver: str


class Postponed(NamedTuple):
    """An exception from the calm order: that message of that channel was overtaken, as its rank is not calm."""

    channel: ChannelKey
    serial: int
    rank: int

    def __str__(self) -> str:
        """Print which message it is about."""
        life = f" (life {self.channel.life})" if self.channel.life > 1 else ""
        return f"message {self.serial} from {self.channel.sender}{life} to {self.channel.receiver} waits"


@runtime_checkable
class Order(Protocol):
    """Says how far back each message stands among those that are due at the same instant."""

    def ranks(self, key: ChannelKey, block: int) -> bytes:
        """Return the ranks of the messages of a channel, from number `block * BLOCK` on; `CALM`: first in, first out.

        It is a pure function: the ranks of one message are the same whenever it is asked.
        """


class Calm:
    """First in, first out."""

    def ranks(self, key: ChannelKey, block: int) -> bytes:
        """Nothing is postponed."""
        return bytes(BLOCK)


class Seeded:
    """Postpones a share of the messages, drawn from a seed."""

    def __init__(self, seed: int, share: float = POSTPONED) -> None:
        """Postpone that share of the messages, from none (0) to all (1)."""
        self._seed = seed
        calm = round(256 * (1.0 - share))  # so many of the values of a byte
        self._ranks = bytes(CALM if byte < calm else max(CALM + 1, byte) for byte in range(256))

    def ranks(self, key: ChannelKey, block: int) -> bytes:
        """Postpone each, or not, by its own byte of a digest."""
        return _digest(BLOCK, self._seed, "order", *key, block).translate(self._ranks)


class Scripted:
    """Postpones the messages that it is given, and no other."""

    def __init__(self, exceptions: Iterable[Postponed]) -> None:
        """Make these exceptions from the calm order."""
        blocks: dict[tuple[ChannelKey, int], bytearray] = {}
        for key, serial, rank in exceptions:
            blocks.setdefault((key, serial // BLOCK), bytearray(BLOCK))[serial % BLOCK] = rank
        self._blocks = {block: bytes(ranks) for block, ranks in blocks.items()}

    def ranks(self, key: ChannelKey, block: int) -> bytes:
        """As the exceptions say."""
        return self._blocks.get((key, block)) or bytes(BLOCK)


class Ranked:
    """Each channel has a rank of its own, and at a few messages it falls back behind all others.

    That is probabilistic concurrency testing: an ordering that takes few preemptions is found with a known chance (PCT,
    Burckhardt et al., ASPLOS 2010). What actors say to themselves, as timers and stores do, is left out.
    """

    def __init__(self, seed: int, changes: Iterable[tuple[ChannelKey, int]]) -> None:
        """Let a channel fall back at each of these messages, the later of them the further."""
        self._seed = seed
        self._changes: dict[ChannelKey, list[tuple[int, int]]] = {}
        for number, (key, serial) in enumerate(changes):
            self._changes.setdefault(key, []).append((serial, RANKS // 2 + 1 + number))

    def ranks(self, key: ChannelKey, block: int) -> bytes:
        """The channel's own rank, a lower one from each of its changes on."""
        if key.sender == key.receiver:
            return bytes(BLOCK)
        own = 1 + _digest(1, self._seed, "pct", *key)[0] % (RANKS // 2)
        ranks = bytearray([own]) * BLOCK
        for serial, rank in sorted(self._changes.get(key, ())):
            begin = max(0, serial - block * BLOCK)
            ranks[begin:] = bytes([min(rank, RANKS - 1)]) * max(0, BLOCK - begin)
        return bytes(ranks)


class Until:
    """One order, until another begins: with the next block of each channel."""

    def __init__(self, order: Order, other: Order) -> None:
        """Follow the first until told otherwise."""
        self._order = order
        self._other = other

    def begin(self) -> None:
        """Follow the other from now on."""
        self._order = self._other

    def ranks(self, key: ChannelKey, block: int) -> bytes:
        """As the order has them that is followed now."""
        return self._order.ranks(key, block)


class Noting:
    """Another order, of which the exceptions that made a difference are noted.

    `Scripted(noting.exceptions)` makes the same run, record for record.
    """

    def __init__(self, order: Order) -> None:
        """Note what comes of that order."""
        self._order = order
        self.exceptions: list[Postponed] = []
        self.overtaken = self.exceptions.append

    def ranks(self, key: ChannelKey, block: int) -> bytes:
        """As the other order has them."""
        return self._order.ranks(key, block)


def order_of(order: str | Order, seed: int) -> Order:
    """Return the order of that name, for that seed, or the order as it is.

    Raises:
        InvalidValue: there is none of that name.
    """
    if not isinstance(order, str):
        return order
    if order == "random":
        return Seeded(seed)
    if order == "fifo":
        return Calm()
    raise InvalidValue(f"order={order!r}: there is no such order; give 'random', 'fifo', or an order as `Scripted` is")
