"""A last grace: a task that has not ended when it is over loses its executor, and so does all that runs there.

    killed for a drain that gave a longest grace, or revoked --grace, margin--> executor shut down --its--> destroyed

A command executor kills by itself when the grace is over, so it is always in time; others may not listen.
"""

from __future__ import annotations

from mesolite.actors.decisions.agent import executors, tasks
from mesolite.actors.decisions.agent.state import (
    AgentState,
    Ending,
    ExecutorPhase,
    ExecutorRecord,
    FrameworkRecord,
    LastGrace,
    TaskRecord,
)
from mesolite.actors.decisions.agent.timers import LastGraceEnd
from mesolite.messages.tasks import Cause, Reason, TaskState

_WORDS = {Cause.REVOKED: "was revoked", Cause.DRAINED: "was killed because the agent drains"}


def _key(framework: FrameworkRecord, executor: ExecutorRecord, task: TaskRecord) -> LastGraceEnd:
    return LastGraceEnd(framework.id, executor.id, executor.run, task.info.task_id)


def give(
    a: AgentState,
    framework: FrameworkRecord,
    executor: ExecutorRecord,
    task: TaskRecord,
    last: LastGrace,
    now: float,
) -> None:
    """Let a task that was just killed have this long; of two graces the one that ends first counts."""
    delivered = task.delivered and executor.phase is ExecutorPhase.RUNNING and not task.state.is_terminal
    if delivered and (task.last_grace is None or last.ends < task.last_grace.ends):
        task.last_grace = last
        a.set_timer(_key(framework, executor, task), last.ends - now + a.settings.command_executor_margin_s)


def over(a: AgentState, key: LastGraceEnd, sender: str, now: float) -> None:
    """It has not ended within its grace: its executor has to go, with all it runs."""
    framework = a.frameworks.get(key.framework_id)
    executor = framework.executors.get(key.executor_id) if framework is not None else None
    if framework is None or executor is None or executor.run != key.run:
        return
    task = executor.tasks.get(key.task_id)
    if task is None or task.last_grace is None or task.state.is_terminal:
        return
    cause = task.last_grace.cause
    if executor.ending is None:
        why = f"{key.task_id} {_WORDS[cause]} and had not ended within its grace"
        message = f"executor {executor.id} was shut down: {why}"
        executor.ending = Ending(TaskState.TASK_KILLED, Reason.REASON_EXECUTOR_TERMINATED, message, cause)
    for other in executor.live_tasks:
        tasks.record_kill_cause(a, framework, executor, other, cause)
    executors.shut_down(a, framework, executor)
