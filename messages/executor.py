"""What an executor and its agent say to each other, beside what is relayed (core.md 5.7, 5.8; drain.md 3.1)."""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.base import ExecutorCall, Message
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ExecutorId, FrameworkId
from mesolite.messages.infos import AgentInfo
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.tasks import ExecutorInfo, TaskInfo


@frozen(kw_only=True)
class RegisterExecutor(ExecutorCall):
    """Executor to agent: I am up (TK-65)."""

    framework_id: FrameworkId
    executor_id: ExecutorId


@frozen(kw_only=True)
class ExecutorRegistered(Message):
    """Agent to executor: known; what you are and where (TK-52)."""

    executor_info: ExecutorInfo
    framework_info: FrameworkInfo
    agent_info: AgentInfo


@frozen(kw_only=True)
class ReconnectExecutor(Message):
    """Restarted agent to executor: I am back; tell me what you have (TK-67)."""


@frozen(kw_only=True)
class ReregisterExecutor(ExecutorCall):
    """Executor to restarted agent: the tasks and updates that no acknowledgement has been seen for (TK-67, TK-69).

    `had_task`: it was given a task once, so it may live on without one (TK-60).
    """

    framework_id: FrameworkId
    executor_id: ExecutorId
    had_task: bool = False
    tasks: tuple[TaskInfo, ...] = ()
    updates: tuple[StatusUpdate, ...] = ()


@frozen(kw_only=True)
class ExecutorReregistered(Message):
    """Agent to executor: connected again."""

    agent_info: AgentInfo


@frozen(kw_only=True)
class ShutdownExecutor(Message):
    """Agent to executor: end your tasks and yourself within the grace (drain.md 3.1.2)."""

    grace_s: float
