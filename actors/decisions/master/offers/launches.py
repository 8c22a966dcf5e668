"""The operation that launches: task by task against what is left of the offers (core.md OF-60 to OF-68)."""

from __future__ import annotations

from mesolite.actors.decisions.master import watching
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, TaskRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.rules.grace import wish_of
from mesolite.actors.decisions.rules.validation import TaskContext, task_error
from mesolite.messages.checking import unchecked
from mesolite.messages.offers import Launch
from mesolite.messages.relayed import RunTask
from mesolite.messages.resources import Resources
from mesolite.messages.tasks import Cause, Reason, Source, TaskInfo, TaskState, TaskStatus


def launch(
    m: MasterState,
    framework: FrameworkRecord,
    agent: AgentRecord,
    operation: Launch,
    balance: Resources,
    now: float,
) -> Resources:
    """Launch each task that is valid and fits; a bad one does not touch its neighbours (OF-65). Return what is left."""
    for task in operation.tasks:
        executor = task.executor
        running = agent.executors.get((framework.id, executor.executor_id)) if executor is not None else None
        error = task_error(
            task,
            TaskContext(
                agent_id=agent.id,
                framework_id=framework.id,
                balance=balance,
                known_tasks=(framework.tasks, framework.unreachable_tasks),
                running_executor=running,
            ),
        )
        if error:
            _refuse(m, framework, _invalid(task, agent, error, now))
            continue
        assert task.agent_id is not None
        needed = task.resources
        if executor is not None and running is None:
            # An executor is charged once, when the master believes it is not there yet (OF-67).
            needed = needed + executor.resources
            agent.executors[(framework.id, executor.executor_id)] = executor.resources
            agent.executor_infos[(framework.id, executor.executor_id)] = executor
        balance = balance - needed
        _launch_one(m, framework, agent, task, running is None, now)
    return balance


def _launch_one(
    m: MasterState, framework: FrameworkRecord, agent: AgentRecord, task: TaskInfo, new: bool, now: float
) -> None:
    """The task exists as STAGING before the agent hears of it (OF-66)."""
    record = TaskRecord(
        task_id=task.task_id,
        name=task.name,
        framework_id=framework.id,
        agent_id=agent.id,
        executor_id=task.executor.executor_id if task.executor else None,
        resources=task.resources,
        state=TaskState.TASK_STAGING,
        launched_at=now,
        grace_period_s=wish_of(task.kill_policy),
        v1_json=task.v1_json,
    )
    framework.tasks[task.task_id] = agent.tasks[record.key] = record
    watching.task_added(m, record)
    assert framework.pid is not None
    m.send(
        agent.pid,
        RunTask(
            framework_id=framework.id,
            framework_info=framework.info,
            scheduler=framework.pid,
            task=task,
            launch_executor=new,
            launched_at=now,
        ),
    )


def _refuse(m: MasterState, framework: FrameworkRecord, status: TaskStatus) -> None:
    """Say of a task that it never was one; it counts all the same (OP-13)."""
    m.counters.task_ended(status.state)
    m.tell(framework, status)


def _invalid(task: TaskInfo, agent: AgentRecord, error: str, now: float) -> TaskStatus:
    return unchecked(TaskStatus)(
        task_id=task.task_id,
        agent_id=agent.id,
        state=TaskState.TASK_ERROR,
        source=Source.SOURCE_MASTER,
        reason=Reason.REASON_TASK_INVALID,
        message=f"task {task.task_id!r} was not launched: {error}",
        timestamp=now,
    )


def drop(m: MasterState, framework: FrameworkRecord, operation: Launch, why: str, now: float) -> None:
    """Say of each task that it was not launched, as the offers it counted on are none (OF-57)."""
    for task in operation.tasks:
        _refuse(m, framework, _dropped(framework, task, why, now))


def _dropped(framework: FrameworkRecord, task: TaskInfo, why: str, now: float) -> TaskStatus:
    return unchecked(TaskStatus)(
        task_id=task.task_id,
        agent_id=task.agent_id,
        state=framework.info.or_lost(TaskState.TASK_DROPPED),
        source=Source.SOURCE_MASTER,
        reason=Reason.REASON_INVALID_OFFERS,
        message=f"task {task.task_id} was not launched: {why}",
        timestamp=now,
        cause=Cause.NEVER_STARTED,
    )
