"""Puts what happened in a simulation into lines: who said what to whom, which callbacks that led to, who was signalled.

One line per message that was delivered or lost, and the time where it has changed. What one party is told stands in the
order in which it was told, and what came of a message below it; otherwise what was said first stands first.


    20.000  agent-1 -> master-1       UnregisterAgent
            agent-1/t1                SIGTERM
            master-1 => web           StatusUpdate t1 TASK_LOST MASTER REASON_AGENT_REMOVED cause=UNREGISTERED
            master-1 => web           AgentLost agent-1

`->`: delivered. `=>`: delivered, and user code was called with it. `-x`: lost on the way. A line with one party says
what happened to that one. Of a task's update it is said which state, who made it, and why. Ids that masters made are
shown as names where there is one: `agent-1` for m1-S1, `web` for m1-F1. Left out is what everybody says all the time
(elections, pings), what is long (texts), and what goes without saying (defaults).
"""

from __future__ import annotations

import enum
import itertools
import re
import signal
import textwrap
from collections.abc import Iterator
from typing import Any

import attrs

from mesolite import Resources, Source
from mesolite.actors.decisions.contract import (
    Callback,
    CallbackReturned,
    Destroy,
    Exit,
    PeerExited,
    SignalReceived,
    SignalWork,
    SpawnExecutor,
    WorkExited,
)
from mesolite.actors.trace import Lost, Record
from mesolite.messages import (
    AgentInfo,
    AgentRegistered,
    FrameworkRegistered,
    InverseOffer,
    Launch,
    MachineId,
    Message,
    Offer,
    StatusUpdate,
    Task,
    TaskInfo,
)
from mesolite.messages.registrar import Operation

WIDTH = 120
TIME_WIDTH = 7
PAIR_WIDTH = 24

HIDDEN_MODULE = "mesolite.messages.election"
HIDDEN = frozenset({"PingAgent", "PongAgent"})

NAMED = frozenset(
    {
        "cause", "deadline", "down", "duration_s", "enforce", "enforced", "grace_period_s", "grace_s", "keep", "made",
        "mark_gone", "max_grace_period_s", "reconciliations", "refuse_seconds", "returning", "share", "start",
        "tasks", "within_s",
    }
)  # fmt: skip
"""Fields that need their name said, as yes and no do; the values of all others speak for themselves."""

UNSAID = frozenset(
    {
        "agent_info", "answered_at", "asked_at", "attributes", "call_id", "command", "connected", "data", "ended_at",
        "executor_ids", "executor_info", "executors", "filters", "framework_info", "frameworks", "gone_time",
        "hostname", "incarnation", "initiator", "latest_state", "launch_executor", "launched_at", "master", "message",
        "name", "refusal", "registry", "role", "scheduler", "started_at", "status_update_state", "status_update_uuid",
        "term", "timestamp", "total_ping_timeout_s", "unreachable_time", "uuid", "work",
    }
)  # fmt: skip
"""Fields that nobody misses."""


class Names:
    """What the ids of agents and frameworks stand for; a second agent id under one name gets a number."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def learn(self, record: Record) -> None:
        """Take the names from the messages that hand out ids."""
        match record.event:
            case AgentRegistered(agent_id=known) | FrameworkRegistered(framework_id=known):
                if known not in self._names:
                    earlier = sum(name.partition("#")[0] == record.party for name in self._names.values())
                    numbered = f"{record.party}#{earlier + 1}" if earlier else record.party
                    # A scheduler that takes over is the same framework under another name, and keeps the first.
                    self._names[known] = numbered

    def put_in(self, text: str) -> str:
        """Replace the ids in a text; an executor's party is its agent and itself, a registrar's is just that."""
        text = re.sub(r"\bm\d+-[SF]\d+\b", lambda found: self._names.get(found[0], found[0]), text)
        frameworks = "|".join(re.escape(name) for name in self._names.values())
        text = re.sub(rf"\b(agent-[\w-]+)/(?:{frameworks})/", r"\1/", text) if frameworks else text
        return re.sub(r"\bmaster-\d+/registrar\b", "registrar", text)


class Exchange:
    """Tells what was recorded since it last told something. `shown` and `hidden` are names of kinds of messages."""

    def __init__(self) -> None:
        self.names = Names()
        self.shown: set[str] = set()
        self.hidden: set[str] = set()
        self._next = 0
        self._effects: dict[int, Any] = {}
        self._last_of: dict[str, int] = {}

    def skip(self, trace: Any) -> None:
        """Take note of everything new without telling it."""
        self._news(trace)

    def tell(self, trace: Any) -> list[str]:
        """The lines of everything new, each at most as wide as a page."""
        told, last = [], None
        for record in self._news(trace):
            for who, what in self._told(record):
                stamp = f"{record.time:{TIME_WIDTH}.3f}" if record.time != last else " " * TIME_WIDTH
                told += wrapped(f"  {stamp}  {self.names.put_in(who):<{PAIR_WIDTH}}  {self.names.put_in(what)}")
                last = record.time
        return told

    def _news(self, trace: Any) -> list[Record]:
        """What is new, in the order in which it is told."""
        news = [record for record in trace if record.index >= self._next]
        for record in news:
            self._next = record.index + 1
            self._effects[record.index] = record.effects
            if not isinstance(record.event, Lost):
                self._last_of[record.party] = record.index
            self.names.learn(record)
        return [record for _, batch in itertools.groupby(news, _time) for record in self._in_order(list(batch))]

    def _in_order(self, batch: list[Record]) -> Iterator[Record]:
        """What happened at one instant: at every party in the order in which it did, else in the order of saying."""
        before: dict[int, set[int]] = {}
        last_of: dict[str, int] = {}
        for record in batch:
            first = {record.cause, last_of.get(record.party, -1)}
            before[record.index] = first & before.keys()
            last_of[record.party] = record.index
        waiting = {record.index: record for record in batch}
        while waiting:
            ready = [record for record in waiting.values() if not before[record.index] & waiting.keys()]
            yield waiting.pop(min(ready, key=self._said_at).index)

    def _said_at(self, record: Record) -> tuple[int, int, str]:
        """When it was said: by which record's handling, as which of its effects."""
        cause = record.cause if record.cause >= 0 else record.index
        match record.event:
            case CallbackReturned():
                return -1, 0, ""  # part of the line above
            case PeerExited(name=name):
                return self._last_of.get(name, -1), len(self._effects), record.party
            case Lost(message=said) | said:
                effects = self._effects.get(cause, ())
                places = [place for place, each in enumerate(effects) if getattr(each, "message", None) is said]
                return cause, places[0] if places else -1, ""

    def _told(self, record: Record) -> Iterator[tuple[str, str]]:
        event = record.event
        calls = [f"{effect.callback}()" for effect in record.effects if isinstance(effect, Callback)]
        pair = f"{record.sender} {'=>' if calls else '->'} {record.party}"
        match event:
            case Lost(message, why) if self._is_shown(message):
                yield f"{record.sender} -x {record.party}", f"{self._said(message, record)}  ({why})"
            case Message() if self._is_shown(event):
                yield pair, self._said(event, record)
            case PeerExited() if record.party not in ("operator", "elector"):
                yield pair, "(link broken)"
            case SignalReceived(signal=name):
                yield record.party, name
            case WorkExited(exit_status=status, signal=signum):
                yield record.party, f"ended by {_signal(signum)}" if signum else f"ended with {status}"
            case CallbackReturned(error=str(error)):
                yield record.party, f"raised {error}"
            case _ if calls:
                yield record.party, " ".join(calls)
        for effect in record.effects:
            match effect:
                case SignalWork(signum=signum):
                    yield record.party, _signal(signum)
                case SpawnExecutor(name=name):
                    yield name, "starts"
                case Destroy(name=name):
                    yield name, "destroyed"
                case Exit(reason=reason):
                    yield record.party, f"exits: {reason}" if reason else "exits"

    def _is_shown(self, message: object) -> bool:
        kind = type(message)
        if not isinstance(message, Message) or kind.__name__ in self.hidden:
            return False
        return kind.__name__ in self.shown or not (kind.__module__ == HIDDEN_MODULE or kind.__name__ in HIDDEN)

    def _said(self, message: Any, record: Record) -> str:
        """The kind of message and its telling fields; whom it is about is left out if it is one of the two."""
        parties = f"{record.sender}/{record.party}".split("/")
        goes_without_saying = {self.names.put_in(name) for name in parties}
        words = [word for word in fields(message) if self.names.put_in(word) not in goes_without_saying]
        return " ".join([type(message).__name__, *words])


def _time(record: Record) -> float:
    return record.time


def _signal(signum: int) -> str:
    return signal.Signals(signum).name


def wrapped(line: str, indent: int = 2 + TIME_WIDTH + 2 + PAIR_WIDTH + 4) -> list[str]:
    """A line, continued so far below itself if it is too wide."""
    if len(line) <= WIDTH:
        return [line.rstrip()]
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def fields(thing: Any) -> list[str]:
    """The telling fields of a message or noun, one word each."""
    words = []
    for field in attrs.fields(type(thing)):
        value = getattr(thing, field.name)
        if field.name in UNSAID or value is None or value in ((), "", False) or value == field.default:
            continue
        # Stories give every task a name of its own, and a task is where it is.
        if field.name in ("framework_id", "agent_id") and hasattr(thing, "task_id"):
            continue
        if field.name == "framework_id" and isinstance(thing, Offer | InverseOffer):
            continue  # it is who gets it
        if field.name == "executor_id" and value == getattr(thing, "task_id", None):
            continue
        said = brief(value)
        words.append(f"{field.name}={said}" if field.name in NAMED or value is True else said)
    return [word for word in words if word]


def brief(value: Any) -> str:
    """One value in few words."""
    match value:
        case Source():
            return value.name.removeprefix("SOURCE_")
        case enum.Enum():
            return value.name
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}".rstrip("0").rstrip(".")
        case tuple() if len(value) == 1:
            return brief(value[0])
        case tuple():
            return "[" + ", ".join(brief(item) for item in value) + "]"
        case str() if " " in value:
            return f'"{value}"'
        case str() | int() | Resources() | MachineId():
            return str(value)
        case TaskInfo(task_id=task_id):
            return task_id
        case Task(task_id=task_id, state=state):
            return f"{task_id}:{state.name}"
        case AgentInfo(id=agent_id):
            return agent_id or ""
        case Launch(tasks=tasks):
            return brief(tasks)
        case StatusUpdate(status=status):
            return brief(status)
        case _ if attrs.has(type(value)):
            # What an operation is called matters, what a noun is called does not.
            kind = [type(value).__name__] if isinstance(value, Operation) else []
            return " ".join(kind + fields(value))
    return repr(value)
