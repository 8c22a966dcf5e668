"""Tasks: updates on their way up, acknowledgements and kills on their way down, and what the master says itself
(drain.md 0.2.8 to 0.2.12, 3.3; core.md TK-22 to TK-30, RC-1 to RC-8).
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import ExitedExecutor, Reconciliation
from mesolite.messages.checking import evolve, unchecked
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.scheduler import ReconcileTasks
from mesolite.messages.tasks import Cause, Reason, Source, TaskState, TaskStatus


@frozen(kw_only=True)
class Loss:
    """Why the master itself ends tasks, or loses sight of them, and how it says so (drain.md 2.4).

    `state` is for partition-aware frameworks; the others are told LOST, and `reason_if_lost` if there is one.
    """

    state: TaskState
    reason: Reason
    cause: Cause
    message: str
    reason_if_lost: Reason | None = None
    unreachable_time: float | None = None


def set_state(m: MasterState, task: TaskRecord, state: TaskState, now: float, cause: Cause | None = None) -> None:
    """Record a task's newest state, and the cause if it was lost or killed.

    A terminal one stays (0.2.10); resources return when it first lets go (0.2.11).
    """
    if task.state.is_terminal:
        return
    held = task.state.holds_resources
    task.state, task.cause = state, cause
    if state is TaskState.TASK_LOST:
        m.counters.tasks_lost += 1
    if held and not state.holds_resources:
        m.recover(task.framework_id, task.agent_id, task.resources, now)


def lose(m: MasterState, framework: FrameworkRecord, task: TaskRecord, loss: Loss, now: float) -> None:
    """The master itself ends a task of a registered agent, or loses sight of it, and says so once."""
    agent = m.agents[task.agent_id]
    let_go(agent, task)
    del framework.tasks[task.task_id]
    give_up(m, framework, task, loss, now)


def give_up(m: MasterState, framework: FrameworkRecord, task: TaskRecord, loss: Loss, now: float) -> None:
    """A task that is on no list any more becomes history."""
    state, reason = framework.info.or_lost(loss.state), loss.reason
    if state is TaskState.TASK_LOST and loss.reason_if_lost is not None:
        reason = loss.reason_if_lost
    set_state(m, task, state, now, loss.cause)
    cut_off = loss.unreachable_time is not None
    remember(m, framework.unreachable_tasks if cut_off else framework.completed_tasks, task)
    m.tell(
        framework,
        unchecked(TaskStatus)(
            task_id=task.task_id,
            agent_id=task.agent_id,
            executor_id=task.executor_id,
            state=state,
            source=Source.SOURCE_MASTER,
            reason=reason,
            message=loss.message,
            timestamp=now,
            unreachable_time=loss.unreachable_time,
            cause=loss.cause,
        ),
    )


def let_go(agent: AgentRecord, task: TaskRecord) -> None:
    """Forget that this agent has that task."""
    agent.tasks.pop(task.key, None)
    # Or a later task of that id would be killed (RC-27).
    agent.kills.pop(task.key, None)
    agent.revokes.pop(task.key, None)


def remember(m: MasterState, history: dict[TaskId, TaskRecord], task: TaskRecord) -> None:
    """Put a task at the end of a bounded history (FW-37)."""
    history.pop(task.task_id, None)
    history[task.task_id] = task
    while len(history) > m.settings.completed_tasks_max:
        del history[next(iter(history))]


def update(m: MasterState, message: StatusUpdate, sender: str, now: float) -> None:
    """An agent reports: record the newest state, forward the update, remember what was forwarded (TK-22 to TK-30)."""
    agent = m.agent_at(message.status.agent_id, sender)
    framework = m.frameworks.get(message.framework_id)
    if agent is None or framework is None:
        return
    m.send_to_framework(framework, message)
    agent.drained = False  # what it may have said of an earlier drain holds no longer
    task = agent.tasks.get((message.framework_id, message.status.task_id))
    if task is None:
        return  # forwarded all the same (TK-24)
    set_state(m, task, message.latest_state, now)
    if message.status.state is task.state:
        task.cause = message.status.cause  # that of the newest state may be still to come
    if framework.connected:
        task.status_update_state = message.status.state
        task.status_update_uuid = message.status.uuid
        task.unacknowledged = True


def acknowledge(m: MasterState, message: StatusUpdateAcknowledgement, sender: str, now: float) -> None:
    """The scheduler has taken an update: a task whose terminal update that was is done with (TK-27 to TK-29)."""
    framework = m.caller(message.framework_id, sender)
    agent = m.agents.get(message.agent_id)
    if framework is None or agent is None or not agent.connected:
        return
    task = agent.tasks.get((message.framework_id, message.task_id))
    if task is not None:
        if task.status_update_uuid is None or task.status_update_state is None:
            return
        if task.status_update_uuid == message.uuid:
            task.unacknowledged = False
        if task.status_update_state.is_terminal and task.status_update_uuid == message.uuid:
            # Its newest state may be another, and hold resources.
            set_state(m, task, task.status_update_state, now, task.cause)
            let_go(agent, task)
            del framework.tasks[task.task_id]
            remember(m, framework.completed_tasks, task)
    m.send(agent.party, message)


def kill(m: MasterState, message: KillTask, sender: str, now: float) -> None:
    """The scheduler wants a task ended (3.3.1, TK-41 to TK-43)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    task = framework.tasks.get(message.task_id)
    if task is None:
        asked = unchecked(TaskStatus)(task_id=message.task_id, state=TaskState.TASK_STAGING, agent_id=message.agent_id)
        _reconcile_one(m, framework, asked, now)
        return
    if message.agent_id is not None and message.agent_id != task.agent_id:
        return
    agent = m.agents[task.agent_id]
    agent.kills[task.key] = message.kill_policy
    if agent.connected:
        m.send(agent.party, message)


def exited_executor(m: MasterState, message: ExitedExecutor, sender: str, now: float) -> None:
    """A custom executor has ended: its resources return, its scheduler is told (TK-57, TK-59)."""
    agent = m.agent_at(message.agent_id, sender)
    if agent is None:
        return
    resources = agent.executors.pop((message.framework_id, message.executor_id), None)
    if resources is None:
        return
    m.recover(message.framework_id, agent.id, resources, now)
    m.send_to_framework(m.frameworks[message.framework_id], message)


def reconciliations(
    m: MasterState, missing: Iterable[TaskRecord], executors: Iterable[tuple[FrameworkId, ExecutorId]] = ()
) -> tuple[Reconciliation, ...]:
    """The question to an agent what became of these tasks and executors, framework by framework (1.3.5 step 2)."""
    task_ids: dict[FrameworkId, list[TaskId]] = {}
    executor_ids: dict[FrameworkId, list[ExecutorId]] = {}
    for task in missing:
        task_ids.setdefault(task.framework_id, []).append(task.task_id)
    for framework_id, executor_id in executors:
        executor_ids.setdefault(framework_id, []).append(executor_id)
    return tuple(
        Reconciliation(
            framework_info=m.frameworks[framework_id].info,
            scheduler=m.frameworks[framework_id].party or "",
            task_ids=tuple(task_ids.get(framework_id, ())),
            executor_ids=tuple(executor_ids.get(framework_id, ())),
        )
        for framework_id in dict.fromkeys((*task_ids, *executor_ids))
    )


def to_executor(m: MasterState, message: FrameworkToExecutor, sender: str, now: float) -> None:
    """Pass a scheduler's message on, best effort (TK-71)."""
    agent = m.agents.get(message.agent_id)
    if m.caller(message.framework_id, sender) is not None and agent is not None and agent.connected:
        m.send(agent.party, message)


def to_framework(m: MasterState, message: ExecutorToFramework, sender: str, now: float) -> None:
    """Pass an executor's message on, best effort (TK-71)."""
    framework = m.frameworks.get(message.framework_id)
    if m.agent_at(message.agent_id, sender) is not None and framework is not None:
        m.send_to_framework(framework, message)


def reconcile(m: MasterState, message: ReconcileTasks, sender: str, now: float) -> None:
    """Say what is known of these tasks, or of all of the framework's (RC-1 to RC-4)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    if message.statuses:
        for status in message.statuses:
            _reconcile_one(m, framework, status, now)
        return
    for task in list(framework.tasks.values()):
        _answer_known(m, framework, task, now)


def _reconcile_one(m: MasterState, framework: FrameworkRecord, asked: TaskStatus, now: float) -> None:
    """The first row that fits answers (RC-4; drain.md 1.10.1)."""
    task = framework.tasks.get(asked.task_id)
    agent_id = asked.agent_id
    if task is not None:
        _answer_known(m, framework, task, now)
    elif (agent_id is None and m.recovered) or agent_id in m.recovered:
        return  # it may yet come back with the task
    elif agent_id in m.agents:
        _answer_unknown(m, framework, asked, TaskState.TASK_GONE, now)
    elif agent_id in m.unreachable:
        time = m.unreachable[agent_id]
        _answer_unknown(m, framework, asked, TaskState.TASK_UNREACHABLE, now, Cause.UNREACHABLE, time)
    elif agent_id in m.gone:
        _answer_unknown(m, framework, asked, TaskState.TASK_GONE_BY_OPERATOR, now, Cause.GONE)
    else:
        _answer_unknown(m, framework, asked, TaskState.TASK_UNKNOWN, now)


def _answer_known(m: MasterState, framework: FrameworkRecord, task: TaskRecord, now: float) -> None:
    state = task.status_update_state or task.state
    status = unchecked(TaskStatus)(task_id=task.task_id, agent_id=task.agent_id, state=state)
    _answer(m, framework, status, now, task.cause if state is task.state else None)


def _answer_unknown(
    m: MasterState,
    framework: FrameworkRecord,
    asked: TaskStatus,
    state: TaskState,
    now: float,
    cause: Cause | None = None,
    unreachable_time: float | None = None,
) -> None:
    """The task is on no list of the living. What it once ended of is repeated, if that is remembered."""
    past = framework.unreachable_tasks.get(asked.task_id) or framework.completed_tasks.get(asked.task_id)
    if past is not None and past.cause is not None:
        cause = past.cause
    state = framework.info.or_lost(state)
    status = unchecked(TaskStatus)(
        task_id=asked.task_id, agent_id=asked.agent_id, state=state, unreachable_time=unreachable_time
    )
    _answer(m, framework, status, now, cause)


def _answer(m: MasterState, framework: FrameworkRecord, status: TaskStatus, now: float, cause: Cause | None) -> None:
    m.tell(
        framework,
        evolve(
            status,
            source=Source.SOURCE_MASTER,
            reason=Reason.REASON_RECONCILIATION,
            message="the latest state the master knows",
            timestamp=now,
            cause=cause,
        ),
    )
