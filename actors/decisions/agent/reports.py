"""What comes in about tasks: executors report, schedulers acknowledge (drain.md 0.2.15; core.md TK-5 to TK-17)."""

from __future__ import annotations

from mesolite.actors.decisions.agent import causes, checkpoints, executors, revocation, updates
from mesolite.actors.decisions.agent.state import AgentState, ExecutorRecord, FrameworkRecord
from mesolite.actors.decisions.agent.timers import UpdateRetry
from mesolite.actors.decisions.rules import sandboxes
from mesolite.messages.checking import evolve
from mesolite.messages.relayed import StatusUpdate, StatusUpdateAcknowledgement
from mesolite.messages.tasks import ContainerStatus, Source, TaskState, TaskStatus

NOT_FOR_EXECUTORS = (TaskState.TASK_STAGING, TaskState.TASK_UNREACHABLE, TaskState.TASK_UNKNOWN)
"""What an executor may never send: Mesos shuts down one that sends TASK_STAGING (TK-5); the other two only masters
say (TK-4), and would let go of the resources of a task that runs on."""


def received(a: AgentState, message: StatusUpdate, sender: str, now: float) -> None:
    """An executor reports (0.2.15, TK-5 to TK-9, TK-16, TK-61)."""
    framework = a.frameworks.get(message.framework_id)
    status = message.status
    if framework is None or framework.terminating or status.uuid is None:
        return
    if status.agent_id is None or status.agent_id != a.id:
        return
    owner, executor = a.executor_of_pid.get(sender, (None, None))
    if executor is None or owner is not framework:
        return
    if status.state in NOT_FOR_EXECUTORS:
        executors.expel(a, framework, executor, f"{status.state} is not an executor's to say")
        return
    stream = a.streams.get((framework.id, status.task_id))
    if stream is None or status.uuid not in stream.seen:
        cause = causes.SAID_BY_EXECUTORS.get(status.state)
        own = status
        if (status.source, status.executor_id, status.cause) != (Source.SOURCE_EXECUTOR, executor.id, cause):
            own = evolve(status, source=Source.SOURCE_EXECUTOR, executor_id=executor.id, cause=cause)
        if a.info.port:
            own = evolve(own, container=container_of(a, executor))
        _take(a, framework, own)
    a.send(
        sender,
        StatusUpdateAcknowledgement(
            framework_id=framework.id, agent_id=status.agent_id, task_id=status.task_id, uuid=status.uuid
        ),
    )


def container_of(a: AgentState, executor: ExecutorRecord) -> ContainerStatus:
    """Where an executor runs (http.md HT-178)."""
    return ContainerStatus(container_id=sandboxes.container_id(a.name, executor.sandbox), ip=a.info.ip)


def _take(a: AgentState, framework: FrameworkRecord, status: TaskStatus) -> None:
    """Put what an executor says on record; whose task it is does not matter (TK-63)."""
    found = a.find_task(framework, status.task_id)
    if found is None:
        # Its end was acknowledged, so nothing is on record any more: pass on what is said of it all the same.
        status = causes.explained(a, framework, None, status)
        updates.append(a, framework, status, status.state)
    elif not (found[1].state.is_terminal and status.state.is_terminal):  # TK-61
        executor, task = found
        updates.store(a, framework, executor.id, task, status)
        revocation.look(a, framework, executor)


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
        updates.close(a, framework, message.task_id)
        executors.task_done(a, framework, message.task_id)
    elif stream.updates:
        updates.forward(a, key, stream, a.settings.status_update_retry_s)
    else:
        a.cancel_timer(UpdateRetry(*key))
