"""Why a task was killed or lost: what every update says about it on its way through the agent (drain.md 4.4.6)."""

from __future__ import annotations

from mesolite.actors.decisions.agent.state import AgentState, FrameworkRecord, TaskRecord
from mesolite.messages.checking import evolve
from mesolite.messages.frameworks import Capability
from mesolite.messages.tasks import Cause, Reason, TaskState, TaskStatus

_KILLS = (TaskState.TASK_KILLING, TaskState.TASK_KILLED)

SAID_BY_EXECUTORS = {
    TaskState.TASK_DROPPED: Cause.NEVER_STARTED,
    TaskState.TASK_LOST: Cause.EXECUTOR_DIED,
    TaskState.TASK_UNREACHABLE: Cause.EXECUTOR_DIED,
    TaskState.TASK_GONE: Cause.EXECUTOR_DIED,
    TaskState.TASK_GONE_BY_OPERATOR: Cause.EXECUTOR_DIED,
}
"""What it means if an executor itself reports a loss: it is the executor that has lost the task."""


def explained(a: AgentState, framework: FrameworkRecord, task: TaskRecord | None, status: TaskStatus) -> TaskStatus:
    """The update with the reason and cause of a kill in it. A drain wins over all others (4.4.6).

    A killed task of a partition-aware framework is GONE_BY_OPERATOR if the agent is to be marked gone. TASK_KILLING
    stays what it is: in Mesos it becomes terminal too, while the task is still within its grace (10.5).
    """
    if status.state not in _KILLS:
        return status
    if a.drain is not None:
        gone = a.drain.mark_gone and framework.info.can(Capability.PARTITION_AWARE)
        state = TaskState.TASK_GONE_BY_OPERATOR if gone and status.state.is_terminal else status.state
        return evolve(status, state=state, reason=Reason.REASON_AGENT_DRAINING, cause=Cause.DRAINED)
    cause = (task.kill_cause if task is not None else None) or Cause.KILLED
    if cause is Cause.REVOKED:
        return evolve(status, reason=Reason.REASON_RESOURCES_REVOKED, cause=cause)
    return evolve(status, cause=cause)


def of(a: AgentState, framework: FrameworkRecord, task: TaskRecord) -> Cause | None:
    """Why the task is in the state it is in, for a master that may not have heard it; None if nothing ends it."""
    stream = a.streams.get((framework.id, task.info.task_id))
    for update in reversed(stream.updates if stream is not None else []):
        if update.status.state is task.state:
            return update.status.cause
    return (task.kill_cause or Cause.KILLED) if task.state is TaskState.TASK_KILLING else None
