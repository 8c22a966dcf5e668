"""Tasks on this agent: launched, killed, reconciled (core.md 5.5, 5.6; drain.md 3.3, 1.3.9)."""

from __future__ import annotations

from mesolite.actors.decisions.agent import checkpoints, executors, updates
from mesolite.actors.decisions.agent.state import (
    AgentState,
    Ending,
    ExecutorPhase,
    ExecutorRecord,
    FrameworkRecord,
    Phase,
    TaskRecord,
)
from mesolite.messages.agent import AgentReregistered, UpdateFramework
from mesolite.messages.frameworks import FrameworkInfo
from mesolite.messages.ids import ExecutorId, TaskId
from mesolite.messages.relayed import ExecutorToFramework, FrameworkToExecutor, KillTask, RunTask
from mesolite.messages.tasks import Cause, KillPolicy, Reason, TaskState


def listens(a: AgentState, sender: str) -> bool:
    """Orders are taken from the detected master only, and not while recovering or terminating (TK-34, TK-47)."""
    return sender == a.leader and a.phase in (Phase.DISCONNECTED, Phase.RUNNING)


def run(a: AgentState, message: RunTask, sender: str, now: float) -> None:
    """Run a task: find or start its executor, queue or deliver (TK-34 to TK-38)."""
    task = message.task
    if not listens(a, sender) or task.agent_id != a.id:
        return
    framework = _framework(a, message.framework_info, message.scheduler)
    if framework.terminating:
        a.deferred_launches.append(message)
        return
    executor_id = task.executor.executor_id if task.executor else ExecutorId(task.task_id)
    executor = framework.executors.get(executor_id)
    refusal = _refusal(a, framework, executor, message)
    if refusal is not None:
        reason, why = refusal
        updates.drop(a, framework, task.task_id, reason, why, now, executor_id)
        if message.launch_executor and (executor is None or executor.phase is ExecutorPhase.TERMINATED):
            _tell_not_launched(a, message)
        return
    executor = executor or executors.start(a, framework, task)
    record = TaskRecord(info=task, launched_at=message.launched_at)
    a.add_task(framework, executor, record)
    checkpoints.task(a, framework, executor.id, record)
    if executor.phase is ExecutorPhase.RUNNING:
        executors.deliver(a, framework, executor, record)


def answer_too_soon(a: AgentState, now: float) -> None:
    """Say what became of launches for frameworks that were being ended: nothing, now that this is over.

    Mesos ignores such a launch; a new leader that does not know of the end would wait for the task for ever.
    """
    waiting, a.deferred_launches = a.deferred_launches, []
    for message in waiting:
        task, known = message.task, a.frameworks.get(message.framework_id)
        if known is not None and known.terminating:
            a.deferred_launches.append(message)
        elif a.phase is not Phase.TERMINATING:
            framework = _framework(a, message.framework_info, message.scheduler)
            why = "the framework was being ended on this agent"
            updates.drop(a, framework, task.task_id, Reason.REASON_FRAMEWORK_REMOVED, why, now)
            if message.launch_executor:
                _tell_not_launched(a, message)


def _tell_not_launched(a: AgentState, message: RunTask) -> None:
    """The executor this task was to launch is not there, and the master counts on it (TK-40).

    Of any other task's executor the master has heard, or will hear. To tell of it here would be too late: by the time
    this arrives it may have launched another one under that id.
    """
    if message.task.executor is not None:
        executors.tell_exited(a, message.framework_id, message.task.executor.executor_id, -1)


def _refusal(
    a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord | None, message: RunTask
) -> tuple[Reason, str] | None:
    """Why this task cannot be run here, None if it can."""
    task = message.task
    if a.drain is not None:
        return Reason.REASON_AGENT_DRAINING, "the agent is draining"  # 4.4.8
    if a.find_task(framework, task.task_id) is not None:
        return Reason.REASON_TASK_INVALID, "the agent still has a task of that id"
    if executor is not None and task.executor is None:
        return Reason.REASON_TASK_INVALID, f"an executor with the task's id {executor.id} is still there"
    # The master's view of the executor and ours may differ: it has just died, or just started (OF-67).
    if executor is None:
        return None if message.launch_executor else (Reason.REASON_EXECUTOR_TERMINATED, "its executor is not running")
    if message.launch_executor or executor.phase in (ExecutorPhase.TERMINATING, ExecutorPhase.TERMINATED):
        return Reason.REASON_EXECUTOR_TERMINATED, f"executor {executor.id} is {executor.phase.value}"
    if executor.revoked:
        return Reason.REASON_EXECUTOR_TERMINATED, f"executor {executor.id} is about to go: its resources were revoked"
    return None


def _framework(a: AgentState, info: FrameworkInfo, scheduler: str) -> FrameworkRecord:
    """The framework's record; its first task here makes one."""
    assert info.id is not None
    framework = a.frameworks.get(info.id)
    if framework is None:
        framework = a.frameworks[info.id] = FrameworkRecord(info=info, scheduler=scheduler)
        checkpoints.framework(a, framework)
    return framework


def kill(a: AgentState, message: KillTask, sender: str, now: float) -> None:
    """Its framework wants a task ended, in whichever phase it is (3.3.2 to 3.3.7)."""
    framework = a.frameworks.get(message.framework_id)
    if not listens(a, sender) or framework is None or framework.terminating:
        return
    found = a.find_task(framework, message.task_id)
    if found is None:
        answer_unknown(a, framework, message.task_id, now)
    else:
        end(a, framework, *found, Cause.KILLED, message.kill_policy, now)


def answer_unknown(a: AgentState, framework: FrameworkRecord, task_id: TaskId, now: float) -> None:
    """A task that is to be ended is not here (3.3.4)."""
    updates.drop(a, framework, task_id, Reason.REASON_EXECUTOR_TERMINATED, "no executor has the task", now)


def end(
    a: AgentState,
    framework: FrameworkRecord,
    executor: ExecutorRecord,
    task: TaskRecord,
    cause: Cause,
    policy: KillPolicy | None,
    now: float,
) -> None:
    """Kill a task, for whatever cause; what is ending already is left to end (3.3.5 to 3.3.7)."""
    if executor.phase in (ExecutorPhase.TERMINATING, ExecutorPhase.TERMINATED) or task.state.is_terminal:
        return
    record_kill_cause(a, framework, executor, task, cause)
    if task.delivered:
        task_id = task.info.task_id
        a.send(executor.pid, KillTask(framework_id=framework.id, task_id=task_id, agent_id=a.id, kill_policy=policy))
        return
    # Not delivered yet: it ends here, and its executor with it if it never gets anything to do (3.3.5).
    ending = Ending(
        TaskState.TASK_KILLED,
        Reason.REASON_TASK_KILLED_DURING_LAUNCH,
        "killed before it was delivered to its executor",
        cause,
    )
    updates.make(a, framework, executor.id, task, ending, now)


def record_kill_cause(
    a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord, task: TaskRecord, cause: Cause
) -> None:
    """Remember why a task is killed; whoever asked first is the cause."""
    if task.kill_cause is None:
        task.kill_cause = cause
        checkpoints.task(a, framework, executor.id, task)


def reconcile(a: AgentState, message: AgentReregistered, now: float) -> None:
    """Say what became of tasks and executors the master has and this agent did not report (1.3.9)."""
    for listed in message.reconciliations:
        # It may be unknown here: its first task got lost on the way.
        framework = _framework(a, listed.framework_info, listed.scheduler)
        for task_id in listed.task_ids:
            if framework.terminating or (framework.id, task_id) in a.streams:
                continue
            if a.find_task(framework, task_id) is None:
                why = "the agent does not know the task"
                updates.drop(a, framework, task_id, Reason.REASON_RECONCILIATION, why, now)
        for executor_id in listed.executor_ids:
            executor = framework.executors.get(executor_id)
            if executor is None or executor.phase is ExecutorPhase.TERMINATED:
                executors.tell_exited(a, framework.id, executor_id, -1)
        executors.clear_up_framework(a, framework)  # it may have become known by the question alone


def update_framework(a: AgentState, message: UpdateFramework, sender: str, now: float) -> None:
    """Its scheduler is here now (FW-23)."""
    framework = a.frameworks.get(message.framework_info.id) if message.framework_info.id else None
    if sender == a.leader and a.phase is Phase.RUNNING and framework is not None:
        framework.info, framework.scheduler = message.framework_info, message.scheduler
        checkpoints.framework(a, framework)
        updates.resume_framework(a, framework)


def to_executor(a: AgentState, message: FrameworkToExecutor, sender: str, now: float) -> None:
    """Pass a scheduler's message on; an executor that has not registered misses it (TK-73)."""
    framework = a.frameworks.get(message.framework_id)
    executor = framework.executors.get(message.executor_id) if framework is not None else None
    if listens(a, sender) and executor is not None and executor.phase is ExecutorPhase.RUNNING:
        a.send(executor.pid, message)


def to_framework(a: AgentState, message: ExecutorToFramework, sender: str, now: float) -> None:
    """Pass an executor's message on, through the master (TK-72)."""
    if a.executor_of(message.framework_id, message.executor_id, sender) is not None and a.phase is Phase.RUNNING:
        a.send_to_leader(message)
