"""How agents leave for good: unregistered, replaced, with their machine (drain.md 2.3). Marked gone: gone.py.

UnregisterAgent ------------------+
another agent at its address -----+--> RemoveAgent written --> every task LOST, offers rescinded, agent lost
its machine is taken down --------+
"""

from __future__ import annotations

from mesolite.actors.decisions.master import watching
from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.membership import leaving
from mesolite.actors.decisions.master.membership.table import Change, Departure, MemberState
from mesolite.actors.decisions.master.records import TaskEnd
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.agent import UnregisterAgent
from mesolite.messages.ids import AgentId
from mesolite.messages.registrar import RemoveAgent
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
    coming_back = m.membership.reregistration(message.agent_id)
    if coming_back is not None and coming_back.sender == sender:
        coming_back.leaving = True  # ours: in Mesos nobody hears it, and it is waited for


def remove(m: MasterState, agent_id: AgentId, cause: Cause, now: float) -> None:
    """Want the agent deleted outright, unless another transition has begun, which then completes instead (2.3.2).

    A drain under way ends with it (4.6.8).
    """
    if not m.membership.may_begin(agent_id, Change.REMOVE):
        return
    m.membership.begin(agent_id, Change.REMOVE, Departure(cause))
    drain = decisions.drain_ended_by_removal(m, agent_id, now)
    m.write(RemoveAgent(agent_id=agent_id, drain=drain, forget=decisions.drains_to_forget(m)))


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
    decisions.forget(m, agent_id, operation.drain, operation.forget)
    agent = m.agents[agent_id]
    why = f"agent {agent_id} ({agent.info.hostname}) was removed: {WHY[cause]}"
    loss = TaskEnd(state=TaskState.TASK_LOST, reason=Reason.REASON_AGENT_REMOVED, cause=cause, message=why)
    m.membership.move(agent_id, MemberState.UNKNOWN)
    leaving.leave(m, agent, loss, now)
    watching.agent_removed(m, agent_id)
    m.subscribers.agent_lost(m, agent_id, now)
