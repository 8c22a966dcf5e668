"""How an executor and its agent know of each other: registration, what is unacknowledged, the agent's return.

Every update is kept until the agent acknowledges it and is sent again to a restarted agent only; there is no
timer (core.md TK-8). Both kinds of executor, user-written and command, hold one of these.

             Started           ExecutorRegistered                agent exits
    unborn -----------> waiting -----------------> connected -------------------> waiting again
                                                     |   ^                           |      |
         ended <-- agent exits, no checkpointing ----+   +-- ExecutorReregistered ---+      +-> ended
                   (TK-66)                                   after ReconnectExecutor     recovery time-out
"""

from __future__ import annotations

from attrs import frozen

from mesolite.actors.decisions.contract import (
    CancelTimer,
    Effect,
    ExecutorStart,
    Link,
    Send,
    SetTimer,
    Started,
    TimerKey,
)
from mesolite.messages.checking import unchecked
from mesolite.messages.data import Data
from mesolite.messages.executor import RegisterExecutor, ReregisterExecutor
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId, UpdateId
from mesolite.messages.relayed import StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.tasks import Reason, Source, TaskInfo, TaskState, TaskStatus


@frozen
class ReconnectTimeout(TimerKey):
    """No restarted agent has asked for this executor in time (drain.md 3.1.11)."""



class ExecutorRegistration:
    """Who the agent is, whether it knows us, and what it may not know yet."""

    def __init__(self, start: ExecutorStart, recovery_timeout_s: float) -> None:
        """Start unknown to the agent."""
        self.name = ""
        self.agent = start.agent
        self.framework_id = FrameworkId(start.framework_id)
        self.executor_id = ExecutorId(start.executor_id)
        self.agent_id = AgentId(start.agent_id)
        self.connected = False
        self.had_task = False
        self.tasks: dict[TaskId, TaskInfo] = {}
        self.updates: dict[UpdateId, StatusUpdate] = {}
        self._checkpoint = start.checkpoint
        self._recovery_timeout_s = recovery_timeout_s
        self._incarnation = 0
        self._updates_made = 0

    def begin(self, event: Started) -> list[Effect]:
        """Register once; the agent's time-out is the only safety net (TK-65)."""
        self.name, self._incarnation = event.name, event.incarnation
        register = RegisterExecutor(framework_id=self.framework_id, executor_id=self.executor_id)
        return [Link(self.agent), Send(self.agent, register)]

    def confirm(self) -> list[Effect]:
        """The agent knows us, for the first time or again."""
        self.connected = True
        return [CancelTimer(ReconnectTimeout())]

    @property
    def outlives_agent(self) -> bool:
        """Whether to wait for the agent if it goes now: with checkpointing, and if it knew us (TK-66)."""
        return self._checkpoint and self.connected

    def await_agent(self) -> list[Effect]:
        """The agent is gone; wait for the next one under its name (drain.md 3.1.11)."""
        self.connected = False
        return [SetTimer(ReconnectTimeout(), self._recovery_timeout_s)]

    def reconnect(self, agent: str) -> list[Effect]:
        """Whoever asks is the agent now; tell it what it may not know (TK-67). Its answer ends the wait."""
        self.agent = agent
        known = ReregisterExecutor(
            framework_id=self.framework_id,
            executor_id=self.executor_id,
            had_task=self.had_task,
            tasks=tuple(self.tasks.values()),
            updates=tuple(self.updates.values()),
        )
        return [Link(agent), Send(agent, known)]

    def take(self, task: TaskInfo) -> None:
        """A task has arrived; until an update of it is acknowledged the agent may forget it."""
        self.tasks[task.task_id] = task
        self.had_task = True

    def new_update(
        self,
        task_id: TaskId,
        state: TaskState,
        now: float,
        message: str = "",
        data: Data = "",
        reason: Reason | None = None,
    ) -> StatusUpdate:
        """What to tell the agent: under a uuid that never comes twice, and kept until acknowledged (TK-8)."""
        self._updates_made += 1
        uuid = UpdateId(f"{self.name}.{self._incarnation}:{self._updates_made}")
        status = unchecked(TaskStatus)(
            task_id=task_id,
            state=state,
            source=Source.SOURCE_EXECUTOR,
            reason=reason,
            message=message,
            data=data,
            agent_id=self.agent_id,
            executor_id=self.executor_id,
            timestamp=now,
            uuid=uuid,
        )
        update = StatusUpdate(framework_id=self.framework_id, status=status, latest_state=state)
        self.updates[uuid] = update
        return update

    def acknowledge(self, event: StatusUpdateAcknowledgement) -> None:
        """The agent has recorded the update, so it knows the update's task as well (TK-69)."""
        self.updates.pop(event.uuid, None)
        self.tasks.pop(event.task_id, None)
