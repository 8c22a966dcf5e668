"""How scheduler, leader and agent came to believe what they believe of tasks, as the trace tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define, field

from mesolite.actors.decisions.contract import Publish, Send
from mesolite.actors.trace import Ended, Lost, Record, Trace, told
from mesolite.messages.agent import ReregisterAgent
from mesolite.messages.facts import MasterStatus
from mesolite.messages.relayed import KillTask, RunTask, StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.scheduler import AcceptOffers
from mesolite.messages.tasks import TaskState
from mesolite.wiring import Wiring

Key = tuple[str, str]
"""A framework's id and a task's; or a driver's name and a task's id."""


@define(eq=False)
class Turn:
    """From this record on an actor believes this of a task; None: it has nothing of it."""

    record: Record
    state: TaskState | None


@define(eq=False)
class Course:
    """How the belief of one actor went. Of leaders there is one course, as of one actor."""

    turns: list[Turn] = field(factory=list)

    def come_to(self, state: TaskState | None, record: Record) -> None:
        """It believes that from this record on."""
        if not self.turns or self.turns[-1].state is not state:
            self.turns.append(Turn(record, state))


@define(eq=False)
class TaskCourses:
    """What the trace tells of one task: how leader and agent came to believe what they do, and what was lost."""

    leader: Course = field(factory=Course)
    agent: Course = field(factory=Course)
    agent_name: str = ""
    lost: list[Record] = field(factory=list)


class Courses:
    """Reads the trace of a simulation, each record once, when it is asked to.

    Attributes:
        tasks: by framework and task.
        schedulers: what schedulers were told, by driver and task.
    """

    def __init__(self, trace: Trace) -> None:
        """Start with nothing read."""
        self.tasks: dict[Key, TaskCourses] = {}
        self.schedulers: dict[Key, Course] = {}
        self._trace = trace
        self._leader: str | None = None
        """Empty while nobody leads; None: this trace begins later than that."""
        self._newest_read = -1

    def read(self, cluster: Wiring) -> None:
        """Take in what has happened since the last time."""
        for record in self._trace.newer_than(self._newest_read):
            self._newest_read = record.index
            actor = record.actor
            if type(record.event) is Lost:
                for key in _about(record.event.message):
                    self._of(*key).lost.append(record)
            elif actor in cluster.agents:
                self._read_agent(record)
            elif actor in cluster.masters:
                self._read_master(record)
            elif actor in cluster.frameworks:
                for task_id, state, _, _ in told(record):
                    self.schedulers.setdefault((actor, task_id), Course()).come_to(state, record)

    def _of(self, framework_id: str, task_id: str) -> TaskCourses:
        return self.tasks.setdefault((framework_id, task_id), TaskCourses())

    def _read_agent(self, record: Record) -> None:
        """What an agent learns: of a launch, of an update, of its own end."""
        if type(record.event) is Ended:
            for task in self.tasks.values():
                if task.agent_name == record.actor:
                    task.agent.come_to(None, record)
            return
        for framework_id, task_id, state in _states([record.event, *_said(record)]):
            task = self._of(framework_id, task_id)
            task.agent_name = record.actor
            task.agent.come_to(state, record)

    def _read_master(self, record: Record) -> None:
        """What whoever leads learns: of a launch, of an update, of an agent that comes back, or is given up."""
        if type(record.event) is Ended:
            if record.actor == self._leader:
                self._led_by("", record)
            return
        for effect in record.effects:
            if type(effect) is Publish and isinstance(effect.fact, MasterStatus):
                if effect.fact.leading:
                    self._led_by(record.actor, record)
                elif record.actor == self._leader:
                    self._led_by("", record)
        if self._leader not in (None, record.actor):
            return
        for effect in record.effects:
            if type(effect) is Send and type(effect.message) is RunTask:
                self._of(effect.message.framework_id, effect.message.task.task_id).agent_name = effect.to
        # What it passes on was news to itself; what it says of its own accord is what it has come to believe.
        for framework_id, task_id, state in _states([record.event]) or _states(_said(record)):
            self._of(framework_id, task_id).leader.come_to(state, record)

    def _led_by(self, name: str, record: Record) -> None:
        """Whoever leads from now on has to be told of tasks by their agents."""
        if name != self._leader:
            self._leader = name
            for task in self.tasks.values():
                task.leader.come_to(None, record)


def _said(record: Record) -> list[Any]:
    return [effect.message for effect in record.effects if type(effect) is Send]


def _states(messages: list[Any]) -> list[tuple[str, str, TaskState]]:
    """What these messages say of tasks. Of an update what counts is the newest state that its agent knows."""
    found: list[tuple[str, str, TaskState]] = []
    for message in messages:
        match message:
            case RunTask(framework_id=framework_id, task=task):
                found.append((framework_id, task.task_id, TaskState.TASK_STAGING))
            case StatusUpdate(framework_id=framework_id, status=status, latest_state=state):
                found.append((framework_id, status.task_id, state))
            case ReregisterAgent(tasks=tasks):
                found += [(task.framework_id, task.task_id, task.state) for task in tasks]
    return found


def _about(message: object) -> Iterator[Key]:
    """The framework and the tasks that a message is about."""
    match message:
        case RunTask(framework_id=framework_id, task=task):
            yield framework_id, task.task_id
        case StatusUpdate(framework_id=framework_id, status=status):
            yield framework_id, status.task_id
        case KillTask() | StatusUpdateAcknowledgement():
            yield message.framework_id, message.task_id
        case AcceptOffers(framework_id=framework_id, operations=operations):
            for operation in operations:
                yield from ((framework_id, task.task_id) for task in operation.tasks)
