"""Executors on this agent: born, registered, shut down, gone (drain.md 3.1; core.md TK-49 to TK-61)."""

from __future__ import annotations

from mesolite.actors.decisions.agent import checkpoints, updates
from mesolite.actors.decisions.agent.environment import environment
from mesolite.actors.decisions.agent.state import (
    AgentState,
    Ending,
    ExecutorPhase,
    ExecutorRecord,
    FrameworkRecord,
    Phase,
    TaskRecord,
)
from mesolite.actors.decisions.agent.timers import ExecutorRegistrationTimeout, ExecutorShutdownTimeout
from mesolite.actors.decisions.contract import (
    Destroy,
    ExecutorStart,
    Exit,
    Link,
    PeerExited,
    SpawnExecutor,
    SpawnFailed,
)
from mesolite.actors.decisions.rules import sandboxes
from mesolite.actors.decisions.rules.grace import shutdown_grace_s, wish_of
from mesolite.actors.decisions.rules.work_outcome import SIGKILL
from mesolite.messages.agent import ExitedExecutor
from mesolite.messages.checking import unchecked
from mesolite.messages.executor import ExecutorRegistered, RegisterExecutor, ShutdownExecutor
from mesolite.messages.ids import ExecutorId, FrameworkId, TaskId
from mesolite.messages.relayed import RunTask
from mesolite.messages.tasks import Cause, ExecutorInfo, Reason, TaskInfo, TaskState

NOT_LAUNCHED = -1
"""What an executor exits with, and says why, if its process could not be started: there is no status of any (TK-39)."""


def start(a: AgentState, framework: FrameworkRecord, task: TaskInfo) -> ExecutorRecord:
    """Start the executor a task needs (TK-38, TK-77)."""
    info = task.executor
    executor_id = info.executor_id if info is not None else ExecutorId(task.task_id)
    run, a.next_run = a.next_run, a.next_run + 1
    executor = ExecutorRecord(
        id=executor_id,
        info=info,
        # An executor of this agent's earlier life may still be on its way out under the plain name.
        pid=f"{a.name}/{framework.id}/{executor_id}" + (f"~{a.incarnation}" if a.incarnation > 1 else ""),
        run=run,
        sandbox=sandboxes.sandbox(a.work_dir, a.id or "", framework.id, executor_id, f"{a.incarnation}-{run}"),
        shutdown_grace_s=shutdown_grace_s(a.settings, info, wish_of(task.kill_policy)),
    )
    a.add_executor(framework, executor)
    checkpoints.executor(a, framework, executor)
    a.effects.append(
        SpawnExecutor(
            executor.pid,
            ExecutorStart(
                framework_id=framework.id,
                executor_id=executor_id,
                agent=a.name,
                agent_id=a.id or "",
                info=info,
                checkpoint=framework.info.checkpoint,
                shutdown_grace_s=executor.shutdown_grace_s,
                sandbox=executor.sandbox,
                environment=environment(a, framework, executor),
                user=framework.info.user,
            ),
        )
    )
    a.effects.append(Link(executor.pid))
    a.set_timer(ExecutorRegistrationTimeout(*_run(framework, executor)), a.settings.executor_registration_timeout_s)
    return executor


def _run(framework: FrameworkRecord, executor: ExecutorRecord) -> tuple[FrameworkId, ExecutorId, int]:
    """What says in a timer key which executor, and which run of it."""
    return (framework.id, executor.id, executor.run)


def _of_timer(
    a: AgentState, key: ExecutorRegistrationTimeout | ExecutorShutdownTimeout
) -> ExecutorRecord | None:
    framework = a.frameworks.get(key.framework_id)
    executor = framework.executors.get(key.executor_id) if framework is not None else None
    return executor if executor is not None and executor.run == key.run else None


def register(a: AgentState, message: RegisterExecutor, sender: str, now: float) -> None:
    """An executor is up: give it its queued tasks, or tell it to go (TK-51, TK-52)."""
    framework = a.frameworks.get(message.framework_id)
    executor = a.executor_of(message.framework_id, message.executor_id, sender)
    if (
        framework is None
        or executor is None
        or framework.terminating
        or a.phase in (Phase.RECOVERING, Phase.TERMINATING)
        or executor.phase is not ExecutorPhase.REGISTERING
    ):
        a.send(sender, ShutdownExecutor(grace_s=a.settings.executor_shutdown_grace_s))
        return
    if not executor.live_tasks:
        shut_down(a, framework, executor)  # all of its tasks were killed before it came (3.3.5)
        return
    executor.become(ExecutorPhase.RUNNING)
    a.cancel_timer(ExecutorRegistrationTimeout(*_run(framework, executor)))
    checkpoints.executor(a, framework, executor)
    info = executor.info or unchecked(ExecutorInfo)(executor_id=executor.id)
    a.send(sender, ExecutorRegistered(executor_info=info, framework_info=framework.info, agent_info=a.info))
    for task in executor.live_tasks:
        deliver(a, framework, executor, task)


def deliver(a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord, task: TaskRecord) -> None:
    """Hand a task to its executor."""
    task.delivered = True
    checkpoints.task(a, framework, executor.id, task)
    a.send(
        executor.pid,
        RunTask(
            framework_id=framework.id, framework_info=framework.info, scheduler=framework.scheduler, task=task.info
        ),
    )


def registration_timed_out(a: AgentState, key: ExecutorRegistrationTimeout, sender: str, now: float) -> None:
    """It never registered: destroy it, its tasks have failed (TK-50)."""
    executor = _of_timer(a, key)
    if executor is None:
        return
    executor.become(ExecutorPhase.TERMINATING)
    executor.ending = Ending(
        TaskState.TASK_FAILED,
        Reason.REASON_EXECUTOR_REGISTRATION_TIMEOUT,
        f"executor {executor.id} did not register within {a.settings.executor_registration_timeout_s:g} s",
        Cause.EXECUTOR_DIED,
    )
    destroy(a, executor)


def spawn_failed(a: AgentState, event: SpawnFailed, sender: str, now: float) -> None:
    """It could not be started (TK-39)."""
    if event.name in a.executor_of_pid:
        _, executor = a.executor_of_pid[event.name]
        reason = Reason.REASON_CONTAINER_LAUNCH_FAILED
        executor.ending = Ending(TaskState.TASK_FAILED, reason, event.error, Cause.NEVER_STARTED)


def shut_down(a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord) -> None:
    """Ask it to end within its grace; after that it is destroyed (3.1.2, 3.1.3)."""
    if executor.phase in (ExecutorPhase.TERMINATING, ExecutorPhase.TERMINATED):
        return
    a.cancel_timer(ExecutorRegistrationTimeout(*_run(framework, executor)))
    executor.become(ExecutorPhase.TERMINATING)
    a.send(executor.pid, ShutdownExecutor(grace_s=executor.shutdown_grace_s))
    a.set_timer(ExecutorShutdownTimeout(*_run(framework, executor)), executor.shutdown_grace_s)


def expel(a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord, why: str) -> None:
    """Shut down an executor that has said what none may say; what it had not ended itself has failed, and says why."""
    if executor.phase not in (ExecutorPhase.TERMINATING, ExecutorPhase.TERMINATED):
        text = f"executor {executor.id} was shut down: {why}"
        executor.ending = Ending(
            TaskState.TASK_FAILED, Reason.REASON_EXECUTOR_TERMINATED, text, Cause.EXECUTOR_DIED
        )
        shut_down(a, framework, executor)


def shutdown_timed_out(a: AgentState, key: ExecutorShutdownTimeout, sender: str, now: float) -> None:
    """It did not end within its grace (3.1.3)."""
    executor = _of_timer(a, key)
    if executor is not None and executor.phase is ExecutorPhase.TERMINATING:
        destroy(a, executor)


def destroy(a: AgentState, executor: ExecutorRecord) -> None:
    """Kill it, with all it runs."""
    executor.destroyed = True
    a.effects.append(Destroy(executor.pid))


def exited(a: AgentState, event: PeerExited, sender: str, now: float) -> None:
    """An executor is gone: account for its tasks, tell the master, clear up (3.1.9, 3.1.10, TK-54 to TK-58)."""
    a.orphans.pop(event.name, None)
    framework, executor = a.executor_of_pid.get(event.name, (None, None))
    if framework is None or executor is None or executor.phase is ExecutorPhase.TERMINATED:
        return
    if a.phase is Phase.RECOVERING and executor.phase is ExecutorPhase.REGISTERING and event.incarnation:
        # Of one that went while its agent was down nobody knows how; one that never was cannot come back.
        executor.ending = did_not_return(framework, executor)
    _terminated(a, framework, executor, event, now)


def did_not_return(framework: FrameworkRecord, executor: ExecutorRecord) -> Ending:
    """Tell of the tasks of an executor that is not there for its restarted agent (AG-13)."""
    return Ending(
        framework.info.or_lost(TaskState.TASK_GONE),
        Reason.REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
        f"executor {executor.id} did not come back to its restarted agent",
        Cause.EXECUTOR_DIED,
    )


def _terminated(
    a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord, event: PeerExited, now: float
) -> None:
    executor.become(ExecutorPhase.TERMINATED)
    a.cancel_timer(ExecutorRegistrationTimeout(*_run(framework, executor)))
    a.cancel_timer(ExecutorShutdownTimeout(*_run(framework, executor)))
    if not framework.terminating:
        ending = executor.ending or _ending_of(executor, event)
        for task in executor.live_tasks:
            updates.make(a, framework, executor.id, task, ending, now)
        if executor.info is not None:  # the master knows of no command executors (OF-68)
            tell_exited(a, framework.id, executor.id, _status_of(a, executor, event))
    clear_up(a, framework, executor)


def _status_of(a: AgentState, executor: ExecutorRecord, event: PeerExited) -> int:
    """What it ended with; over HTTP that is the status of wait(2), also of what the agent has killed (HT-164)."""
    return SIGKILL if a.info.port and executor.destroyed and event.status < 0 else event.status


def _ending_of(executor: ExecutorRecord, event: PeerExited) -> Ending:
    """What became of the tasks of an executor that has gone by itself."""
    if event.status == NOT_LAUNCHED and event.reason:
        reason = Reason.REASON_CONTAINER_LAUNCH_FAILED
        return Ending(TaskState.TASK_FAILED, reason, event.reason, Cause.NEVER_STARTED)
    return Ending(
        TaskState.TASK_FAILED,
        Reason.REASON_EXECUTOR_TERMINATED,
        # Its own words, if it had any: a callback that raised says what it raised.
        event.reason or f"executor {executor.id} ended with status {event.status} before the task did",
        Cause.EXECUTOR_DIED,
    )


def tell_exited(a: AgentState, framework_id: FrameworkId, executor_id: ExecutorId, status: int) -> None:
    """Let the master give back what a custom executor held there (TK-57, TK-59)."""
    assert a.id is not None
    a.send_to_leader(ExitedExecutor(agent_id=a.id, framework_id=framework_id, executor_id=executor_id, status=status))


def task_done(a: AgentState, framework: FrameworkRecord, task_id: TaskId) -> None:
    """A task's terminal update was acknowledged: nothing of it is needed any more (TK-58)."""
    found = a.find_task(framework, task_id)
    if found is not None:
        executor, task = found
        if not task.state.is_terminal:
            return
        a.drop_task(framework, executor, task_id)
        checkpoints.drop_task(a, framework, task_id)
        clear_up(a, framework, executor)
    else:
        clear_up_framework(a, framework)


def clear_up(a: AgentState, framework: FrameworkRecord, executor: ExecutorRecord) -> None:
    """Forget a terminated executor once nothing about it is unacknowledged, or its framework goes (3.1.10)."""
    if executor.phase is not ExecutorPhase.TERMINATED or (executor.tasks and not framework.terminating):
        return
    a.drop_executor(framework, executor)
    checkpoints.drop_executor(a, framework, executor)
    clear_up_framework(a, framework)


def clear_up_framework(a: AgentState, framework: FrameworkRecord) -> None:
    """Forget a framework that has nothing left here; a terminating agent ends with its last one (2.1.4)."""
    if framework.executors:
        return
    if not framework.terminating and any(key[0] == framework.id for key in a.streams):
        return
    if a.frameworks.pop(framework.id, None) is not None:
        checkpoints.drop_framework(a, framework)
    end_if_empty(a)


def end_if_empty(a: AgentState) -> None:
    """A terminating agent exits with its last framework."""
    if a.id_is_gone:
        return  # it has to forget it first
    if a.phase is Phase.TERMINATING and not a.frameworks and not any(isinstance(e, Exit) for e in a.effects):
        a.effects.append(Exit(a.why_it_ends))
