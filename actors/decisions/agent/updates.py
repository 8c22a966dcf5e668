"""Reliable status updates: stored, forwarded one at a time per task, acknowledged, retried (drain.md 0.2.12 to 0.2.15).

executor --StatusUpdate--> [stream of the task] --head--> master --> scheduler
<--ack once stored--                    <--ack pops the head, the next goes--
"""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.agent import checkpoints, executors
from mesolite.actors.decisions.agent.state import AgentState, FrameworkRecord, Phase, TaskKey, TaskRecord, UpdateStream
from mesolite.actors.decisions.contract import TimerFired
from mesolite.messages.frameworks import Capability
from mesolite.messages.ids import ExecutorId, TaskId, UpdateId
from mesolite.messages.relayed import StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.tasks import Reason, Source, TaskState, TaskStatus


def received(a: AgentState, message: StatusUpdate, sender: str, now: float) -> None:
    """An executor reports (0.2.15, TK-5 to TK-9, TK-16, TK-61)."""
    framework = a.frameworks.get(message.framework_id)
    status = message.status
    if framework is None or framework.terminating or status.uuid is None:
        return
    if status.agent_id is None or status.agent_id != a.id:
        return
    executor = next((known for known in framework.executors.values() if known.party == sender), None)
    if executor is None:
        return
    if status.state is TaskState.TASK_STAGING:
        executors.shut_down(a, framework, executor)  # an executor may never send it (TK-5)
        return
    stream = a.streams.get((framework.id, status.task_id))
    if stream is None or status.uuid not in stream.seen:
        own = attrs.evolve(status, source=Source.SOURCE_EXECUTOR, executor_id=executor.id)
        _take(a, framework, own)
    a.send(
        sender,
        StatusUpdateAcknowledgement(
            framework_id=framework.id, agent_id=status.agent_id, task_id=status.task_id, uuid=status.uuid
        ),
    )


def _take(a: AgentState, framework: FrameworkRecord, status: TaskStatus) -> None:
    """Put what an executor says on record; whose task it is does not matter (TK-63)."""
    found = a.find_task(framework, status.task_id)
    if found is None:
        # Its end was acknowledged, so nothing is on record any more: pass on what is said of it all the same.
        _append(a, framework, status, status.state)
    elif not (found[1].state.is_terminal and status.state.is_terminal):  # TK-61
        executor, task = found
        _store(a, framework, executor.id, task, status)


def make(
    a: AgentState,
    framework: FrameworkRecord,
    executor_id: ExecutorId | None,
    task: TaskRecord,
    state: TaskState,
    reason: Reason,
    message: str,
    now: float,
) -> None:
    """The agent itself reports on a task, as reliably as an executor would."""
    _store(a, framework, executor_id, task, _own_status(a, task.info.task_id, executor_id, state, reason, message, now))


def drop(a: AgentState, framework: FrameworkRecord, task_id: TaskId, reason: Reason, message: str, now: float) -> None:
    """Report a task this agent never ran or does not have: DROPPED where understood, else LOST."""
    aware = framework.info.can(Capability.PARTITION_AWARE)
    state = TaskState.TASK_DROPPED if aware else TaskState.TASK_LOST
    status = _own_status(a, task_id, None, state, reason, message, now)
    _append(a, framework, status, state)


def _own_status(
    a: AgentState,
    task_id: TaskId,
    executor_id: ExecutorId | None,
    state: TaskState,
    reason: Reason,
    message: str,
    now: float,
) -> TaskStatus:
    uuid = UpdateId(f"{a.name}.{a.incarnation}:{a.next_update}")
    a.next_update += 1
    return TaskStatus(
        task_id=task_id,
        agent_id=a.id,
        executor_id=executor_id,
        state=state,
        source=Source.SOURCE_AGENT,
        reason=reason,
        message=message,
        timestamp=now,
        uuid=uuid,
    )


def _store(
    a: AgentState, framework: FrameworkRecord, executor_id: ExecutorId | None, task: TaskRecord, status: TaskStatus
) -> None:
    if not task.state.is_terminal:
        task.state = status.state
        if executor_id is not None:
            checkpoints.task(a, framework, executor_id, task)
    _append(a, framework, status, task.state)


def _append(a: AgentState, framework: FrameworkRecord, status: TaskStatus, latest: TaskState) -> None:
    """Put an update at the end of its task's stream; as the head it goes out at once."""
    key = (framework.id, status.task_id)
    stream = a.streams.setdefault(key, UpdateStream())
    assert status.uuid is not None
    stream.seen[status.uuid] = None
    update = StatusUpdate(framework_id=framework.id, status=status, latest_state=latest)
    stream.updates.append(update)
    checkpoints.update(a, framework, stream.first + len(stream.updates) - 1, update)
    if len(stream.updates) == 1:
        _forward(a, key, stream, a.settings.status_update_retry_s)


def _forward(a: AgentState, key: TaskKey, stream: UpdateStream, retry_s: float) -> None:
    """Send the head, with the newest state known beside it (TK-25), and plan its repetition (0.2.13)."""
    if a.phase is not Phase.RUNNING or not stream.updates:
        return  # registration resumes it (0.2.14); a stream that is all acknowledged stays open until its task ends
    head = stream.updates[0]
    stream.retry_s = retry_s
    stream.forwarded = head
    latest = stream.updates[-1].status.state
    a.send_to_leader(head if latest is head.latest_state else attrs.evolve(head, latest_state=latest))
    a.set_timer(("update", *key), retry_s)


def retry(a: AgentState, event: TimerFired, sender: str, now: float) -> None:
    """Nobody acknowledged the head in time: send it again, and wait twice as long (0.2.13)."""
    _, framework_id, task_id = event.key
    key = (framework_id, task_id)
    stream = a.streams.get(key)
    if stream is not None:
        _forward(a, key, stream, min(stream.retry_s * 2, a.settings.status_update_retry_max_s))


def resume(a: AgentState) -> None:
    """(Re-)registered: send every head at once, intervals start over (0.2.13, TK-12)."""
    for key, stream in a.streams.items():
        _forward(a, key, stream, a.settings.status_update_retry_s)


def resume_framework(a: AgentState, framework: FrameworkRecord) -> None:
    """The framework's scheduler is somewhere else now: send it every head at once (TK-12)."""
    for key, stream in a.streams.items():
        if key[0] == framework.id:
            _forward(a, key, stream, a.settings.status_update_retry_s)


def acknowledged(a: AgentState, message: StatusUpdateAcknowledgement, sender: str, now: float) -> None:
    """The scheduler has the head: pop it, send the next; after a terminal one the stream closes (TK-15, TK-17)."""
    key = (message.framework_id, message.task_id)
    stream = a.streams.get(key)
    if sender != a.leader or stream is None or not stream.updates or stream.updates[0].status.uuid != message.uuid:
        return
    framework = a.frameworks[message.framework_id]
    head = stream.updates.pop(0)
    checkpoints.drop_update(a, framework, message.task_id, stream.first)
    stream.first += 1
    known = a.find_task(framework, message.task_id) is not None
    if head.status.state.is_terminal or not (known or stream.updates):
        close(a, framework, message.task_id)
        executors.task_done(a, framework, message.task_id)
    elif stream.updates:
        _forward(a, key, stream, a.settings.status_update_retry_s)
    else:
        a.cancel_timer(("update", *key))


def close(a: AgentState, framework: FrameworkRecord, task_id: TaskId) -> None:
    """Forget a task's updates, acknowledged or not (TK-17, 2.1.7)."""
    stream = a.streams.pop((framework.id, task_id), None)
    if stream is not None:
        a.cancel_timer(("update", framework.id, task_id))
        for offset in range(len(stream.updates)):
            checkpoints.drop_update(a, framework, task_id, stream.first + offset)
