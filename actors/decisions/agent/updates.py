"""Streams of status updates, one per task: stored, forwarded one at a time, retried (drain.md 0.2.12, 0.2.13).

Who puts something in, and what takes it out, is in reports.py:

    executor --StatusUpdate--> [stream of the task] --head--> master --> scheduler
             <--ack once stored--            <--ack pops the head, the next goes--
"""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.agent import causes, checkpoints
from mesolite.actors.decisions.agent.state import (
    AgentState,
    Ending,
    FrameworkRecord,
    Phase,
    TaskKey,
    TaskRecord,
    UpdateStream,
)
from mesolite.actors.decisions.agent.timers import UpdateRetry
from mesolite.messages.checking import unchecked
from mesolite.messages.ids import ExecutorId, TaskId, UpdateId
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.tasks import Cause, Reason, Source, TaskState, TaskStatus


def make(
    a: AgentState,
    framework: FrameworkRecord,
    executor_id: ExecutorId | None,
    task: TaskRecord,
    ending: Ending,
    now: float,
) -> None:
    """The agent itself reports the end of a task, as reliably as an executor would."""
    store(a, framework, executor_id, task, _own_status(a, task.info.task_id, executor_id, ending, now))


def drop(
    a: AgentState,
    framework: FrameworkRecord,
    task_id: TaskId,
    reason: Reason,
    message: str,
    now: float,
    executor_id: ExecutorId | None = None,
) -> None:
    """Report a task this agent never ran or does not have: DROPPED where understood, else LOST."""
    ending = Ending(framework.info.or_lost(TaskState.TASK_DROPPED), reason, message, Cause.NEVER_STARTED)
    append(a, framework, _own_status(a, task_id, executor_id, ending, now), ending.state)


def _own_status(
    a: AgentState, task_id: TaskId, executor_id: ExecutorId | None, ending: Ending, now: float
) -> TaskStatus:
    uuid = UpdateId(f"{a.name}.{a.incarnation}:{a.next_update}")
    a.next_update += 1
    return unchecked(TaskStatus)(
        task_id=task_id,
        agent_id=a.id,
        executor_id=executor_id,
        state=ending.state,
        source=Source.SOURCE_AGENT,
        reason=ending.reason,
        message=ending.message,
        timestamp=now,
        uuid=uuid,
        cause=ending.cause,
    )


def store(
    a: AgentState, framework: FrameworkRecord, executor_id: ExecutorId | None, task: TaskRecord, status: TaskStatus
) -> None:
    """Record a task's new state, unless it has ended already, and pass the update on."""
    status = causes.explained(a, framework, task, status)
    task.said(status)
    if not task.state.is_terminal:
        task.state = status.state
        if executor_id is not None:
            checkpoints.task(a, framework, executor_id, task)
    append(a, framework, status, task.state)


def append(a: AgentState, framework: FrameworkRecord, status: TaskStatus, latest: TaskState) -> None:
    """Put an update at the end of its task's stream; as the head it goes out at once."""
    key = (framework.id, status.task_id)
    stream = a.streams.setdefault(key, UpdateStream())
    assert status.uuid is not None
    stream.seen[status.uuid] = None
    update = StatusUpdate(framework_id=framework.id, status=status, latest_state=latest)
    stream.updates.append(update)
    checkpoints.update(a, framework, stream.first + len(stream.updates) - 1, update)
    if len(stream.updates) == 1:
        forward(a, key, stream, a.settings.status_update_retry_s)


def forward(a: AgentState, key: TaskKey, stream: UpdateStream, retry_s: float) -> None:
    """Send the head, with the newest state known beside it (TK-25), and plan its repetition (0.2.13)."""
    if a.phase is not Phase.RUNNING or not stream.updates:
        return  # registration resumes it (0.2.14); a stream that is all acknowledged stays open until its task ends
    head = stream.updates[0]
    stream.retry_s = retry_s
    stream.forwarded = head
    latest = stream.updates[-1].status.state
    a.send_to_leader(head if latest is head.latest_state else attrs.evolve(head, latest_state=latest))
    a.set_timer(UpdateRetry(*key), retry_s)


def retry(a: AgentState, timer: UpdateRetry, sender: str, now: float) -> None:
    """Nobody acknowledged the head in time: send it again, and wait twice as long (0.2.13)."""
    key = (timer.framework_id, timer.task_id)
    stream = a.streams.get(key)
    if stream is not None:
        forward(a, key, stream, min(stream.retry_s * 2, a.settings.status_update_retry_max_s))


def resume(a: AgentState) -> None:
    """(Re-)registered: send every head at once, intervals start over (0.2.13, TK-12)."""
    for key, stream in a.streams.items():
        forward(a, key, stream, a.settings.status_update_retry_s)


def resume_framework(a: AgentState, framework: FrameworkRecord) -> None:
    """The framework's scheduler is somewhere else now: send it every head at once (TK-12)."""
    for key, stream in a.streams.items():
        if key[0] == framework.id:
            forward(a, key, stream, a.settings.status_update_retry_s)


def close(a: AgentState, framework: FrameworkRecord, task_id: TaskId) -> None:
    """Forget a task's updates, acknowledged or not (TK-17, 2.1.7)."""
    stream = a.streams.pop((framework.id, task_id), None)
    if stream is not None:
        a.cancel_timer(UpdateRetry(framework.id, task_id))
        for offset in range(len(stream.updates)):
            checkpoints.drop_update(a, framework, task_id, stream.first + offset)
