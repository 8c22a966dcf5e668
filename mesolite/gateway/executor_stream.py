"""The stream of an executor process: what is said to it, as long as somebody listens (http.md section 8.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from mesolite.actors.decisions.contract import CancelTimer, SetTimer, TimerKey
from mesolite.gateway.effects import Write
from mesolite.gateway.exchange import Record, StreamBegun, StreamEnded
from mesolite.gateway.refusals import JSON
from mesolite.gateway.v1 import writing
from mesolite.gateway.v1.framing import framed
from mesolite.gateway.v1.writing import Plain
from mesolite.messages.data import Data
from mesolite.messages.executor import ExecutorRegistered
from mesolite.messages.ids import FrameworkId, TaskId, UpdateId
from mesolite.messages.relayed import KillTask
from mesolite.messages.tasks import TaskInfo

HEARTBEAT_S = 1800.0
"""Between two heartbeats, and before the first (HT-65)."""

Effects = list[Any]
"""Effects of the contract, and `Write`."""


@frozen
class ExecutorHeartbeat(TimerKey):
    """The stream is to be kept alive (HT-65)."""

    PERIODIC: ClassVar[bool] = True


class ExecutorStream:
    """The answer to the newest SUBSCRIBE, from when it came until it ends or is lost; each method says what to do.

    no number --asked--> number, no answer yet --begin--> open --end, lost--> no number
    """

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self.number: int | None = None
        """That of the request to be answered, None if there is none."""
        self.is_open = False
        """Whether its answer has begun: only then anything is heard."""

    def asked(self, number: int) -> Effects:
        """Turn to the new request; whoever asked before has been replaced (HT-195)."""
        ended = self.end()
        self.number = number
        return ended

    def begin(self, first: Plain) -> Effects:
        """Begin the answer with its first event."""
        assert self.number is not None, f"{first}, but nobody has asked"
        self.is_open = True
        return [Write(self.number, StreamBegun(headers=JSON)), *self.say(first)]

    def keep_alive(self) -> Effects:
        """Say something later, should nothing happen."""
        return [SetTimer(ExecutorHeartbeat(), HEARTBEAT_S)]

    def say(self, event: Plain) -> Effects:
        """Say it to whoever listens; it is lost if nobody does (HT-247)."""
        if self.number is None or not self.is_open:
            return []
        return [Write(self.number, Record(framed(event)))]

    def end(self) -> Effects:
        """Say no more. Who has no answer yet gets an empty one: nobody is to wait for ever."""
        if self.number is None:
            return []
        begun: Effects = [] if self.is_open else [Write(self.number, StreamBegun(headers=JSON))]
        return [*begun, Write(self.number, StreamEnded()), *self.lost()]

    def lost(self) -> Effects:
        """Learn that nobody listens any more."""
        self.number, self.is_open = None, False
        return [CancelTimer(ExecutorHeartbeat())]


# --- events --------------------------------------------------------------------------------------------

HEARTBEAT: Plain = {"type": "HEARTBEAT"}
SHUTDOWN: Plain = {"type": "SHUTDOWN"}


def subscribed(known: ExecutorRegistered, framework_id: FrameworkId, container: str) -> Plain:
    """What it is, and where: the container as everybody else is told of it (HT-192)."""
    return _event(
        "SUBSCRIBED",
        executor_info=writing.executor_info(known.executor_info, framework_id),
        framework_info=writing.framework_info(known.framework_info),
        agent_info=writing.agent_info(known.agent_info),
        container_id=writing.identifier(container),
    )


def launch(task: TaskInfo) -> Plain:
    """A task to be run (HT-200)."""
    return _event("LAUNCH", task=writing.task_info(task))


def kill(asked: KillTask) -> Plain:
    """A task to be ended (HT-202)."""
    task_id = writing.identifier(asked.task_id)
    if asked.kill_policy is None:
        return _event("KILL", task_id=task_id)
    grace_s = asked.kill_policy.grace_period_s
    policy = {} if grace_s is None else {"grace_period": writing.duration(grace_s)}
    return _event("KILL", task_id=task_id, kill_policy=policy)


def acknowledged(task_id: TaskId, uuid: UpdateId) -> Plain:
    """An update that the agent has (HT-203, HT-210)."""
    return _event("ACKNOWLEDGED", task_id=writing.identifier(task_id), uuid=writing.data(writing.uuid(uuid)))


def message(data: Data) -> Plain:
    """What its scheduler has to say (HT-204)."""
    return _event("MESSAGE", data=writing.data(data))


def _event(kind: str, **body: object) -> Plain:
    return {"type": kind, kind.lower(): body}
