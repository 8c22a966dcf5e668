"""What travels over several hops: scheduler, master, agent, executor, and back (drain.md 0.2.12).

Each hop checks who sent it; none of them changes what it means.
"""

from __future__ import annotations

from attrs import field, frozen

from mesolite.messages.base import ExecutorCall, FrameworkCall, Message
from mesolite.messages.data import Data, as_data
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId, UpdateId
from mesolite.messages.tasks import KillPolicy, TaskInfo, TaskState, TaskStatus


@frozen(kw_only=True)
class RunTask(Message):
    """Master to agent, agent to executor: run this. `launch_executor` says the master expects a new one (OF-67).

    `launched_at` is when the master launched it: revocation takes the newest first, and a later master must know.
    """

    framework_id: FrameworkId
    framework_info: FrameworkInfo
    scheduler: str
    task: TaskInfo
    launch_executor: bool = False
    launched_at: float = 0.0


@frozen(kw_only=True)
class KillTask(FrameworkCall):
    """Scheduler to master, master to agent, agent to executor: end this task (drain.md 3.3)."""

    framework_id: FrameworkId
    task_id: TaskId
    agent_id: AgentId | None = None
    kill_policy: KillPolicy | None = None


@frozen(kw_only=True)
class ShutdownExecutorOf(FrameworkCall):
    """Scheduler to master, master to agent: end that executor and its tasks (http.md HT-143)."""

    framework_id: FrameworkId
    agent_id: AgentId
    executor_id: ExecutorId


@frozen(kw_only=True)
class StatusUpdate(ExecutorCall):
    """Executor to agent, agent to master, master to scheduler: the task is in this state (core.md TK-25).

    `latest_state` is the newest the agent knows, which may be ahead of the status being delivered.
    """

    framework_id: FrameworkId
    status: TaskStatus
    latest_state: TaskState


@frozen(kw_only=True)
class StatusUpdateAcknowledgement(FrameworkCall):
    """Scheduler to master, master to agent; agent to executor: the update with this uuid was taken (core.md TK-14)."""

    framework_id: FrameworkId
    agent_id: AgentId
    task_id: TaskId
    uuid: UpdateId


@frozen(kw_only=True)
class FrameworkToExecutor(FrameworkCall):
    """Scheduler to executor, best effort (core.md TK-71)."""

    framework_id: FrameworkId
    agent_id: AgentId
    executor_id: ExecutorId
    data: Data = field(converter=as_data)


@frozen(kw_only=True)
class ExecutorToFramework(ExecutorCall):
    """Executor to scheduler, best effort (core.md TK-71)."""

    framework_id: FrameworkId
    agent_id: AgentId
    executor_id: ExecutorId
    data: Data = field(converter=as_data)
