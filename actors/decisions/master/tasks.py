"""Tasks: updates on their way up, acknowledgements and kills on their way down, and what the master says itself
(drain.md 0.2.8 to 0.2.12, 3.3; core.md TK-22 to TK-30, RC-1 to RC-8).
"""

from __future__ import annotations

from mesolite.actors.decisions.master.records import FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import ExitedExecutor
from mesolite.messages.ids import AgentId, TaskId
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.scheduler import ReconcileTasks
from mesolite.messages.tasks import Reason, Source, TaskState, TaskStatus


def set_state(m: MasterState, task: TaskRecord, state: TaskState, now: float) -> None:
    """Record a task's newest state. A terminal one stays (0.2.10); resources return when it first lets go (0.2.11)."""
    if task.state.is_terminal:
        return
    held = task.state.holds_resources
    task.state = state
    if state is TaskState.TASK_LOST:
        m.counters.tasks_lost += 1
    if held and not state.holds_resources:
        m.recover(task.framework_id, task.agent_id, task.resources, now)


def lose(
    m: MasterState,
    framework: FrameworkRecord,
    task: TaskRecord,
    state: TaskState,
    reason: Reason,
    message: str,
    now: float,
    unreachable_time: float | None = None,
) -> None:
    """The master itself ends a task, or loses sight of it, and says so once."""
    set_state(m, task, state, now)
    agent = m.agents[task.agent_id]
    agent.tasks.pop(task.key, None)
    agent.kills.pop(task.key, None)  # or a later task of that id would be killed (RC-27)
    del framework.tasks[task.task_id]
    remember(m, framework.unreachable_tasks if unreachable_time is not None else framework.completed_tasks, task)
    m.tell(
        framework,
        TaskStatus(
            task_id=task.task_id,
            agent_id=task.agent_id,
            executor_id=task.executor_id,
            state=state,
            source=Source.SOURCE_MASTER,
            reason=reason,
            message=message,
            timestamp=now,
            unreachable_time=unreachable_time,
        ),
    )


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
    task = agent.tasks.get((message.framework_id, message.status.task_id))
    if task is None:
        return  # forwarded all the same (TK-24)
    set_state(m, task, message.latest_state, now)
    if framework.connected:
        task.status_update_state = message.status.state
        task.status_update_uuid = message.status.uuid


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
        if task.status_update_state.is_terminal and task.status_update_uuid == message.uuid:
            set_state(m, task, task.status_update_state, now)  # its newest state may be another, and hold resources
            del agent.tasks[task.key]
            del framework.tasks[task.task_id]
            agent.kills.pop(task.key, None)
            remember(m, framework.completed_tasks, task)
    m.send(agent.party, message)


def kill(m: MasterState, message: KillTask, sender: str, now: float) -> None:
    """The scheduler wants a task ended (3.3.1, TK-41 to TK-43)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    task = framework.tasks.get(message.task_id)
    if task is None:
        asked = TaskStatus(task_id=message.task_id, state=TaskState.TASK_STAGING, agent_id=message.agent_id)
        _reconcile_one(m, framework, asked, now)
        return
    if message.agent_id is not None and message.agent_id != task.agent_id:
        return
    agent = m.agents[task.agent_id]
    agent.kills[task.key] = None
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
        _answer(m, framework, task.task_id, task.agent_id, task.status_update_state or task.state, now)


def _reconcile_one(m: MasterState, framework: FrameworkRecord, asked: TaskStatus, now: float) -> None:
    """The first row that fits answers (RC-4; drain.md 1.10.1)."""
    task = framework.tasks.get(asked.task_id)
    or_lost, agent_id = framework.info.or_lost, asked.agent_id
    if task is not None:
        _answer(m, framework, task.task_id, task.agent_id, task.status_update_state or task.state, now)
    elif (agent_id is None and m.recovered) or agent_id in m.recovered:
        return  # it may yet come back with the task
    elif agent_id in m.agents:
        _answer(m, framework, asked.task_id, agent_id, or_lost(TaskState.TASK_GONE), now)
    elif agent_id in m.unreachable:
        state = or_lost(TaskState.TASK_UNREACHABLE)
        _answer(m, framework, asked.task_id, agent_id, state, now, m.unreachable[agent_id])
    else:
        _answer(m, framework, asked.task_id, agent_id, or_lost(TaskState.TASK_UNKNOWN), now)


def _answer(
    m: MasterState,
    framework: FrameworkRecord,
    task_id: TaskId,
    agent_id: AgentId | None,
    state: TaskState,
    now: float,
    unreachable_time: float | None = None,
) -> None:
    m.tell(
        framework,
        TaskStatus(
            task_id=task_id,
            agent_id=agent_id,
            state=state,
            source=Source.SOURCE_MASTER,
            reason=Reason.REASON_RECONCILIATION,
            message="the latest state the master knows",
            timestamp=now,
            unreachable_time=unreachable_time,
        ),
    )
