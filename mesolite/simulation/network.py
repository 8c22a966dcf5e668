"""What a test does to the network of a simulation: faults, cuts, observations.

A cut swallows what is said; a connection that has lost something does not come back (core.md LP-28), so with the end of
the cut both actors learn that theirs has broken. What is said again until it is answered is no loss: it only comes
late, and what follows from its absence, as of pings, is decided by whoever misses it.

Faults and observations are looked at when a message is about to be handled, as in libprocess (core.md LP-50, LP-53).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, NamedTuple

from attrs import define, field

from mesolite.actors.decisions.contract import PeerExited
from mesolite.actors.trace import HEARTBEATS, Done
from mesolite.messages.agent import AgentRegistered, AgentReregistered, RegisterAgent, ReregisterAgent
from mesolite.messages.base import Message
from mesolite.messages.relayed import StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import FrameworkRegistered, FrameworkReregistered, Subscribe
from mesolite.simulation.in_flight import Entry

SAID_AGAIN = (
    *HEARTBEATS,
    RegisterAgent,
    AgentRegistered,
    ReregisterAgent,
    AgentReregistered,
    Subscribe,
    FrameworkRegistered,
    FrameworkReregistered,
    StatusUpdateAcknowledgement,
)
"""What its sender repeats until it is answered, or gives as an answer whenever it is asked."""


class Envelope(NamedTuple):
    """Something under way between two actors."""

    sender: str
    to: str
    event: Any
    cause: int
    entry: Entry | None = None
    """Its place in flight, to be put back there if it is held."""


class Verdict(enum.Enum):
    """What becomes of a parcel that is about to be handled."""

    DELIVER = "deliver"
    DROP = "drop"
    HOLD = "hold"
    DELAY = "delay"
    DUPLICATE = "duplicate"


def _is_said_again(message: Any) -> bool:
    if isinstance(message, StatusUpdate):
        return message.status.uuid is not None  # by its agent; what a master says of a task it says once
    return isinstance(message, SAID_AGAIN)


@define(eq=False)
class Rule:
    """One wish about messages of a kind between two actors; None matches anybody. `times` None means always."""

    kind: type | tuple[type, ...] | None
    sender: str | None
    receiver: str | None
    where: Callable[[Any], bool] | None
    verdict: Verdict
    times: int | None = None
    delay_s: float = 0.0
    by: int = -1
    """The trace record of its making, if it is a fault, and below the code that makes it."""
    code: str = ""
    matched: list[Envelope] = field(factory=list)
    released: int = 0

    @property
    def count(self) -> int:
        """How many messages it has matched."""
        return len(self.matched)

    @property
    def all(self) -> list[Any]:
        """The messages it has matched, oldest first."""
        return [parcel.event for parcel in self.matched]

    @property
    def first(self) -> Any:
        """The first message it matched.

        Raises:
            LookupError: nothing has matched.
        """
        if not self.matched:
            raise LookupError(f"no {self.describe()} was seen")
        return self.matched[0].event

    def take_matched(self) -> list[Envelope]:
        """Give out what it has kept back since the last time."""
        parcels = self.matched[self.released :]
        self.released += len(parcels)
        return parcels

    def describe(self) -> str:
        """Say what it matches."""
        kinds = self.kind if isinstance(self.kind, tuple) else (self.kind,) if self.kind else ()
        name = "|".join(kind.__name__ for kind in kinds) or "message"
        return f"{name} from {self.sender or 'anybody'} to {self.receiver or 'anybody'}"

    def words(self) -> str:
        """Say what it does to what it matches, and how often it did."""
        return f"{self.verdict.value} {self.describe()} ({self.count} so far)"

    def matches(self, parcel: Envelope) -> bool:
        """Whether it applies to this parcel, now."""
        return (
            (self.times is None or len(self.matched) < self.times)
            and (self.kind is None or isinstance(parcel.event, self.kind))
            and (self.sender is None or parcel.sender == self.sender)
            and (self.receiver is None or parcel.to == self.receiver)
            and (self.where is None or self.where(parcel.event))
        )


def made(rule: Rule) -> Done:
    """The making of a fault, as it stands in the trace."""
    return Done.by_sim(
        rule.verdict.value,
        (rule.sender, rule.receiver),
        rule.delay_s or None,
        rule.kind,
        sender=rule.sender,
        receiver=rule.receiver,
        where=rule.where,
        times=rule.times,
    )


@define(eq=False)
class Cut:
    """A way on which nothing passes: how many messages it has lost, whether one for good, and whose ends.

    `by`: the trace record of its making. `exits`: the news that somebody had ended, with the life it was for.
    """

    by: int
    count: int = 0
    matters: bool = False
    exits: list[tuple[Envelope, Any]] = field(factory=list)


class Network:
    """Rules and cuts. Of several rules that match, the one made last decides (core.md LP-55); all observers see it."""

    def __init__(self) -> None:
        """Start with a perfect network."""
        self._rules: list[Rule] = []
        self._observers: list[Rule] = []
        self._cuts: dict[tuple[str, str], Cut] = {}
        self.plain = True
        """True while nothing is observed or disturbed, so that deliveries need not ask."""

    @property
    def rules(self) -> list[Rule]:
        """The faults and observations in force, of each the oldest first."""
        return [*self._rules, *self._observers]

    @property
    def cuts(self) -> dict[tuple[str, str], int]:
        """The ways on which nothing passes, as (sender, receiver), and how many messages each has lost."""
        return {way: cut.count for way, cut in self._cuts.items()}

    def add(self, rule: Rule) -> Rule:
        """Put a rule in force."""
        (self._observers if rule.verdict is Verdict.DELIVER else self._rules).append(rule)
        self.plain = False
        return rule

    def remove(self, rule: Rule) -> None:
        """Take a rule out of force; what it has matched stays readable."""
        rules = self._observers if rule.verdict is Verdict.DELIVER else self._rules
        if rule in rules:
            rules.remove(rule)
        self._look()

    def cut(self, one: str, other: str, *, both_ways: bool, by: int) -> None:
        """Let nothing pass from one to the other, and back if both ways."""
        self._cuts.setdefault((one, other), Cut(by))
        if both_ways:
            self._cuts.setdefault((other, one), Cut(by))
        self.plain = False

    def heal(self, one: str | None, other: str | None) -> dict[tuple[str, str], Cut]:
        """Undo cuts: all of them, all of one actor's, or those between two. Return what was undone."""
        undone = {
            way: cut
            for way, cut in self._cuts.items()
            if (one is None or one in way) and (other is None or other in way)
        }
        for way in undone:
            del self._cuts[way]
        self._look()
        return undone

    def swallow(self, parcel: Envelope, context: Any) -> int:
        """Note what a cut has lost, and which life it was for; returns the record of the cut."""
        cut = self._cuts[parcel.sender, parcel.to]
        cut.count += 1
        if isinstance(parcel.event, PeerExited):
            cut.exits.append((parcel, context))
        elif not _is_said_again(parcel.event):
            cut.matters = True
        return cut.by

    def faults(self) -> list[str]:
        """What is done to messages now, in words; observing them is nothing."""
        cuts = [f"nothing passes from {sender} to {to}" for sender, to in self._cuts]
        return cuts + [rule.words() for rule in self._rules if rule.times is None or rule.count < rule.times]

    def is_cut(self, sender: str, to: str) -> bool:
        """Whether nothing passes that way."""
        return (sender, to) in self._cuts

    def judge(self, parcel: Envelope) -> tuple[Verdict, Rule | None]:
        """Decide what becomes of a parcel. System events pass, except news of a peer's end through a cut (LP-52)."""
        if not isinstance(parcel.event, Message | PeerExited):
            return Verdict.DELIVER, None
        if self.is_cut(parcel.sender, parcel.to):
            return Verdict.DROP, None
        for rule in reversed(self._rules):
            if rule.matches(parcel):
                rule.matched.append(parcel)
                return rule.verdict, rule
        return Verdict.DELIVER, None

    def observe(self, parcel: Envelope) -> None:
        """Let the observers see what is being delivered."""
        for rule in self._observers:
            if rule.matches(parcel):
                rule.matched.append(parcel)

    def _look(self) -> None:
        self.plain = not (self._rules or self._observers or self._cuts)
