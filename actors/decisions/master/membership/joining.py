"""An agent is taken into the books, new or returning (drain.md 1.2.5, 1.3.8)."""

from __future__ import annotations

from mesolite.actors.decisions.contract import Link
from mesolite.actors.decisions.master.maintenance import machines, schedules
from mesolite.actors.decisions.master.membership import health, removal
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.tasks import Cause


def join(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Take an agent into memory: link, first ping, allocator (1.2.5)."""
    at_its_address = m.agent_of_pid.get(agent.pid)
    if at_its_address is not None:
        # Whoever was there has gone, and we have not heard of it (1.2.4).
        if m.agents[at_its_address].connected:
            health.disconnected(m, m.agents[at_its_address], now)
        removal.remove(m, at_its_address, Cause.CRASHED, now)
    m.agents[agent.id] = agent
    m.agent_of_pid[agent.pid] = agent.id
    m.effects.append(Link(agent.pid))
    health.watch(m, agent, now)
    m.allocator.add_agent(agent.id, agent.info.resources, agent.used(), now, active=agent.active)
    machines.joined(m, agent, now)
    if machines.is_down(m, agent.info):
        schedules.shut_down(m, agent, now)  # the machine went down while the agent was being admitted
