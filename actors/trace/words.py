"""How a record reads, in the one wording of all texts: who said what to whom, what came of it, who was signalled.

    20.000  agent-1 -> master-1       UnregisterAgent
    20.000  agent-1/t1                SIGTERM
    20.000  master-1 => web           StatusUpdate t1 TASK_LOST MASTER REASON_AGENT_REMOVED cause=UNREGISTERED
    20.000  master-1 => web           AgentLost agent-1

`->`: delivered. `=>`: delivered, and user code was called with it. `-x`: lost on the way. `--`: held, delayed, doubled.
A line with one actor says what happened to that one, a line with none what hands did, as the code that does it. Of a
task's update it is said which state, who made it, and why. Ids that masters made are shown as names where there is one:
`agent-1` for m1-S1, `web` for m1-F1. Left out is what everybody says all the time (pings), what is long (texts), and
what goes without saying (defaults).

Rule: whatever users have put into a message, this never raises and never breaks a line: it is read when something is
wrong.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from typing import Any

import attrs

from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    Destroy,
    Exit,
    LinkBroken,
    PeerExited,
    SignalReceived,
    SignalWork,
    SpawnExecutor,
    Started,
    TimerFired,
    WorkExited,
)
from mesolite.actors.trace.records import HEARTBEATS, RELEASED, Disturbed, Done, Ended, Lost, Raised, Record
from mesolite.actors.trace.values import fields, one_line
from mesolite.messages.agent import AgentRegistered
from mesolite.messages.base import Message
from mesolite.messages.scheduler import FrameworkRegistered

TIME_WIDTH = 9
PAIR_WIDTH = 24

Kinds = tuple[type, ...]
Row = tuple[str, str]
"""One line without its time: of whom it is, and what happened."""

_ID = re.compile(r"\bm\d+-[SF]\d+\b")
_OF_A_FRAMEWORK = re.compile(r"/m\d+-F\d+/")
_REGISTRAR = re.compile(r"\bmaster-\d+/registrar\b")


class Names:
    """What the ids of agents and frameworks stand for; a second agent id under one name gets a number."""

    def __init__(self) -> None:
        """Know none."""
        self._names: dict[str, str] = {}

    def learn(self, record: Record) -> None:
        """Take the names from the messages that hand out ids."""
        match record.event:
            case AgentRegistered(agent_id=known) | FrameworkRegistered(framework_id=known):
                if known not in self._names:
                    names = tuple(self._names.values())  # at one go: threads share it
                    earlier = sum(name.partition("#")[0] == record.actor for name in names)
                    # A scheduler that takes over is the same framework under another name, and keeps the first.
                    self._names[known] = f"{record.actor}#{earlier + 1}" if earlier else record.actor

    def of(self, known: str) -> str:
        """The name that this id stands for, or the id."""
        return self._names.get(known, known)

    def ids_of(self, *names: str) -> list[str]:
        """The ids that stand for one of these names."""
        return [known for known, name in tuple(self._names.items()) if name in names]

    def put_in(self, text: str) -> str:
        """Replace the ids in a text; an executor's name is its agent's and its own, a registrar's is just that."""
        text = _OF_A_FRAMEWORK.sub("/", text)
        text = _ID.sub(lambda found: self._names.get(found[0], found[0]), text)
        return _REGISTRAR.sub("registrar", text)


NOBODY = Names()
"""For a record that stands alone: ids stay ids."""


def lines(record: Record, names: Names, system: bool, heartbeats: bool) -> list[str]:
    """The lines of one record, each with a time, whose it is, and what; none if it is not wanted."""
    unheard = () if heartbeats else HEARTBEATS
    stamp = f"{record.time:{TIME_WIDTH}.3f}"
    return [f"{stamp}  {who:<{PAIR_WIDTH}}  {what}" for who, what in rows(record, names, system, unheard)]


def line(record: Record) -> str:
    """One record that stands alone, as text: time, from whom to whom, what; and a line for each thing it led to."""
    return "\n".join(lines(record, NOBODY, system=True, heartbeats=True))


def say(event: Any, *between: str, names: Names = NOBODY) -> str:
    """Put one event into words: its kind and its telling fields, leaving out those `between` whom it was said.

    It never raises: it is asked when something is wrong.
    """
    try:
        return names.put_in(_say(event, _either(names, *between), names))
    except Exception as error:  # noqa: BLE001  # what a user put into a message may not be able to say what it is
        return f"{type(event).__name__} (cannot be put into words: {type(error).__name__})"


def said_of(event: Any) -> str:
    """All of an event, to be searched for ids."""
    try:
        return repr(event)
    except Exception:  # noqa: BLE001  # as above
        return say(event)


def rows(record: Record, names: Names = NOBODY, system: bool = True, unheard: Kinds = ()) -> list[Row]:
    """What is told of one record: without `system` messages and what comes of them, and no `unheard` that arrived."""
    told = []
    try:
        for who, what in _rows(record, names, system, unheard):
            told.append((one_line(names.put_in(who)), names.put_in(what)))
    except Exception as error:  # noqa: BLE001  # as above
        event = record.event.message if isinstance(record.event, Lost | Disturbed) else record.event
        failed = f"{type(event).__name__} (cannot be put into words: {type(error).__name__})"
        told.append((one_line(f"{record.sender} -> {record.actor}"), failed))
    return told


def failure_of(record: Record) -> str:
    """What the core raised at this event, '' if nothing."""
    effects = record.effects
    return effects[0].error if len(effects) == 1 and type(effects[0]) is Raised else ""


def _rows(record: Record, names: Names, system: bool, unheard: Kinds) -> Iterator[Row]:
    failure = failure_of(record)
    if failure:
        said = _say(record.event, _either(names, record.sender, record.actor), names)
        yield _whose(record), f"{said}  (raised {one_line(failure)})"
        return
    row = _row(record, names, system, unheard)
    if row is not None:
        yield row
    for effect in record.effects:
        match effect:
            case SignalWork(signum=signum):
                yield record.actor, _signal(signum)
            case SpawnExecutor(name=name):
                yield name, "starts"
            case Destroy(name=name):
                yield name, "destroyed"
            case Exit(reason=reason):
                yield record.actor, f"exits: {one_line(reason)}" if reason else "exits"


def _row(record: Record, names: Names, system: bool, unheard: Kinds) -> Row | None:
    """The line of the event itself, if it is wanted."""
    calls = [f"{effect.callback}()" for effect in record.effects if isinstance(effect, Callback)]
    unsaid = _either(names, record.sender, record.actor)
    match record.event:
        case Message() as message if not isinstance(message, unheard):
            return _pair(record, "=>" if calls else "->"), _say(message, unsaid, names)
        case Lost(message, why):
            return _pair(record, "-x"), f"{_say(message, unsaid, names)}  ({one_line(why)})"
        case Disturbed(message, how) if system or how != RELEASED:
            return _pair(record, "--"), f"{_say(message, unsaid, names)}  ({one_line(how)})"
        case Done(code=code):
            return "", one_line(code)
        case PeerExited() if record.actor not in ("operator", "elector"):
            return _pair(record, "->"), _say(record.event, unsaid)
        case LinkBroken() as event:
            return _pair(record, "->"), _say(event, unsaid)
        case SignalReceived() | WorkExited() as event:
            return record.actor, _say(event, unsaid)
        case CallbackReturned(error=str(error)):
            return record.actor, f"raised {one_line(error)}"
        case _ if calls:
            return record.actor, " ".join(calls)
    if not system or isinstance(record.event, Message):
        return None
    return _whose(record), _say(record.event, unsaid, names)


def _either(names: Names, *actors: str) -> tuple[str, ...]:
    """Whom a message need not name: who says it and who is told, an executor's agent and framework too."""
    return tuple(names.put_in(name) for actor in actors for name in actor.split("/"))


def _whose(record: Record) -> str:
    return record.actor if record.sender in ("", record.actor) else _pair(record, "->")


def _pair(record: Record, arrow: str) -> str:
    return f"{record.sender} {arrow} {record.actor}"


def _say(event: Any, unsaid: Any, names: Names = NOBODY) -> str:
    """An event's kind and telling fields; messages as they are, all else, which nobody says, in brackets."""
    match event:
        case Lost(message) | Disturbed(message):
            return _say(message, unsaid, names)
        case Done(code=code):
            return one_line(code)
        case CallbackReturned(callback=callback, error=error):
            return f"({callback} returned{': ' + one_line(error) if error else ''})"
        case PeerExited():
            return "(link broken)"
        case LinkBroken():
            return "(link broken: something was lost)"
        case SignalReceived(signal=name):
            return one_line(name)
        case WorkExited(exit_status=status, signal=signum):
            return f"ended by {_signal(signum)}" if signum else f"ended with {status}"
        case TimerFired(key=key):
            return f"(timer {one_line(str(key))})"
        case Started(incarnation=life):
            return "(starts)" if life == 1 else f"(starts, life {life})"
        case Ended(status=status, reason=reason, silent=silent):
            how = f": {one_line(reason)}" if reason else f" with {status}" if status else ""
            return f"(ends{how}{', silently' if silent else ''})"
    if not attrs.has(type(event)):
        return one_line(repr(event))
    # Whom it is about is left out if that is one of the two.
    words = [word for word in fields(event) if names.put_in(word) not in unsaid]
    text = " ".join([type(event).__name__, *words])
    return text if isinstance(event, Message) else f"({text})"


def _signal(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"

