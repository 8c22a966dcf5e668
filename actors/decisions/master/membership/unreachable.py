"""Agents are given up: for silence, or for not coming back in time (drain.md 1.6 to 1.8).

    five pings without a pong ----------+
    link broken, not back for 10 min ---+--> a permit --> needed still? --> MarkAgentUnreachable written --> it is
    not back with a new leader ---------+

Permits limit how fast agents are given up; without a limit there is one at once (1.8.1). Who waits for one because of
missing pongs leaves the queue when a pong comes (1.4.3) or the agent goes otherwise, and takes none. The other two are
looked at again only when they have their permit, so a comeback wastes it (1.8.3).
"""

from __future__ import annotations

from mesolite.actors.decisions.master.membership import leaving
from mesolite.actors.decisions.master.membership.removal_limiter import Absence, PendingRemoval
from mesolite.actors.decisions.master.membership.table import Change, Departure, MemberState
from mesolite.actors.decisions.master.records import AgentRecord, TaskEnd
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import Permit, RecoveryTimeout
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import MarkAgentUnreachable
from mesolite.messages.tasks import Cause, Reason, TaskState


def give_up(m: MasterState, agent: PendingRemoval, now: float) -> None:
    """Ask for a permit to mark this agent unreachable; one that fails its checks again asks only once (1.4.3)."""
    if agent not in m.removals:
        m.counters.slave_unreachable_scheduled += 1
        m.removals.ask(agent)
        _use_permits(m, now)


def recovery_timed_out(m: MasterState, key: RecoveryTimeout, sender: str, now: float) -> None:
    """Agents known only from the registry have not come back to the new leader in time (1.7.3)."""
    for agent_id in list(m.recovered):
        if not m.membership.is_pending(agent_id, Change.READMIT):
            give_up(m, (Absence.NOT_BACK, agent_id), now)


def permit_due(m: MasterState, key: Permit, sender: str, now: float) -> None:
    """The interval between two permits is over (1.8.2)."""
    _use_permits(m, now)


def _use_permits(m: MasterState, now: float) -> None:
    """Use every permit that is due, and be woken for the next that somebody waits for."""
    while (permitted := m.removals.permit(now)) is not None:
        why, agent_id = permitted
        if _is_needed(m, why, agent_id):
            m.counters.slave_unreachable_completed += 1
            _mark_unreachable(m, agent_id, now)
        else:
            m.counters.slave_unreachable_canceled += 1
    due_s = m.removals.due(now)
    if due_s is not None:
        m.set_timer(Permit(), due_s)


def _is_needed(m: MasterState, why: Absence, agent_id: AgentId) -> bool:
    """Whether what the permit was wanted for still holds (1.8.3)."""
    match why:
        case Absence.UNHEALTHY:
            return True  # or it would have left the queue
        case Absence.DISCONNECTED:
            return agent_id in m.agents and not m.agents[agent_id].connected
        case Absence.NOT_BACK:
            return agent_id in m.recovered and not m.membership.is_pending(agent_id, Change.READMIT)


def _mark_unreachable(m: MasterState, agent_id: AgentId, now: float) -> None:
    """Want it recorded, unless it is going, coming or gone already (1.6.1, 2.3.3)."""
    if m.membership.may_begin(agent_id, Change.MARK_UNREACHABLE):
        m.membership.begin(agent_id, Change.MARK_UNREACHABLE, Departure(Cause.UNREACHABLE))
        m.write(MarkAgentUnreachable(agent_id=agent_id, unreachable_time=now))


def marked_unreachable(m: MasterState, operation: MarkAgentUnreachable, now: float) -> None:
    """It is recorded: now say so (1.6.3; for a recovered agent 1.7.3)."""
    m.membership.end(operation.agent_id, Change.MARK_UNREACHABLE)
    was_recovered = operation.agent_id in m.recovered
    m.membership.move(operation.agent_id, MemberState.UNREACHABLE, operation.unreachable_time)
    if was_recovered:
        m.counters.recovery_slave_removals += 1
        leaving.announce_lost(m, operation.agent_id)
    else:
        m.counters.slave_removals += 1
        m.counters.slave_removals_reason_unhealthy += 1
        _cut_off(m, m.agents[operation.agent_id], operation.unreachable_time, now)
    m.subscribers.agent_lost(m, operation.agent_id, now)


def _cut_off(m: MasterState, agent: AgentRecord, unreachable_time: float, now: float) -> None:
    """It is recorded as unreachable: its tasks are out of reach, and that is said (1.6.3)."""
    loss = TaskEnd(
        state=TaskState.TASK_UNREACHABLE,
        reason=Reason.REASON_AGENT_REMOVED,
        cause=Cause.UNREACHABLE,
        message=f"agent {agent.id} ({agent.info.hostname}) is unreachable",
        unreachable_time=unreachable_time,
    )
    leaving.leave(m, agent, loss, now)
