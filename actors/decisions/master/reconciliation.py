"""What a master answers to a scheduler that asks how its tasks are (core.md RC-1 to RC-8; drain.md 1.10.1)."""

from __future__ import annotations

from mesolite.actors.decisions.master.records import FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.checking import evolve, unchecked
from mesolite.messages.ids import TaskId
from mesolite.messages.scheduler import ReconcileTasks
from mesolite.messages.tasks import Cause, Reason, Source, TaskState, TaskStatus


def reconcile(m: MasterState, message: ReconcileTasks, sender: str, now: float) -> None:
    """Say what is known of these tasks, or of all of the framework's (RC-1 to RC-4)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    if message.statuses:
        for status in message.statuses:
            answer(m, framework, status, now)
        return
    for task in list(framework.tasks.values()):
        _answer_known(m, framework, task, now)


def answer(m: MasterState, framework: FrameworkRecord, asked: TaskStatus, now: float) -> None:
    """The first row that fits answers (RC-4; drain.md 1.10.1)."""
    task, agent_id = framework.tasks.get(asked.task_id), asked.agent_id
    stray = framework.strays.get(asked.task_id)
    past = framework.completed_tasks.get(asked.task_id) or _ended_before(framework, asked.task_id)
    if task is not None:
        _answer_known(m, framework, task, now)
    elif stray is not None and agent_id in (None, stray.agent_id):
        alive = unchecked(TaskStatus)(task_id=asked.task_id, agent_id=stray.agent_id, state=stray.state)
        _tell(m, framework, alive, "the latest state its agent has said", now)
    elif past is not None and agent_id in (None, past.agent_id):
        # Ours: that it ended is not told twice in two ways, while it is remembered.
        ended = unchecked(TaskStatus)(
            task_id=past.task_id,
            agent_id=past.agent_id,
            executor_id=past.executor_id,
            state=past.state,
            cause=past.cause,
        )
        _tell(m, framework, ended, "the task has ended in this state", now)
    elif (agent_id is None and m.recovered) or agent_id in m.recovered:
        return  # it may yet come back with the task
    else:
        _answer_unknown(m, framework, asked, now)


def _ended_before(framework: FrameworkRecord, task_id: TaskId) -> TaskRecord | None:
    """The task, if it had ended before its agent became unreachable, not acknowledged yet."""
    task = framework.unreachable_tasks.get(task_id)
    return task if task is not None and task.state.is_terminal and task.cause is not Cause.UNREACHABLE else None


def _answer_known(m: MasterState, framework: FrameworkRecord, task: TaskRecord, now: float) -> None:
    state = task.status_update_state or task.state
    if state.is_terminal and task.state.is_terminal:
        state = task.state  # of two ends the first stays (0.2.10)
    status = unchecked(TaskStatus)(
        task_id=task.task_id,
        agent_id=task.agent_id,
        executor_id=task.executor_id,
        state=state,
        cause=task.cause if state is task.state else None,
    )
    if task.statuses:
        # How it is and where it runs, as its executor and agent have said last.
        status = evolve(status, container=task.statuses[-1].container, v1_json=task.statuses[-1].v1_json)
    _tell(m, framework, status, "the latest state the master knows", now)


def _answer_unknown(m: MasterState, framework: FrameworkRecord, asked: TaskStatus, now: float) -> None:
    """The master has no such task, so what it knows of the agent answers."""
    agent_id, lost = asked.agent_id, framework.unreachable_tasks.get(asked.task_id)
    state, cause, time = TaskState.TASK_UNKNOWN, None, None
    if agent_id is None and lost is not None:
        cause, why = lost.cause, f"the task was on agent {lost.agent_id}, which is unreachable; name it to learn more"
    elif agent_id is None:
        why = "the master knows of no such task"
    elif agent_id in m.agents:
        state, why = TaskState.TASK_GONE, f"the master knows of no such task on agent {agent_id}, which is registered"
    elif agent_id in m.unreachable:
        state, cause, time = TaskState.TASK_UNREACHABLE, Cause.UNREACHABLE, m.unreachable[agent_id].since
        why = f"agent {agent_id} is unreachable, and so is whatever runs there"
    elif agent_id in m.gone:
        state, cause = TaskState.TASK_GONE_BY_OPERATOR, Cause.GONE
        why = f"agent {agent_id} was marked gone by an operator, and so is whatever ran there"
    else:
        why = f"the master knows neither of such a task nor of agent {agent_id}"
    status = unchecked(TaskStatus)(
        task_id=asked.task_id,
        agent_id=agent_id,
        state=framework.info.or_lost(state),
        unreachable_time=time,
        cause=cause,
    )
    _tell(m, framework, status, why, now)


def _tell(m: MasterState, framework: FrameworkRecord, status: TaskStatus, message: str, now: float) -> None:
    m.tell(
        framework,
        evolve(
            status,
            source=Source.SOURCE_MASTER,
            reason=Reason.REASON_RECONCILIATION,
            message=message,
            timestamp=now,
        ),
    )
