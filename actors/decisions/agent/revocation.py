"""Resources that were not returned in time: the agent ends the tasks and executors that hold them (docs/reclaim.md).

Rule: a revoked task gets its own grace and not a moment more. If it has not ended then, its executor is shut down.

    RevokeTask     --> kill --own grace, margin--> executor shut down --its grace--> destroyed
    RevokeExecutor --> all its tasks revoked --the last has ended--> executor shut down --its grace--> destroyed
"""

from __future__ import annotations

from mesolite.actors.decisions.agent import executors, graces, tasks
from mesolite.actors.decisions.agent.state import (
    AgentState,
    ExecutorPhase,
    ExecutorRecord,
    FrameworkRecord,
    LastGrace,
    TaskRecord,
)
from mesolite.actors.decisions.rules.grace import kill_grace_s
from mesolite.messages.agent import RevokeExecutor, RevokeTask
from mesolite.messages.tasks import Cause


def revoke_task(a: AgentState, message: RevokeTask, sender: str, now: float) -> None:
    """End a task. One that is not here is answered as a kill is (3.3.4), so that the master's state come right."""
    framework = a.frameworks.get(message.framework_id)
    if not tasks.listens(a, sender) or framework is None or framework.terminating:
        return
    found = a.find_task(framework, message.task_id)
    if found is None:
        tasks.answer_unknown(a, framework, message.task_id, now)
    else:
        _revoke(a, framework, *found, now)


def revoke_executor(a: AgentState, message: RevokeExecutor, sender: str, now: float) -> None:
    """End an executor after its last task; one that is not here is reported as exited, for the state."""
    if not tasks.listens(a, sender) or a.id is None:
        return  # without an id it cannot say which agent the executor is not on; registering settles that
    framework = a.frameworks.get(message.framework_id)
    executor = framework.executors.get(message.executor_id) if framework is not None else None
    if framework is None or executor is None or executor.phase is ExecutorPhase.TERMINATED:
        executors.tell_exited(a, message.framework_id, message.executor_id, -1)
        return
    executor.revoked = True
    for task in executor.live_tasks:
        _revoke(a, framework, executor, task, now)
    look(a, framework, executor)


def look(a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord) -> None:
    """A task of it may have ended: with the last one a revoked executor is shut down."""
    if executor.revoked and not executor.live_tasks:
        executors.shut_down(a, framework, executor)


def _revoke(
    a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord, task: TaskRecord, now: float
) -> None:
    tasks.end(a, framework, executor, task, Cause.REVOKED, None, now)
    grace_s = kill_grace_s(a.settings, task.own_grace_s)
    graces.give(a, framework, executor, task, LastGrace(now + grace_s, Cause.REVOKED), now)


def replay(a: AgentState, now: float) -> None:
    """After a restart: what was revoked is revoked again, for the kill or its timer may be lost."""
    for framework in list(a.frameworks.values()):
        for executor in list(framework.executors.values()):
            for task in executor.live_tasks:
                if task.kill_cause is Cause.REVOKED:
                    _revoke(a, framework, executor, task, now)
