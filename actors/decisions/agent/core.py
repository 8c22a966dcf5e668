"""The agent's core: a table from event to the function that decides. What is decided is in the files beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mesolite.actors.decisions.agent import (
    admission,
    draining,
    executors,
    graces,
    holdings,
    identity,
    leaving,
    recovery,
    registration,
    reports,
    revocation,
    tasks,
    timers,
    updates,
)
from mesolite.actors.decisions.agent.state import AgentState, Phase
from mesolite.actors.decisions.contract import (
    Core,
    Effect,
    LinkBroken,
    Loaded,
    PeerExited,
    Saved,
    SignalReceived,
    SpawnFailed,
    Started,
    StoreRefused,
    TimerFired,
    on,
)
from mesolite.actors.decisions.detector import LeaderDetector
from mesolite.actors.decisions.settings import Settings
from mesolite.messages.agent import (
    AgentRegistered,
    AgentReregistered,
    DrainAgent,
    PingAgent,
    RevokeExecutor,
    RevokeTask,
    ShutdownAgent,
    ShutdownFramework,
    UpdateFramework,
)
from mesolite.messages.base import Query
from mesolite.messages.executor import RegisterExecutor, ReregisterExecutor
from mesolite.messages.infos import AgentInfo
from mesolite.messages.queries import GetHoldings, QueryAnswered
from mesolite.messages.relayed import (
    ExecutorToFramework,
    FrameworkToExecutor,
    KillTask,
    RunTask,
    ShutdownExecutorOf,
    StatusUpdate,
    StatusUpdateAcknowledgement,
)

Decision = Callable[[AgentState, Any, str, float], None]

DECISIONS: dict[type, Decision] = dict(
    [
        on(Started, recovery.started),
        on(Loaded, recovery.loaded),
        on(StoreRefused, recovery.refused),
        on(SignalReceived, leaving.signalled),
        on(PeerExited, executors.exited),
        on(SpawnFailed, executors.spawn_failed),
        on(PingAgent, registration.pinged),
        on(AgentRegistered, registration.registered),
        on(AgentReregistered, registration.reregistered),
        on(ShutdownAgent, leaving.ordered),
        on(ShutdownFramework, leaving.shutdown_framework),
        on(UpdateFramework, tasks.update_framework),
        on(RunTask, tasks.run),
        on(KillTask, tasks.kill),
        on(ShutdownExecutorOf, leaving.shut_down_executor),
        on(DrainAgent, draining.told),
        on(RevokeTask, revocation.revoke_task),
        on(RevokeExecutor, revocation.revoke_executor),
        on(FrameworkToExecutor, tasks.to_executor),
        on(ExecutorToFramework, tasks.to_framework),
        on(RegisterExecutor, executors.register),
        on(ReregisterExecutor, recovery.reregister),
        on(StatusUpdate, reports.received),
        on(StatusUpdateAcknowledgement, reports.acknowledged),
    ]
)

TIMERS: dict[type, Decision] = dict(
    [
        on(timers.RegistrationAttempt, registration.attempt),
        on(timers.PingTimeout, registration.ping_timed_out),
        on(timers.UpdateRetry, updates.retry),
        on(timers.ExecutorRegistrationTimeout, executors.registration_timed_out),
        on(timers.ExecutorShutdownTimeout, executors.shutdown_timed_out),
        on(timers.ExecutorReregistrationTimeout, recovery.waited),
        on(timers.ReconnectRetry, recovery.ask_again),
        on(timers.LastGraceEnd, graces.over),
    ]
)


class AgentCore(Core):
    """One agent process on one machine."""

    TIMERS = TIMERS
    IGNORED = frozenset({LinkBroken})

    def __init__(self, settings: Settings, info: AgentInfo, work_dir: str, *, anew: bool = False) -> None:
        """Offer what `info` says; sandboxes are made under `work_dir`. `anew`: drop what an earlier life has stored."""
        super().__init__()
        watch = LeaderDetector(None, settings.session_timeout_s)
        self.state = AgentState(settings=settings, info=info, work_dir=work_dir, detector=watch, begins_anew=anew)

    def handle(self, event: object, sender: str, now: float) -> list[Effect]:
        """Decide what this event means now."""
        state = self.state
        if type(event) is Saved:
            return state.writes.saved(event.tag)
        self.effects = state.effects = []
        decide = DECISIONS.get(type(event))
        if decide is not None:
            if admission.admits(state, event, sender):
                decide(state, event, sender, now)
        elif state.detector.handles(event):
            # While it recovers it has not asked: that is news meant for an earlier life of it (LP-11).
            if state.phase is not Phase.RECOVERING:
                registration.follow(state, state.detector.handle(event, sender, now), now)
        elif type(event) is TimerFired:
            self.timer_handler(event)(state, event.key, sender, now)
        else:
            self.let_pass(event)
        if state.deferred_launches:
            tasks.answer_too_soon(state, now)
        if state.drain is not None:
            draining.look(state)
        if state.id_is_gone:
            identity.forget(state)
        return state.writes.commit(state.effects)

    def answer(self, query: Query, now: float) -> QueryAnswered | None:
        """What it has; nobody asks it anything else."""
        if not isinstance(query, GetHoldings):
            return None
        return QueryAnswered(call_id=query.call_id, holdings=holdings.take(self.state))

    def check(self) -> None:
        """Assert that executors and tasks are found where they are, and nowhere else."""
        state = self.state
        everywhere = {e.pid: (f, e) for f in state.frameworks.values() for e in f.executors.values()}
        assert state.executor_of_pid.keys() == everywhere.keys()
        for framework, executor in everywhere.values():
            assert state.executor_of_pid[executor.pid] == (framework, executor)
            assert all(framework.executor_of_task[task_id] is executor for task_id in executor.tasks)
        for framework in state.frameworks.values():
            assert len(framework.executor_of_task) == sum(
                len(executor.tasks) for executor in framework.executors.values()
            )
