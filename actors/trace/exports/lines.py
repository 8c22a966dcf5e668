"""What is told of each record: its lines as in all texts, of which kind it is, and when it is shown."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator

from attrs import frozen

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    Exit,
    LinkBroken,
    PeerExited,
    SignalReceived,
    SignalWork,
    TimerFired,
    WorkExited,
)
from mesolite.actors.trace.moments import UNDOES
from mesolite.actors.trace.records import HEARTBEATS, Disturbed, Done, Ended, Lost, Record
from mesolite.actors.trace.words import Names, Row, failure_of, rows
from mesolite.messages.base import Message

ALWAYS, SYSTEM, HEARTBEAT = 0, 1, 2
"""When the first line of a record is shown: always, with what is `system`, with heartbeats. All others are always."""


@frozen(kw_only=True)
class Told:
    """One record, told.

    Attributes:
        record: the record.
        head: whose it is, and what happened.
        rest: the lines of what came of it: signals, starts, ends.
        wanted: when `head` is shown.
        kind: the name of the event's class; of what was lost or held, the message's.
        sort: what it is to a reader: `message`, `tell` (user code is called), `verb` (an operator's call), `lost`,
            `disturbed`, `fault`, `undone`, `signal`, `work` (a process ended), `exit` (an actor ended), `link`,
            `failed`, `timer`, `system`.
        badges: the signals that were sent, in short.
        exits: whether its actor ends here.
    """

    record: Record
    head: Row
    rest: tuple[Row, ...]
    wanted: int
    kind: str
    sort: str
    badges: tuple[str, ...]
    exits: bool


def tell(records: Iterable[Record], names: Names) -> Iterator[Told]:
    """Tell all of them, in their order."""
    for record in records:
        everything = rows(record, names)
        yield Told(
            record=record,
            head=everything[0],
            rest=tuple(everything[1:]),
            wanted=_wanted(record, names, everything),
            kind=_kind(record.event),
            sort=_sort(record),
            badges=_badges(record),
            exits=type(record.event) is Ended or any(type(effect) is Exit for effect in record.effects),
        )


def _wanted(record: Record, names: Names, everything: list[Row]) -> int:
    event = record.event
    heartbeat = isinstance(event, HEARTBEATS)
    if isinstance(event, Message | Lost | Done) and not heartbeat:
        return ALWAYS  # as asking would say, which takes as long as telling
    usual = rows(record, names, system=False, unheard=HEARTBEATS)
    if len(usual) == len(everything):
        return ALWAYS
    return HEARTBEAT if heartbeat else SYSTEM


def _kind(event: object) -> str:
    return type(event.message if isinstance(event, Lost | Disturbed) else event).__name__


def _sort(record: Record) -> str:
    if failure_of(record):
        return "failed"
    match record.event:
        case Lost():
            return "lost"
        case Disturbed():
            return "disturbed"
        case Done(verb=verb):
            return "undone" if verb in UNDOES else "fault"
        case CallbackReturned(error=str()):
            return "failed"
        case Message() if record.sender == "operator":
            return "verb"
        case Message():
            return "tell" if any(type(effect) is Callback for effect in record.effects) else "message"
        case PeerExited() | LinkBroken():
            return "link"
        case SignalReceived():
            return "signal"
        case WorkExited():
            return "work"
        case Ended():
            return "exit"
        case TimerFired():
            return "timer"
    return "system"


def _badges(record: Record) -> tuple[str, ...]:
    sent = [effect.signum for effect in record.effects if type(effect) is SignalWork]
    return tuple(
        {signal.SIGTERM: "TERM", signal.SIGKILL: "KILL"}.get(signal.Signals(signum), str(signum)) for signum in sent
    )
