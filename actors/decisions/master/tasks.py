"""Tasks: updates on their way up, acknowledgements and kills on their way down, and what the master says itself
(drain.md 0.2.8 to 0.2.12, 3.3; core.md TK-22 to TK-30).
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TypeVar

from mesolite.actors.decisions.master import reconciliation, watching
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, Stray, TaskEnd, TaskKey, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import AgentReregistered, ExitedExecutor, Reconciliation
from mesolite.messages.checking import unchecked
from mesolite.messages.ids import AgentId, ExecutorId, FrameworkId, TaskId
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    ShutdownExecutorOf,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)
from mesolite.messages.tasks import Cause, Reason, Source, TaskState, TaskStatus

K = TypeVar("K")


def set_state(m: MasterState, task: TaskRecord, state: TaskState, now: float, cause: Cause | None = None) -> None:
    """Record a task's newest state, and the cause if it was lost or killed.

    A terminal one stays (0.2.10); resources return when it first lets go (0.2.11).
    """
    if task.state.is_terminal:
        return
    held = task.state.holds_resources
    task.state, task.cause = state, cause
    if state.is_terminal:
        m.counters.task_ended(state)
    if held and not state.holds_resources:
        role = m.frameworks[task.framework_id].info.role
        m.recover(task.framework_id, role, task.agent_id, task.resources, now)


def end(m: MasterState, framework: FrameworkRecord, task: TaskRecord, how: TaskEnd, now: float) -> None:
    """The master itself ends a task of a registered agent, or loses sight of it, and says so once."""
    agent = m.agents[task.agent_id]
    detach(agent, task)
    del framework.tasks[task.task_id]
    archive(m, framework, task, how, now)


def agent_left(m: MasterState, agent: AgentRecord, how: TaskEnd, now: float) -> None:
    """Every task of an agent that has left ends, or is out of reach; so do its executors."""
    for task in list(agent.tasks.values()):
        end(m, m.frameworks[task.framework_id], task, how, now)
    agent.executors.clear()
    agent.executor_infos.clear()
    for framework in m.frameworks.values():
        forget_strays(framework, agent.id)


def forget_strays(framework: FrameworkRecord, agent_id: AgentId, but: Container[TaskKey] = ()) -> None:
    """What lived on that agent of a framework's tasks that this master does not have is not there any more."""
    strays = [task_id for task_id, stray in framework.strays.items() if stray.agent_id == agent_id]
    for task_id in strays:
        if (framework.id, task_id) not in but:
            del framework.strays[task_id]


def archive(m: MasterState, framework: FrameworkRecord, task: TaskRecord, how: TaskEnd, now: float) -> None:
    """A task that is on no list any more becomes history."""
    state, reason = framework.info.or_lost(how.state), how.reason
    if state is TaskState.TASK_LOST and how.reason_if_lost is not None:
        reason = how.reason_if_lost
    set_state(m, task, state, now, how.cause)
    cut_off = how.unreachable_time is not None
    remember(m, framework.unreachable_tasks if cut_off else framework.completed_tasks, task.task_id, task)
    status = unchecked(TaskStatus)(
        task_id=task.task_id,
        agent_id=task.agent_id,
        executor_id=task.executor_id,
        state=state,
        source=Source.SOURCE_MASTER,
        reason=reason,
        message=how.message,
        timestamp=now,
        unreachable_time=how.unreachable_time,
        cause=how.cause,
    )
    watching.task_said(m, task, status)
    m.tell(framework, status)


def end_with_framework(m: MasterState, task: TaskRecord, now: float) -> None:
    """Its framework has ended, so nobody is left to be told; operators are (OP-15)."""
    if task.state.is_terminal:
        return
    set_state(m, task, TaskState.TASK_KILLED, now, Cause.FRAMEWORK_REMOVED)
    status = unchecked(TaskStatus)(
        task_id=task.task_id,
        agent_id=task.agent_id,
        executor_id=task.executor_id,
        state=TaskState.TASK_KILLED,
        source=Source.SOURCE_MASTER,
        reason=Reason.REASON_FRAMEWORK_REMOVED,
        message=f"framework {task.framework_id} has ended",
        timestamp=now,
        cause=Cause.FRAMEWORK_REMOVED,
    )
    watching.task_said(m, task, status)


def forget_out_of_reach(m: MasterState, agent_id: AgentId) -> None:
    """Nobody waits for these any more, and their ids are free again; that is not said (1.3.8, 1.9.1)."""
    for framework, task in m.out_of_reach(agent_id):
        del framework.unreachable_tasks[task.task_id]


def check(m: MasterState) -> None:
    """Assert that what is out of reach was on agents that are."""
    for framework in m.frameworks.values():
        for task in framework.unreachable_tasks.values():
            assert task.agent_id in m.unreachable, (task.task_id, task.agent_id)


def detach(agent: AgentRecord, task: TaskRecord) -> None:
    """Forget that this agent has that task."""
    agent.tasks.pop(task.key, None)
    # Or a later task of that id would be killed (RC-27).
    agent.kills.pop(task.key, None)
    agent.revokes.pop(task.key, None)


def complete(m: MasterState, framework: FrameworkRecord, agent: AgentRecord, task: TaskRecord) -> None:
    """A task has ended, and nobody waits for its acknowledgement any more: it is history."""
    detach(agent, task)
    del framework.tasks[task.task_id]
    remember(m, framework.completed_tasks, task.task_id, task)


def remember(m: MasterState, history: dict[TaskId, K], task_id: TaskId, known: K) -> None:
    """Put what is known of a task at the end of a bounded history (FW-37)."""
    history.pop(task_id, None)
    history[task_id] = known
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
    if task is None:  # forwarded all the same (TK-24)
        if message.latest_state.is_terminal:
            framework.strays.pop(message.status.task_id, None)
        else:
            remember(m, framework.strays, message.status.task_id, Stray(agent.id, message.latest_state))
        return
    set_state(m, task, message.latest_state, now)
    if message.status.state is task.state:
        task.cause = message.status.cause  # that of the newest state may be still to come
    watching.task_said(m, task, message.status)
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
            complete(m, framework, agent, task)
    m.send(agent.pid, message)


def kill(m: MasterState, message: KillTask, sender: str, now: float) -> None:
    """The scheduler wants a task ended (3.3.1, TK-41 to TK-43)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    task = framework.tasks.get(message.task_id)
    if task is None:
        stray = framework.strays.get(message.task_id)
        its_agent = None if stray is None else m.agents.get(stray.agent_id)
        if its_agent is not None and its_agent.connected:
            # Ours: nobody else can end it.
            m.send(its_agent.pid, message)
            return
        asked = unchecked(TaskStatus)(task_id=message.task_id, state=TaskState.TASK_STAGING, agent_id=message.agent_id)
        reconciliation.answer(m, framework, asked, now)
        return
    if message.agent_id is not None and message.agent_id != task.agent_id:
        return
    agent = m.agents[task.agent_id]
    agent.kills[task.key] = message.kill_policy
    if agent.connected:
        m.send(agent.pid, message)


def exited_executor(m: MasterState, message: ExitedExecutor, sender: str, now: float) -> None:
    """A custom executor has ended: its resources return, its scheduler is told (TK-57, TK-59)."""
    agent = m.agent_at(message.agent_id, sender)
    if agent is None:
        return
    agent.executor_infos.pop((message.framework_id, message.executor_id), None)
    resources = agent.executors.pop((message.framework_id, message.executor_id), None)
    if resources is None:
        return
    framework = m.frameworks[message.framework_id]
    m.recover(framework.id, framework.info.role, agent.id, resources, now)
    m.send_to_framework(framework, message)


def ask_about(
    m: MasterState,
    agent: AgentRecord,
    missing: Iterable[TaskRecord],
    now: float,
    executors: Iterable[tuple[FrameworkId, ExecutorId]] = (),
) -> None:
    """Tell an agent that it is registered, and ask what became of these; of nothing, it is only told (1.3.9)."""
    m.send(
        agent.pid,
        AgentReregistered(
            agent_id=agent.id,
            total_ping_timeout_s=m.settings.total_ping_timeout_s,
            reconciliations=reconciliations(m, missing, now, executors),
            life=agent.life,
        ),
    )


def reconciliations(
    m: MasterState,
    missing: Iterable[TaskRecord],
    now: float,
    executors: Iterable[tuple[FrameworkId, ExecutorId]] = (),
) -> tuple[Reconciliation, ...]:
    """The question to an agent what became of these tasks and executors, framework by framework (1.3.5 step 2).

    Ours: not of those whose end is known. The agent, which knows nothing of them, would say that they never began.
    """
    task_ids: dict[FrameworkId, list[TaskId]] = {}
    executor_ids: dict[FrameworkId, list[ExecutorId]] = {}
    for task in list(missing):  # what has ended leaves the state it may be listed from
        if task.state.is_terminal:
            _end_for_its_agent(m, task, now)
        else:
            task_ids.setdefault(task.framework_id, []).append(task.task_id)
    for framework_id, executor_id in executors:
        executor_ids.setdefault(framework_id, []).append(executor_id)
    return tuple(
        Reconciliation(
            framework_info=m.frameworks[framework_id].info,
            scheduler=m.frameworks[framework_id].pid or "",
            task_ids=tuple(task_ids.get(framework_id, ())),
            executor_ids=tuple(executor_ids.get(framework_id, ())),
        )
        for framework_id in dict.fromkeys((*task_ids, *executor_ids))
    )


def _end_for_its_agent(m: MasterState, task: TaskRecord, now: float) -> None:
    """An agent has lost what it was to say of a task's end until it is acknowledged: the master says it, once."""
    framework = m.frameworks[task.framework_id]
    complete(m, framework, m.agents[task.agent_id], task)
    m.released_on[task.agent_id] = None
    m.tell(
        framework,
        unchecked(TaskStatus)(
            task_id=task.task_id,
            agent_id=task.agent_id,
            executor_id=task.executor_id,
            state=task.state,
            source=Source.SOURCE_MASTER,
            reason=Reason.REASON_RECONCILIATION,
            message="the task had ended in this state when its agent forgot it",
            timestamp=now,
            cause=task.cause,
        ),
    )


def to_executor(m: MasterState, message: FrameworkToExecutor | ShutdownExecutorOf, sender: str, now: float) -> None:
    """Pass on what a scheduler says to an executor, or that it wants it ended, best effort (TK-71, HT-143)."""
    agent = m.agents.get(message.agent_id)
    if m.caller(message.framework_id, sender) is not None and agent is not None and agent.connected:
        m.send(agent.pid, message)


def to_framework(m: MasterState, message: ExecutorToFramework, sender: str, now: float) -> None:
    """Pass an executor's message on, best effort (TK-71)."""
    framework = m.frameworks.get(message.framework_id)
    if m.agent_at(message.agent_id, sender) is not None and framework is not None:
        m.send_to_framework(framework, message)
