"""Finding the leader and being its agent (drain.md 1.1, 1.2.7, 1.4.4 to 1.4.6)."""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.agent import causes, checkpoints, tasks, updates
from mesolite.actors.decisions.agent.state import AgentState, ExecutorPhase, Phase
from mesolite.actors.decisions.agent.timers import PingTimeout, RegistrationAttempt
from mesolite.actors.decisions.contract import Exit
from mesolite.actors.decisions.detector import Step
from mesolite.messages.agent import (
    AgentRegistered,
    AgentReregistered,
    PingAgent,
    PongAgent,
    RegisterAgent,
    ReregisterAgent,
)
from mesolite.messages.infos import ExecutorSummary
from mesolite.messages.tasks import Task

PONG = PongAgent()


def follow(a: AgentState, step: Step, now: float) -> None:
    """The elector answered: whoever leads, this agent is not registered with it yet (1.1.1, EL-48)."""
    a.effects.extend(step.effects)
    if not step.detected or a.phase in (Phase.RECOVERING, Phase.TERMINATING):
        return
    a.become(Phase.DISCONNECTED)
    a.cancel_timer(RegistrationAttempt())
    begin(a)


def begin(a: AgentState) -> None:
    """Registering begins, if anybody leads (1.1.1)."""
    if a.leader is not None:
        factor = a.settings.registration_backoff_factor_s
        a.registration_bound_s = 2 * factor
        a.set_timer(RegistrationAttempt(), 0.0, factor)


def attempt(a: AgentState, key: RegistrationAttempt, sender: str, now: float) -> None:
    """One attempt, and the next within twice the bound (1.1.2 to 1.1.4)."""
    if a.phase is not Phase.DISCONNECTED or a.leader is None:
        return
    a.send_to_leader(_reregistration(a) if a.id is not None else RegisterAgent(agent=a.info, life=a.incarnation))
    a.set_timer(RegistrationAttempt(), 0.0, a.registration_bound_s)
    a.registration_bound_s = min(a.registration_bound_s * 2, a.settings.registration_backoff_max_s)
    # News of another leader may have been lost; asking costs nothing while it has not changed.
    a.effects.extend(a.detector.refresh().effects)


def _reregistration(a: AgentState) -> ReregisterAgent:
    """Everything this agent holds (1.1.5), except what it is just ending."""
    assert a.id is not None
    reported: list[Task] = []
    summaries: list[ExecutorSummary] = []
    # Of a framework that ends here no master hears anything more, so it must not count on hearing how its tasks end.
    staying = [framework for framework in a.frameworks.values() if not framework.terminating]
    for framework in staying:
        for executor in framework.executors.values():
            if executor.info is not None and executor.phase is not ExecutorPhase.TERMINATED:
                summaries.append(
                    ExecutorSummary(
                        executor_id=executor.id,
                        framework_id=framework.id,
                        resources=executor.info.resources,
                        info=executor.info,
                    )
                )
            for task in executor.tasks.values():
                stream = a.streams.get((framework.id, task.info.task_id))
                sent = stream.forwarded if stream is not None else None
                reported.append(
                    Task(
                        task_id=task.info.task_id,
                        name=task.info.name,
                        framework_id=framework.id,
                        agent_id=a.id,
                        executor_id=executor.id if executor.info is not None else None,
                        state=task.state,
                        resources=task.info.resources,
                        status_update_state=sent.status.state if sent is not None else None,
                        status_update_uuid=sent.status.uuid if sent is not None else None,
                        launched_at=task.launched_at,
                        cause=causes.of(a, framework, task),
                        kill_cause=task.kill_cause,
                        v1_json=task.info.v1_json,
                    )
                )
    return ReregisterAgent(
        agent=a.info,
        frameworks=tuple(framework.info for framework in staying),
        tasks=tuple(reported),
        executors=tuple(summaries),
        life=a.incarnation,
    )


def registered(a: AgentState, message: AgentRegistered, sender: str, now: float) -> None:
    """Admitted, with an id that is kept from now on (1.2.7)."""
    if sender != a.leader or a.phase is Phase.TERMINATING or message.life not in (0, a.incarnation):
        return
    if a.phase is Phase.RUNNING:
        if message.agent_id != a.id:
            a.effects.append(Exit(f"registered as {message.agent_id} while running as {a.id}", 1))  # AG-19
        return
    a.info = attrs.evolve(a.info, id=message.agent_id)
    checkpoints.agent(a)
    _running(a, message.total_ping_timeout_s, now)


def reregistered(a: AgentState, message: AgentReregistered, sender: str, now: float) -> None:
    """Back, with the tasks the master misses (1.3.9)."""
    if sender != a.leader or a.phase is Phase.TERMINATING or message.life not in (0, a.incarnation):
        return
    if message.agent_id != a.id:
        a.effects.append(Exit(f"re-registered as {message.agent_id}, but this is {a.id}", 1))  # AG-19
        return
    if a.phase is Phase.DISCONNECTED:
        _running(a, message.total_ping_timeout_s, now)
    tasks.reconcile(a, message, now)


def _running(a: AgentState, total_ping_timeout_s: float, now: float) -> None:
    a.become(Phase.RUNNING)
    a.was_admitted = True
    a.cancel_timer(RegistrationAttempt())
    a.total_ping_timeout_s = total_ping_timeout_s
    a.ping_deadline = now + total_ping_timeout_s
    a.set_timer(PingTimeout(), total_ping_timeout_s)
    updates.resume(a)


def pinged(a: AgentState, message: PingAgent, sender: str, now: float) -> None:
    """Answer in every phase; a master that thinks the link is down makes us register again (1.4.4, 1.4.5)."""
    a.send(sender, PONG)
    # The timer is not set anew at each ping: when it fires it looks at the deadline.
    a.ping_deadline = now + a.total_ping_timeout_s
    if not message.connected and a.phase is Phase.RUNNING:
        a.effects.extend(a.detector.redetect(now).effects)


def ping_timed_out(a: AgentState, key: PingTimeout, sender: str, now: float) -> None:
    """No ping for the total time-out: look for the leader again (1.4.6)."""
    if now < a.ping_deadline:
        a.set_timer(PingTimeout(), a.ping_deadline - now)
    elif a.phase is not Phase.TERMINATING:
        a.effects.extend(a.detector.redetect(now).effects)
