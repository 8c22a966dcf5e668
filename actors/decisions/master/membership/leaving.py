"""An agent is taken out of memory, however it left, and everybody is told (drain.md 1.6.3, 2.3.5, 4.7.3)."""

from __future__ import annotations

from mesolite.actors.decisions.master.records import AgentRecord, TaskEnd
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import ReregisterTimeout
from mesolite.messages.ids import AgentId
from mesolite.messages.scheduler import AgentLost


def leave(m: MasterState, agent: AgentRecord, end: TaskEnd, now: float) -> None:
    """Take a registered agent out of memory and tell every framework, in Mesos's order (1.6.3, 2.3.5, 4.7.3).

    `end` is what becomes of its tasks.
    """
    m.subscribers.agent_left(m, agent, end, now)
    del m.agents[agent.id]
    if m.agent_of_pid.get(agent.pid) == agent.id:
        del m.agent_of_pid[agent.pid]
    m.cancel_timer(ReregisterTimeout(agent.id))
    announce_lost(m, agent.id)


def announce_lost(m: MasterState, agent_id: AgentId) -> None:
    """Tell every framework that an agent was lost (core.md RC-36)."""
    m.send_to_all_frameworks(AgentLost(agent_id=agent_id))
