"""What state everything was in, and who believed so: the one reader that derives states from a trace.

    kind       subject      believer             states
    leader     master-1     that master          LEADS
    agent      agent-1      a leading master     RECOVERED, CONNECTED, DISCONNECTED, UNREACHABLE, GONE
    offering   agent-1      a leading master     DEACTIVATED, DRAINING, DRAINED; none: it is offered if it is connected
    drain      m1-D1        the registry         DRAINING, DRAINED, GONE, LEFT
    reclaim    m1-R1        the registry         ASKED, REVOKING, DONE, LEFT, RELEASED
    task       t1           its scheduler        TASK_STAGING, ... as it was told
    process    t1           its executor         RUNNING, SIGNALLED: the truth

Who leads, and how drains and reclaims are, is what masters make known of that (messages/facts.py). What a leader has of
agents is read from the answers of its registrar, which is when it acts on them, and from what it says to agents and
waits for; tasks from the callbacks of their schedulers; processes from what executors start, signal and see end.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, frozen

from mesolite.actors.decisions.contract import (
    Callback,
    Publish,
    Run,
    Send,
    SetTimer,
    SignalWork,
    WorkExited,
    WorkStarted,
)
from mesolite.actors.decisions.master.timers import ReregisterTimeout
from mesolite.actors.trace.records import Ended, Record
from mesolite.actors.trace.values import FAILED, brief
from mesolite.actors.trace.words import NOBODY, Names, say
from mesolite.messages.agent import AgentRegistered, AgentReregistered
from mesolite.messages.drains import DrainInfo
from mesolite.messages.facts import DrainForgotten, MasterStatus, ReclaimForgotten
from mesolite.messages.ids import ActorName
from mesolite.messages.reclaims import ReclaimInfo
from mesolite.messages.registrar import (
    DeactivateAgent,
    EndDrain,
    MarkAgentGone,
    MarkAgentUnreachable,
    OperationApplied,
    PruneAgents,
    ReactivateAgent,
    Registry,
    RegistryRecovered,
    RemoveAgent,
    StartDrain,
)
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.scheduler import AcceptOffers
from mesolite.messages.tasks import TaskState, TaskStatus

REGISTRY = "registry"

Key = tuple[str, str, str]
"""Kind, subject, believer."""


@frozen(kw_only=True)
class TraceState:
    """One state of one thing, as somebody believed it, from one record to another; `to` None: to the end of the trace.

    `words` say more about it, `message` why a task came to nothing, as it was told, and `ending` how it came to its end
    where that is no other state, as of a process.
    """

    kind: str
    subject: str
    believer: str
    state: str
    words: str
    from_time: float
    from_index: int
    to_time: float | None = None
    to_index: int | None = None
    ending: str = ""
    message: str = ""

    def __str__(self) -> str:
        """Show it as a line of a table."""
        until = "" if self.to_time is None else f"{self.to_time:.3f}"
        words = " ".join(word for word in (self.words, self.message, self.ending) if word)
        span = f"{self.from_time:9.3f} {until:>9}"
        return f"{span}  {self.kind:<8}  {self.subject:<12}  {self.believer:<16}  {self.state:<16}  {words}".rstrip()


@define
class _Span:
    state: str
    words: str
    message: str
    time: float
    index: int


def states(records: Iterable[Record], names: Names = NOBODY) -> list[TraceState]:
    """Every state that these records tell of, in the order in which they began; agents are called by their names."""
    reader = _Reader(names)
    for record in records:
        reader.read(record)
    return reader.all()


def told(record: Record) -> Iterator[tuple[str, TaskState, str, str]]:
    """What a scheduler learns of tasks at that record, as task, state, words and why it came to nothing.

    It learns of what it launches and of what it is told.
    """
    for effect in record.effects:
        match effect:
            case Callback("status_update", (TaskStatus() as status, *_)):
                words = " ".join(brief(word) for word in (status.cause, status.reason) if word is not None)
                yield status.task_id, status.state, words, brief(status.message) if status.state in FAILED else ""
            case Send(message=AcceptOffers(operations=operations)):
                for operation in operations:
                    for task in operation.tasks:
                        yield task.task_id, TaskState.TASK_STAGING, "", ""


class _Reader:
    """Goes through records once. What is open now is in `_open`, by key."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._open: dict[Key, _Span] = {}
        self._done: list[TraceState] = []
        self._leading: dict[str, None] = {}
        self._first: int | None = None
        self._task_of: dict[tuple[str, str], str] = {}
        self._commands: dict[str, None] = {}

    def all(self) -> list[TraceState]:
        """What has ended and what has not."""
        still = [self._as_state(key, span) for key, span in self._open.items()]
        return sorted(self._done + still, key=lambda state: state.from_index)

    def read(self, record: Record) -> None:
        """Take in one more record."""
        event, actor = record.event, record.actor
        if type(event) is Ended:
            self._ended(record)
            return
        for effect in record.effects:
            if type(effect) is Publish:
                self._published(record, effect.fact)
        if self._first is None:
            self._first = record.index
        if self._first > 0 and type(event) is OperationApplied and actor not in self._leading:
            self._published(record, MasterStatus(name=ActorName(actor), leading=True))  # since before this trace begins
        if actor in self._leading:
            self._books(record)
        if type(event) in (WorkStarted, WorkExited):
            self._worked(record)
        for task_id, state, words, why in told(record):
            self._become(record, ("task", task_id, actor), state.name, words, why)
        for effect in record.effects:
            kind = type(effect)
            if kind is Send:
                self._sent(record, effect.message)
            elif kind is Callback:
                self._called(record, effect)
            elif kind is Run:
                self._task_of[actor, effect.work_id] = effect.task_id
                self._commands[actor] = None
            elif kind is SignalWork:
                self._signalled(record, effect)

    # ------------------------------------------------------------------------------------------------------ keeping

    def _become(self, record: Record, key: Key, state: str, words: str = "", message: str = "") -> None:
        span = self._open.get(key)
        if span is not None and (span.state, span.words) == (state, words):
            return
        self._end(record, key)
        self._open[key] = _Span(state, words, message, record.time, record.index)

    def _end(self, record: Record, key: Key, ending: str = "") -> None:
        span = self._open.pop(key, None)
        if span is not None:
            self._done.append(self._as_state(key, span, record, ending))

    @staticmethod
    def _as_state(key: Key, span: _Span, end: Record | None = None, ending: str = "") -> TraceState:
        kind, subject, believer = key
        return TraceState(
            kind=kind,
            subject=subject,
            believer=believer,
            state=span.state,
            words=span.words,
            message=span.message,
            from_time=span.time,
            from_index=span.index,
            to_time=None if end is None else end.time,
            to_index=None if end is None else end.index,
            ending=ending,
        )

    def _ended(self, record: Record) -> None:
        """Whoever ends believes nothing any more, and nothing that it ran is left."""
        actor = record.actor
        self._leading.pop(actor, None)
        ending = "its executor ended" if "/" in actor else "its believer ended"
        for key in [key for key in self._open if key[2] == actor]:
            self._end(record, key, ending)

    # ------------------------------------------------------------------------------------------------------ masters

    def _published(self, record: Record, fact: object) -> None:
        """What an actor makes known: that it leads, from when it has read the registry; how drains and reclaims are."""
        match fact:
            case MasterStatus(leading=True):
                self._leading[record.actor] = None
                self._become(record, ("leader", record.actor, record.actor), "LEADS")
            case MasterStatus():
                self._leading.pop(record.actor, None)
                self._end(record, ("leader", record.actor, record.actor))
            case DrainInfo():
                words = " ".join(word for word in (self._names.of(fact.agent_id), brief(fact.message)) if word)
                self._become(record, ("drain", fact.id, REGISTRY), str(fact.state), words)
            case ReclaimInfo():
                wanted = "everything" if fact.resources is None else str(fact.resources)
                words = f"{wanted} of {self._names.of(fact.agent_id or fact.framework_id or '')}"
                self._become(record, ("reclaim", fact.id, REGISTRY), str(fact.state), words)
            case DrainForgotten(id=forgotten):
                self._end(record, ("drain", forgotten, REGISTRY), "forgotten")
            case ReclaimForgotten(id=forgotten):
                self._end(record, ("reclaim", forgotten, REGISTRY), "forgotten")

    def _recovered(self, record: Record, registry: Registry) -> None:
        for admitted in registry.admitted:
            self._agent(record, admitted.agent.id, "RECOVERED")
        for unreachable in registry.unreachable:
            self._agent(record, unreachable.agent_id, "UNREACHABLE")
        for gone in registry.gone:
            self._agent(record, gone.agent_id, "GONE")
        for mark in registry.deactivated:
            self._offering(record, mark.agent_id, "DEACTIVATED" if mark.drain is None else str(mark.drain.state))

    def _books(self, record: Record) -> None:
        """What a leader's books say of agents after this event."""
        event = record.event
        if type(event) is RegistryRecovered:
            self._recovered(record, event.registry)
        elif type(event) is OperationApplied:
            self._applied(record, event.operation)
        for effect in record.effects:
            if type(effect) is Send and isinstance(effect.message, AgentRegistered | AgentReregistered):
                self._agent(record, effect.message.agent_id, "CONNECTED")
            elif type(effect) is SetTimer and type(effect.key) is ReregisterTimeout:
                self._agent(record, effect.key.agent_id, "DISCONNECTED")

    def _applied(self, record: Record, operation: object) -> None:
        match operation:
            case MarkAgentUnreachable(agent_id=agent_id):
                self._agent(record, agent_id, "UNREACHABLE")
            case MarkAgentGone(agent_id=agent_id):
                self._agent(record, agent_id, "GONE")
                self._offering(record, agent_id, None)
            case RemoveAgent(agent_id=agent_id):
                self._agent(record, agent_id, None)
                self._offering(record, agent_id, None)
            case PruneAgents(unreachable=unreachable, gone=gone):
                for agent_id in (*unreachable, *gone):
                    self._agent(record, agent_id, None)
                    self._offering(record, agent_id, None)
            case DeactivateAgent(agent_id=agent_id) if self._is_known(record, agent_id):
                self._offering(record, agent_id, "DEACTIVATED")
            case StartDrain(drain=drain) | EndDrain(drain=drain) if self._is_known(record, drain.agent_id):
                self._offering(record, drain.agent_id, str(drain.state))
            case ReactivateAgent(agent_id=agent_id):
                self._offering(record, agent_id, None)

    def _is_known(self, record: Record, agent_id: str) -> bool:
        span = self._open.get(("agent", self._names.of(agent_id), record.actor))
        return span is None or span.state != "GONE"

    def _agent(self, record: Record, agent_id: str | None, state: str | None) -> None:
        key = ("agent", self._names.of(agent_id or ""), record.actor)
        if state is None:
            self._end(record, key, "removed")
        else:
            self._become(record, key, state)

    def _offering(self, record: Record, agent_id: str, state: str | None) -> None:
        key = ("offering", self._names.of(agent_id), record.actor)
        if state is None:
            self._end(record, key)
        else:
            self._become(record, key, state)

    # -------------------------------------------------------------------------------------------------------- tasks

    def _called(self, record: Record, effect: Callback) -> None:
        """User code is told to run a task."""
        match effect:
            case Callback("launch_task", (task, *_)):
                self._become(record, ("process", task.task_id, record.actor), "RUNNING")

    def _sent(self, record: Record, message: Any) -> None:
        match message:
            case StatusUpdate(status=status) if status.state.is_terminal:
                key = ("process", status.task_id, record.actor)
                if key in self._open and record.actor not in self._commands:
                    self._end(record, key, status.state.name)  # what has a process ends when that does

    def _worked(self, record: Record) -> None:
        event = record.event
        task_id = self._task_of.get((record.actor, event.work_id))
        if task_id is None:
            return  # it was started before this trace begins
        key = ("process", task_id, record.actor)
        if type(event) is WorkStarted:
            self._become(record, key, "RUNNING")
        else:
            self._end(record, key, say(event))

    def _signalled(self, record: Record, effect: SignalWork) -> None:
        task_id = self._task_of.get((record.actor, effect.work_id))
        key = ("process", task_id or "", record.actor)
        if key in self._open:
            self._become(record, key, "SIGNALLED", signal.Signals(effect.signum).name)
