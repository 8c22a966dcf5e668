"""How agents leave: unregistered, replaced, with their machine, or cut off (drain.md 1.6.3, 2.3).

UnregisterAgent ------------------+
another agent at its address -----+--> RemoveAgent written --> every task LOST, offers rescinded, agent lost
its machine is taken down --------+
no pong for 75 s ----------------------> MarkAgentUnreachable written --> the same, but UNREACHABLE where understood

Marked gone by an operator: gone.py.
"""

from __future__ import annotations

from mesolite.actors.decisions.master import tasks
from mesolite.actors.decisions.master.drain import deactivation
from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.membership.removal_limiter import Absence
from mesolite.actors.decisions.master.membership.table import Change, Departure, MemberState, Reregistration
from mesolite.actors.decisions.master.offers import inverse_offers, offers
from mesolite.actors.decisions.master.reclaim import reclaims
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.tasks import TaskEnd
from mesolite.actors.decisions.master.timers import PingBatch, ReregisterTimeout
from mesolite.messages.agent import UnregisterAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import RemoveAgent
from mesolite.messages.scheduler import AgentLost
from mesolite.messages.tasks import Cause, Reason, TaskState

WHY = {
    Cause.UNREGISTERED: "unregistered",
    Cause.CRASHED: "another agent came up at its address",
    Cause.MACHINE_DOWN: "its machine was taken down for maintenance",
}
"""Why agents are removed, in words."""


def unregister(m: MasterState, message: UnregisterAgent, sender: str, now: float) -> None:
    """The agent says it is leaving. Only that agent itself may say so (2.3.1)."""
    if m.agent_at(message.agent_id, sender) is not None:
        remove(m, message.agent_id, Cause.UNREGISTERED, now)
        return
    coming_back = m.membership.pending(message.agent_id, Change.READMIT)
    if isinstance(coming_back, Reregistration) and coming_back.sender == sender:
        coming_back.leaving = True  # ours: in Mesos nobody hears it, and it is waited for


def remove(m: MasterState, agent_id: AgentId, cause: Cause, now: float) -> None:
    """Want the agent deleted outright, unless another transition has begun, which then completes instead (2.3.2).

    A drain under way ends with it (4.6.8).
    """
    if not m.membership.may_begin(agent_id, Change.REMOVE):
        return
    m.membership.begin(agent_id, Change.REMOVE, Departure(cause))
    drain = deactivation.drain_ended_by_removal(m, agent_id, now)
    m.write(RemoveAgent(agent_id=agent_id, drain=drain, forget=deactivation.drains_to_forget(m)))


def removed(m: MasterState, operation: RemoveAgent, now: float) -> None:
    """It is deleted: now say so (2.3.5)."""
    agent_id = operation.agent_id
    departure = m.membership.end(agent_id, Change.REMOVE)
    assert isinstance(departure, Departure)
    cause = departure.cause
    m.counters.slave_removals += 1
    if cause is Cause.CRASHED:
        m.counters.slave_removals_reason_registered += 1
    elif cause is Cause.UNREGISTERED:
        m.counters.slave_removals_reason_unregistered += 1
    deactivation.forget(m, agent_id, operation.drain, operation.forget)
    agent = m.agents[agent_id]
    why = f"agent {agent_id} ({agent.info.hostname}) was removed: {WHY[cause]}"
    loss = TaskEnd(state=TaskState.TASK_LOST, reason=Reason.REASON_AGENT_REMOVED, cause=cause, message=why)
    m.membership.move(agent_id, MemberState.UNKNOWN)
    forget(m, agent, loss, now)
    reclaims.agent_left(m, agent_id, now)


def cut_off(m: MasterState, agent: AgentRecord, unreachable_time: float, now: float) -> None:
    """It is recorded as unreachable: its tasks are out of reach, and that is said (1.6.3)."""
    loss = TaskEnd(
        state=TaskState.TASK_UNREACHABLE,
        reason=Reason.REASON_AGENT_REMOVED,
        cause=Cause.UNREACHABLE,
        message=f"agent {agent.id} ({agent.info.hostname}) is unreachable",
        unreachable_time=unreachable_time,
    )
    forget(m, agent, loss, now)


def forget(m: MasterState, agent: AgentRecord, loss: TaskEnd, now: float) -> None:
    """Take a registered agent out of memory and tell every framework, in Mesos's order (1.6.3, 2.3.5, 4.7.3)."""
    # The allocator forgets it first: nothing that follows is to be offered from it again.
    m.allocator.remove_agent(agent.id)
    for task in list(agent.tasks.values()):
        tasks.end(m, m.frameworks[task.framework_id], task, loss, now)
    agent.executors.clear()
    offers.rescind_all(m, agent.offers, now)
    inverse_offers.rescind_all(m, agent.inverse_offers)
    machines.left(m, agent)
    del m.agents[agent.id]
    if m.agent_of_pid.get(agent.pid) == agent.id:
        del m.agent_of_pid[agent.pid]
    round_over = m.pings.leave(agent.id)
    if round_over is not None:
        m.cancel_timer(PingBatch(round_over))
    m.removals.cancel((Absence.UNHEALTHY, agent.id))
    m.cancel_timer(ReregisterTimeout(agent.id))
    announce_lost(m, agent.id)


def announce_lost(m: MasterState, agent_id: AgentId) -> None:
    """Tell every framework that an agent was lost (core.md RC-36)."""
    m.send_to_all_frameworks(AgentLost(agent_id=agent_id))
