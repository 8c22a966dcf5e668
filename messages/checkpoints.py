"""Nouns that an agent keeps in its store, so that a restarted agent finds its id and its checkpointed work (AG-1).

Key and record: `agent` AgentInfo; `framework/F` FrameworkCheckpoint; `executor/F/E` ExecutorCheckpoint;
`task/F/T` TaskCheckpoint; `update/F/T/N` StatusUpdate, until acknowledged; `drain` DrainConfig, while draining.
"""

from __future__ import annotations

from attrs import frozen

from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ExecutorId, FrameworkId
from mesolite.messages.tasks import Cause, ExecutorInfo, TaskInfo, TaskState


@frozen(kw_only=True)
class FrameworkCheckpoint:
    """A framework with something on this agent, and where its scheduler was."""

    framework_info: FrameworkInfo
    scheduler: str


@frozen(kw_only=True)
class ExecutorCheckpoint:
    """An executor on this agent: the actor it runs as, and whether it had registered. `info` None: command executor."""

    framework_id: FrameworkId
    executor_id: ExecutorId
    info: ExecutorInfo | None
    pid: str
    run: int
    registered: bool
    shutdown_grace_s: float
    sandbox: str = ""


@frozen(kw_only=True)
class TaskCheckpoint:
    """A task on this agent and its newest state. `kill_cause`: why it is being killed, None if it is not."""

    framework_id: FrameworkId
    executor_id: ExecutorId
    task: TaskInfo
    state: TaskState
    delivered: bool
    launched_at: float = 0.0
    kill_cause: Cause | None = None
