"""What an agent and its master say to each other (drain.md sections 1 to 4)."""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.base import Message
from mesolite.messages.drains import DrainConfig
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId
from mesolite.messages.infos import AgentInfo, ExecutorSummary
from mesolite.messages.tasks import Task


@frozen(kw_only=True)
class RegisterAgent(Message):
    """Agent to master: admit me, I have no id yet (1.1.4).

    `life`: which of the agent's lives says so; 0: it is not said. Ours.
    """

    agent: AgentInfo
    life: int = 0


@frozen(kw_only=True)
class AgentRegistered(Message):
    """Master to agent: you are admitted under this id; expect pings within the total time-out (1.2.6).

    `life`: that of the agent which the master has heard, as in `AgentReregistered`.
    """

    agent_id: AgentId
    total_ping_timeout_s: float
    life: int = 0


@frozen(kw_only=True)
class ReregisterAgent(Message):
    """Agent to master: I have an id, and this is everything I hold (1.1.5).

    `life`: which of the agent's lives says so; 0: it is not said. Ours.
    """

    agent: AgentInfo
    frameworks: tuple[FrameworkInfo, ...] = ()
    tasks: tuple[Task, ...] = ()
    executors: tuple[ExecutorSummary, ...] = ()
    life: int = 0


@frozen(kw_only=True)
class Reconciliation:
    """The tasks and executors of one framework that the master has and the agent did not report (1.3.5 step 2)."""

    framework_info: FrameworkInfo
    scheduler: str
    task_ids: tuple[TaskId, ...]
    executor_ids: tuple[ExecutorId, ...] = ()


@frozen(kw_only=True)
class AgentReregistered(Message):
    """Master to agent: you are back; tell what became of these (1.3.5, 1.3.9).

    `life`: that of the agent which the master has heard; its next life must not take this for an answer of its own.
    Ours: what Mesos says to an address, whoever has it then may hear.
    """

    agent_id: AgentId
    total_ping_timeout_s: float
    reconciliations: tuple[Reconciliation, ...] = ()
    life: int = 0


@frozen(kw_only=True)
class PingAgent(Message):
    """Master to agent: are you there? `connected` is the master's view of the link (1.4.1)."""

    connected: bool


@frozen(kw_only=True)
class PongAgent(Message):
    """Agent to master: I am (1.4.4)."""


@frozen(kw_only=True)
class UnregisterAgent(Message):
    """Agent to master: I am leaving for good, before I shut down (2.1.2)."""

    agent_id: AgentId


@frozen(kw_only=True)
class ShutdownAgent(Message):
    """Master to agent: shut down; you are not wanted here (2.2.3). `gone`: nor ever again under your id (4.7.7)."""

    reason: str
    gone: bool = False


@frozen(kw_only=True)
class DrainAgent(Message):
    """Master to agent: kill everything under you and take nothing new (4.3.5). Repeating it is harmless."""

    config: DrainConfig


@frozen(kw_only=True)
class AgentDrained(Message):
    """Agent to master: told to drain, I have nothing alive and nothing unacknowledged left.

    Ours: Mesos's master goes by its own books alone, and can announce the end of a drain too early (4.5.3, 4.5.4).
    """

    agent_id: AgentId


@frozen(kw_only=True)
class RevokeTask(Message):
    """Master to agent: end this task, its resources were not returned in time (docs/reclaim.md). Ours."""

    framework_id: FrameworkId
    task_id: TaskId


@frozen(kw_only=True)
class RevokeExecutor(Message):
    """Master to agent: shut this executor down, the resources it holds itself are wanted too. Ours."""

    framework_id: FrameworkId
    executor_id: ExecutorId


@frozen(kw_only=True)
class ShutdownFramework(Message):
    """Master to agent: end everything of this framework (core.md FW-36)."""

    framework_id: FrameworkId


@frozen(kw_only=True)
class UpdateFramework(Message):
    """Master to agent: this framework's scheduler is here now (core.md FW-22, FW-23)."""

    framework_info: FrameworkInfo
    scheduler: str


@frozen(kw_only=True)
class ExitedExecutor(Message):
    """Agent to master, master to scheduler: a custom executor has ended; status -1 if not known (core.md TK-57)."""

    agent_id: AgentId
    framework_id: FrameworkId
    executor_id: ExecutorId
    status: int
