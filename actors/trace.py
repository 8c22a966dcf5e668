"""What happened, written once and read in several ways: as text, as a hash, as the story of one task or agent.

A record is one event and the effects it had, with the number of the record that caused it. Records are kept as they
are (everything in them is immutable) and formatted only when somebody looks. No other module formats events.
"""

from __future__ import annotations

import enum
import hashlib
import itertools
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import attrs

from mesolite.actors.decisions.contract import (
    CallbackReturned,
    LinkBroken,
    PeerExited,
    Saved,
    SignalReceived,
    Started,
    TimerFired,
    WorkExited,
    WorkFailedToStart,
    WorkStarted,
)
from mesolite.messages.agent import PingAgent, PongAgent
from mesolite.messages.base import Message
from mesolite.messages.checking import Count, checked_arguments
from mesolite.messages.election import DetectLeader, KeepSession, SessionKept
from mesolite.messages.resources import Resources

DEFAULT_RECORDS = 20_000
"""How many records a trace keeps unless told otherwise; older ones fall out."""


HEARTBEATS = (PingAgent, PongAgent, KeepSession, SessionKept, DetectLeader)
"""What is said all the time and tells nothing while it is answered; left out of texts unless asked for."""


IN_BRACKETS = (
    Started, PeerExited, LinkBroken, Saved, SignalReceived, WorkStarted, WorkExited, WorkFailedToStart
)  # fmt: skip
"""What nobody says, in texts."""


@attrs.frozen
class Record:
    """One event at one party: when, from whom, what it led to, and which earlier record caused it (-1: none)."""

    index: int
    time: float
    party: str
    sender: str
    event: Any
    effects: Any
    cause: int


class Lost(NamedTuple):
    """Stands for a message that never arrived, and why: dropped by a fault, cut by a partition, nobody there."""

    message: Any
    why: str


class Raised(NamedTuple):
    """Stands in a record for the effects of an event at which the core raised, which ended its party."""

    error: str


def raised(error: BaseException) -> Raised:
    """What it raised, in words; never fails itself."""
    try:
        return Raised(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001  # what was raised may not be able to say what it is
        return Raised(type(error).__name__)


class Trace:
    """A bounded ring of records, oldest first: to be gone through, or read as `text`, `story`, `tail` and `hash`.

    Attributes:
        next_index: for those who write: take the index of the next record.
        keep: for those who write: keep the fields of a `Record` as a plain tuple.
    """

    @checked_arguments
    def __init__(self, records: Count = DEFAULT_RECORDS) -> None:
        """Keep at most so many records; 0 keeps none."""
        self._ring: deque[Any] = deque(maxlen=records)
        self._observers: tuple[Callable[[Record], object], ...] = ()
        # Writing is two calls that cannot be interrupted, as threads share a trace, and that cost next to nothing, as
        # it is done for every message: take an index, keep a plain tuple of a Record's fields.
        self.next_index: Callable[[], int] = itertools.count().__next__
        self.keep: Callable[[tuple[Any, ...]], None] = self._ring.append

    @checked_arguments
    def subscribe(self, observer: Callable[[Record], object]) -> Callable[[], None]:
        """Show every record that is written from now on to `observer`, before its effects are carried out.

        It runs where the record was written, on threads on any of them, and only looks; what it raises ends whoever
        wrote the record. Returns what ends the subscription.
        """
        self._observers = (*self._observers, observer)
        self.keep = self._keep_and_show

        def unsubscribe() -> None:
            self._observers = tuple(other for other in self._observers if other is not observer)
            if not self._observers:
                self.keep = self._ring.append

        return unsubscribe

    def _keep_and_show(self, fields: tuple[Any, ...]) -> None:
        self._ring.append(fields)
        record = Record(*fields)
        for observer in self._observers:
            observer(record)

    def record(self, time: float, party: str, sender: str, event: object, effects: object, cause: int) -> int:
        """Write one record; returns its index, to be the cause of what follows."""
        index = self.next_index()
        self.keep((index, time, party, sender, event, effects, cause))
        return index

    def __len__(self) -> int:
        """How many records were ever written, kept or not."""
        return self._ring[-1][0] + 1 if self._ring else 0

    def __iter__(self) -> Iterator[Record]:
        """Go through the records kept, oldest first."""
        return (Record(*fields) for fields in tuple(self._ring))

    @checked_arguments
    def text(self, *, system: bool = False, heartbeats: bool = False) -> str:
        """Return one line per message; `system` adds timers, storage, work and callbacks, `heartbeats` the pings."""
        return "\n".join(line(record) for record in self if _is_shown(record, system, heartbeats))

    @checked_arguments
    def last(self, lines: Count) -> list[str]:
        """The last lines of `text()`, without formatting what comes before them."""
        shown = (record for record in self._newest_first() if _is_shown(record, system=False, heartbeats=False))
        return [line(record) for record in itertools.islice(shown, lines)][::-1]

    def _newest_first(self) -> Iterator[Record]:
        return (Record(*fields) for fields in reversed(tuple(self._ring)))

    def hash(self) -> str:
        """A digest of every record kept: equal runs have equal hashes, under any PYTHONHASHSEED."""
        digest = hashlib.sha256()
        for fields in self._ring:
            digest.update(repr(fields).encode())
        return digest.hexdigest()

    @checked_arguments
    def tail(self, party: str | None = None, lines: Count = 8) -> str:
        """The last things that party saw, or anybody, as text, for an error."""
        seen = itertools.islice((record for record in self._newest_first() if party in (None, record.party)), lines)
        return "\n".join(line(record) for record in reversed(list(seen)))

    @checked_arguments
    def story(self, *ids: str) -> str:
        """Everything that mentions one of these ids, and what directly caused it, as text."""
        mentions = re.compile("|".join(rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in ids))
        records = {record.index: record for record in self}
        chosen: dict[int, None] = {}
        for record in records.values():
            if mentions.search(_repr(record.event)) or record.party in ids:
                if record.cause in records:
                    chosen[record.cause] = None
                chosen[record.index] = None
        return "\n".join(line(records[index]) for index in sorted(chosen))


def _is_shown(record: Record, system: bool, heartbeats: bool) -> bool:
    if _how_it_failed(record):
        return True
    return (system or isinstance(record.event, Message | Lost | SignalReceived)) and (
        heartbeats or not isinstance(_said(record), HEARTBEATS)
    )


def _how_it_failed(record: Record) -> str:
    """What the core raised at this event, '' if nothing."""
    effects = record.effects
    return effects[0].error if len(effects) == 1 and type(effects[0]) is Raised else ""


def _repr(event: Any) -> str:
    try:
        return repr(event)
    except Exception:  # noqa: BLE001  # what a user put into a message may not be able to say what it is
        return say(event)


def _said(record: Record) -> Any:
    return record.event.message if isinstance(record.event, Lost) else record.event


def line(record: Record) -> str:
    """Format one record: time, from whom to whom, what."""
    if isinstance(record.event, Lost):
        return (
            f"{record.time:10.3f}  {record.sender:>12} -x {record.party:<12} {say(record.event.message)}"
            f"  ({record.event.why})"
        )
    failure = _how_it_failed(record)
    told = f"{record.time:10.3f}  {record.sender:>12} -> {record.party:<12} {say(record.event)}"
    return f"{told}  (raised {failure})" if failure else told


def say(event: Any) -> str:
    """Put one event into words: its kind and its telling fields. Never raises: it is asked when something is wrong."""
    try:
        return _say(event)
    except Exception as error:  # noqa: BLE001  # what a user put into a message may not be able to say what it is
        return f"{type(event).__name__} (cannot be put into words: {type(error).__name__})"


def _say(event: Any) -> str:
    if isinstance(event, CallbackReturned):
        return f"({event.callback} returned{': ' + event.error if event.error else ''})"
    if isinstance(event, TimerFired):
        return f"(timer {event.key})"
    if not attrs.has(type(event)):
        return repr(event)
    words = " ".join(_fields(event))
    kind = type(event).__name__
    if isinstance(event, IN_BRACKETS):
        return f"({kind} {words})"
    return f"{kind} {words}".rstrip()


def _fields(thing: Any) -> Iterator[str]:
    for field in attrs.fields(type(thing)):
        value = getattr(thing, field.name)
        if value is None or value in ((), "") or (field.default is not attrs.NOTHING and value == field.default):
            continue
        if field.name in ("scheduler", "framework_info", "filters", "sent_at"):
            continue
        yield f"{field.name}={_brief(value)}"


def _brief(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str | int | Resources):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ",".join(_brief(item) for item in value) + "]"
    if attrs.has(type(value)):
        return _brief_noun(value)
    return repr(value)


def _brief_noun(noun: Any) -> str:
    """Name a noun inside a message: its id where it has one, what is said of a task, else its fields."""
    if hasattr(noun, "state") and hasattr(noun, "task_id"):
        reason = getattr(noun, "reason", None)
        return f"{noun.task_id}:{_brief(noun.state)}" + (f"({_brief(reason)})" if reason else "")
    for name in ("task_id", "id", "hostname", "name"):
        named = getattr(noun, name, None)
        if isinstance(named, str) and named:
            return named + (f"@{noun.agent_id}" if name == "id" and hasattr(noun, "agent_id") else "")
    return f"{type(noun).__name__}({' '.join(_fields(noun))})"
