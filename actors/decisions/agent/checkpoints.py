"""What the agent writes to its store before it acts (core.md AG-1): its id and its drain, the rest if frameworks ask.

A write costs the same however much is stored: one record per thing, keys as in messages/checkpoints.py.
"""

from __future__ import annotations

from mesolite.actors.decisions.agent.state import (
    AgentState,
    ExecutorPhase,
    ExecutorRecord,
    FrameworkRecord,
    TaskRecord,
)
from mesolite.messages.checkpoints import ExecutorCheckpoint, FrameworkCheckpoint, TaskCheckpoint
from mesolite.messages.ids import ExecutorId, TaskId
from mesolite.messages.relayed import StatusUpdate


def _write(a: AgentState, framework: FrameworkRecord, key: str, record: object) -> None:
    if framework.info.checkpoint:
        a.writes.changes[key] = record


def agent(a: AgentState) -> None:
    """Keep the id across restarts (drain.md 2.1.11)."""
    a.writes.changes["agent"] = a.info


def drop_agent(a: AgentState) -> None:
    """The next life is another agent."""
    a.writes.changes["agent"] = None


def drain(a: AgentState) -> None:
    """Keep that it drains, and how, whoever has tasks here (4.4.3)."""
    a.writes.changes["drain"] = a.drain


def framework(a: AgentState, record: FrameworkRecord) -> None:
    """Keep who the framework is and where its scheduler was."""
    if not record.info.checkpoint:
        return
    stored = FrameworkCheckpoint(framework_info=record.info, scheduler=record.scheduler)
    _write(a, record, f"framework/{record.id}", stored)


def drop_framework(a: AgentState, record: FrameworkRecord) -> None:
    """Nothing of it is here any more."""
    _write(a, record, f"framework/{record.id}", None)


def executor(a: AgentState, owner: FrameworkRecord, record: ExecutorRecord) -> None:
    """Keep an executor, and whether it has registered."""
    if not owner.info.checkpoint:
        return
    stored = ExecutorCheckpoint(
        framework_id=owner.id,
        executor_id=record.id,
        info=record.info,
        pid=record.pid,
        run=record.run,
        registered=record.phase is not ExecutorPhase.REGISTERING,
        shutdown_grace_s=record.shutdown_grace_s,
        sandbox=record.sandbox,
    )
    _write(a, owner, f"executor/{owner.id}/{record.id}", stored)


def drop_executor(a: AgentState, owner: FrameworkRecord, record: ExecutorRecord) -> None:
    """It is gone, with all its tasks."""
    _write(a, owner, f"executor/{owner.id}/{record.id}", None)
    for task_id in record.tasks:
        drop_task(a, owner, task_id)


def task(a: AgentState, owner: FrameworkRecord, executor_id: ExecutorId, record: TaskRecord) -> None:
    """Keep a task and its newest state."""
    if not owner.info.checkpoint:
        return
    stored = TaskCheckpoint(
        framework_id=owner.id,
        executor_id=executor_id,
        task=record.info,
        state=record.state,
        delivered=record.delivered,
        launched_at=record.launched_at,
        kill_cause=record.kill_cause,
    )
    _write(a, owner, f"task/{owner.id}/{record.info.task_id}", stored)


def drop_task(a: AgentState, owner: FrameworkRecord, task_id: TaskId) -> None:
    """Its end was acknowledged."""
    _write(a, owner, f"task/{owner.id}/{task_id}", None)


def update(a: AgentState, owner: FrameworkRecord, number: int, stored: StatusUpdate) -> None:
    """Keep an update until it is acknowledged."""
    _write(a, owner, f"update/{owner.id}/{stored.status.task_id}/{number:06}", stored)


def drop_update(a: AgentState, owner: FrameworkRecord, task_id: TaskId, number: int) -> None:
    """It was acknowledged."""
    _write(a, owner, f"update/{owner.id}/{task_id}/{number:06}", None)
