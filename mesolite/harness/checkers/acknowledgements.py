"""Acknowledgements: what they end, and that they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesolite.actors.decisions.contract import PeerExited
from mesolite.actors.trace import Record
from mesolite.harness.checkers.checker import ActorRole, Checker, Finding, hears, says
from mesolite.messages.agent import ReregisterAgent
from mesolite.messages.ids import FrameworkId, TaskId
from mesolite.messages.registrar import OperationApplied
from mesolite.messages.relayed import RunTask, StatusUpdate, StatusUpdateAcknowledgement

Key = tuple[FrameworkId, TaskId]


class AcknowledgedByUuid(Checker):
    """Only what was meant is taken for told (TK-15)."""

    name = "acknowledged_by_uuid"
    statement = "An agent forgets an update only when its framework has acknowledged that very update."

    def __init__(self) -> None:
        """Start with nothing said."""
        self._heads: dict[Any, dict[Key, str | None]] = {}
        self._acknowledged: dict[Any, dict[Key, str | None]] = {}

    @says(ActorRole.AGENT, StatusUpdate)
    def said(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """An agent reports; what had to wait for a slow disk may have been acknowledged meanwhile."""
        key, uuid = (message.framework_id, message.status.task_id), message.status.uuid
        if self._acknowledged.get(core, {}).get(key) != uuid:
            self._heads.setdefault(core, {})[key] = uuid

    @hears(ActorRole.AGENT, StatusUpdateAcknowledgement)
    def acknowledged(self, record: Record, core: Any) -> None:
        """A framework has taken an update: is the right one forgotten?"""
        event, state = record.event, core.state
        key = (event.framework_id, event.task_id)
        heads = self._heads.get(core, {})
        head = heads.get(key)
        framework = state.frameworks.get(event.framework_id)
        if head is None or framework is None or framework.terminating:
            return
        stream = state.streams.get(key)
        now_head = stream.updates[0].status.uuid if stream is not None and stream.updates else None
        if head == event.uuid:
            heads.pop(key, None)
            self._acknowledged.setdefault(core, {})[key] = head
            if now_head == head and record.sender == state.leader:
                self.violated(f"{record.actor} keeps {head} of {event.task_id}, acknowledged", event.task_id)
        elif now_head != head:
            text = f"{record.actor} forgets {head} of {event.task_id} for the acknowledgement of {event.uuid}"
            self.violated(text, event.task_id, record.actor)


class ExecutorsAreAcknowledged(Checker):
    """An executor need not remember what its agent has (drain.md 0.2.15)."""

    name = "executors_are_acknowledged"
    statement = "Once all is mended, no executor of a running agent waits for its agent to acknowledge an update."

    def calm(self) -> Iterator[Finding]:
        """Look at those that are alive."""
        for context, core in self.watch.reader.all_of(ActorRole.EXECUTOR):
            agent = self.watch.reader.core(context.host)
            registration = core.registration
            known = agent.state.executor_of_pid.get(context.name) if agent is not None else None
            if known is None or known[0].terminating or not registration.connected:
                continue
            late = [each for each in registration.updates.values() if self.watch.sim.now - each.status.timestamp > 10.0]
            if late:
                status = late[0].status
                text = f"{context.name} has said {status.state} of {status.task_id}, and is not acknowledged"
                yield text, (status.task_id, context.name)


class EndsAreAcknowledged(Checker):
    """A leader remembers an end until its framework has taken it (core.md TK-27)."""

    name = "ends_are_acknowledged"
    statement = "A leader forgets a task that has ended for the acknowledgement of that very end only."

    def __init__(self) -> None:
        """Start with nothing said."""
        self._ends: dict[tuple[Any, Key], str | None] = {}

    @says(ActorRole.MASTER, StatusUpdate)
    def said(self, record: Record, core: Any, message: StatusUpdate, to: str) -> None:
        """An end is forwarded, which a framework has to acknowledge."""
        key = (message.framework_id, message.status.task_id)
        task = core.state.frameworks[message.framework_id].tasks.get(message.status.task_id)
        if type(record.event) is StatusUpdate and message.status.state.is_terminal and task is not None:
            self._ends[core, key] = message.status.uuid

    @says(ActorRole.MASTER, RunTask)
    def launched(self, record: Record, core: Any, message: RunTask, to: str) -> None:
        """Another task has that id."""
        self._ends.pop((core, (message.framework_id, message.task.task_id)), None)

    @hears(ActorRole.MASTER, OperationApplied, PeerExited, ReregisterAgent)
    def changed(self, record: Record, core: Any) -> None:
        """Tasks may have gone otherwise."""
        self._ends.clear()

    @hears(ActorRole.MASTER, StatusUpdateAcknowledgement)
    def acknowledged(self, record: Record, core: Any) -> None:
        """A framework has taken an update: is a task forgotten for it?"""
        event = record.event
        end = self._ends.get((core, (event.framework_id, event.task_id)))
        framework = core.state.frameworks.get(event.framework_id)
        if end is None or framework is None or event.task_id in framework.tasks:
            return
        del self._ends[core, (event.framework_id, event.task_id)]
        if event.uuid != end:
            text = f"{event.task_id} is forgotten for the acknowledgement of {event.uuid}, and its end is {end}"
            self.violated(text, event.task_id)
