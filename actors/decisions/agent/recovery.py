"""A restarted agent finds its id and what it had checkpointed, and waits for its executors (core.md section 7).

Started --> Load --> Loaded --> executors asked to reconnect --2 s--> those not back are destroyed --> register
"""

from __future__ import annotations

from mesolite.actors.decisions.agent import checkpoints, draining, executors, identity, reports, revocation, updates
from mesolite.actors.decisions.agent.state import (
    AgentState,
    Ending,
    ExecutorPhase,
    ExecutorRecord,
    FrameworkRecord,
    Phase,
    TaskRecord,
    UpdateStream,
)
from mesolite.actors.decisions.agent.timers import ExecutorReregistrationTimeout, ReconnectRetry
from mesolite.actors.decisions.contract import Exit, Link, Load, Loaded, Started, StoreRefused
from mesolite.messages.checkpoints import ExecutorCheckpoint, FrameworkCheckpoint, TaskCheckpoint
from mesolite.messages.drains import DrainConfig
from mesolite.messages.executor import (
    ExecutorReregistered,
    ReconnectExecutor,
    ReregisterExecutor,
    ShutdownExecutor,
)
from mesolite.messages.relayed import StatusUpdate
from mesolite.messages.tasks import Cause, Reason, TaskState


def started(a: AgentState, event: Started, sender: str, now: float) -> None:
    """Read the store before anything else (AG-4)."""
    a.name, a.incarnation = event.name, event.incarnation
    a.effects.append(Load())


def refused(a: AgentState, event: StoreRefused, sender: str, now: float) -> None:
    """What cannot be stored must not be acted on (AG-3)."""
    a.writes.refused()
    a.effects.append(Exit(f"the store refused: {event.reason}", 1))


def loaded(a: AgentState, event: Loaded, sender: str, now: float) -> None:
    """Rebuild what was checkpointed, and wait for its executors if there are any (AG-11, AG-12)."""
    records = identity.recovered(a, event)
    if records is None:
        return
    for key in sorted(records):
        record = records[key]
        match record:
            case FrameworkCheckpoint(framework_info=info, scheduler=scheduler):
                assert info.id is not None
                a.frameworks[info.id] = FrameworkRecord(info=info, scheduler=scheduler)
            case DrainConfig():
                a.drain = record
    for key in sorted(records):
        _rebuild(a, key, records[key])
    _forget_discarded(a)
    for framework in a.frameworks.values():
        for executor in framework.executors.values():
            a.effects.append(Link(executor.pid))
            if executor.phase is ExecutorPhase.RUNNING:
                a.send(executor.pid, ReconnectExecutor())
            executor.become(ExecutorPhase.REGISTERING)
    known = [executor.pid for framework in a.frameworks.values() for executor in framework.executors.values()]
    # Its endpoint for HTTP is part of itself, as it lives, or still of its earlier life.
    for orphan in [name for name in event.alive if name not in known and name != f"{a.name}/http"]:
        a.orphans[orphan] = None
        a.effects.append(Link(orphan))
    if a.frameworks:
        a.set_timer(ExecutorReregistrationTimeout(), a.settings.executor_reregistration_timeout_s)
        _ask_again_later(a)
    else:
        draining.forget(a)  # nothing is left of what it drained; in Mesos it refuses the next launch (4.4.12)
        _begin(a, now)


def _rebuild(a: AgentState, key: str, record: object) -> None:
    # Keys sort as executor/..., task/..., update/..., so each finds what it belongs to.
    match record:
        case ExecutorCheckpoint():
            executor = ExecutorRecord(
                id=record.executor_id,
                info=record.info,
                pid=record.pid,
                run=record.run,
                shutdown_grace_s=record.shutdown_grace_s,
                sandbox=record.sandbox,
                phase=ExecutorPhase.RUNNING if record.registered else ExecutorPhase.REGISTERING,
            )
            a.add_executor(a.frameworks[record.framework_id], executor)
            a.next_run = max(a.next_run, record.run + 1)
        case TaskCheckpoint():
            framework = a.frameworks[record.framework_id]
            task = TaskRecord(
                info=record.task,
                state=record.state,
                delivered=record.delivered,
                launched_at=record.launched_at,
                kill_cause=record.kill_cause,
            )
            a.add_task(framework, framework.executors[record.executor_id], task)
        case StatusUpdate():
            stream = a.streams.setdefault(
                (record.framework_id, record.status.task_id), UpdateStream(first=int(key.rsplit("/", 1)[1]))
            )
            stream.updates.append(record)
            if record.status.uuid is not None:
                stream.seen[record.status.uuid] = None
            found = a.find_task(a.frameworks[record.framework_id], record.status.task_id)
            if found is not None:
                found[1].said(record.status)


def _forget_discarded(a: AgentState) -> None:
    """Drop tasks that had ended when their framework was being shut down here, and their updates discarded (2.1.7).

    That life was killed before it could drop them, too. Nobody will ever acknowledge their end.
    """
    for framework in a.frameworks.values():
        for executor in framework.executors.values():
            for task in list(executor.tasks.values()):
                if task.state.is_terminal and (framework.id, task.info.task_id) not in a.streams:
                    a.drop_task(framework, executor, task.info.task_id)
                    checkpoints.drop_task(a, framework, task.info.task_id)


def reregister(a: AgentState, message: ReregisterExecutor, sender: str, now: float) -> None:
    """An executor is back: take its updates, and drop what it never got (AG-14, AG-15)."""
    framework = a.frameworks.get(message.framework_id)
    executor = a.executor_of(message.framework_id, message.executor_id, sender)
    if executor is not None and executor.phase is ExecutorPhase.RUNNING:
        a.send(sender, ExecutorReregistered(agent_info=a.info))  # it was asked twice
        return
    expected = executor is not None and executor.phase is ExecutorPhase.REGISTERING and a.phase is Phase.RECOVERING
    if framework is None or executor is None or not expected:
        a.send(sender, ShutdownExecutor(grace_s=a.settings.executor_shutdown_grace_s))
        return
    executor.become(ExecutorPhase.RUNNING)
    a.send(sender, ExecutorReregistered(agent_info=a.info))
    for update in message.updates:
        reports.received(a, update, sender, now)
    known = [task.task_id for task in message.tasks]
    for task in executor.live_tasks:
        if task.state is TaskState.TASK_STAGING and task.info.task_id not in known:
            ending = Ending(
                framework.info.or_lost(TaskState.TASK_DROPPED),
                Reason.REASON_AGENT_RESTARTED,
                "the task had not reached its executor when the agent restarted",
                Cause.NEVER_STARTED,
            )
            updates.make(a, framework, executor.id, task, ending, now)
    if not (executor.live_tasks or message.had_task):
        executors.shut_down(a, framework, executor)  # it came up for nothing (TK-44)


def _ask_again_later(a: AgentState) -> None:
    if a.settings.executor_reregistration_retry_s is not None:
        a.set_timer(ReconnectRetry(), a.settings.executor_reregistration_retry_s)


def ask_again(a: AgentState, key: ReconnectRetry, sender: str, now: float) -> None:
    """Executors that have not answered may not have heard (AG-11)."""
    if a.phase is not Phase.RECOVERING:
        return
    for framework in a.frameworks.values():
        for executor in framework.executors.values():
            if executor.phase is ExecutorPhase.REGISTERING:
                a.send(executor.pid, ReconnectExecutor())
    _ask_again_later(a)


def waited(a: AgentState, key: ExecutorReregistrationTimeout, sender: str, now: float) -> None:
    """The wait is over: executors that are not back are destroyed, then the agent registers (AG-12, AG-13)."""
    if a.phase is Phase.TERMINATING:
        return  # it was told to drain while it waited
    for framework in list(a.frameworks.values()):
        for executor in list(framework.executors.values()):
            if executor.phase is ExecutorPhase.REGISTERING:
                executor.become(ExecutorPhase.TERMINATING)
                executor.ending = executors.did_not_return(framework, executor)
                executors.destroy(a, executor)
                checkpoints.executor(a, framework, executor)
    if a.drain is not None:
        draining.kill_all(a, now)  # the kills may have been lost with the earlier life (4.4.11)
    revocation.replay(a, now)
    _begin(a, now)


def _begin(a: AgentState, now: float) -> None:
    a.become(Phase.DISCONNECTED)
    a.effects.extend(a.detector.start(now).effects)
