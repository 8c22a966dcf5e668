"""An agent is taken into memory, new or returning (drain.md 1.2.5, 1.3.8)."""

from __future__ import annotations

from mesolite.actors.decisions.contract import Link
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState


def join(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Take an agent into memory: link, first ping, allocator (1.2.5)."""
    at_its_address = m.agent_of_pid.get(agent.pid)
    if at_its_address is not None:
        m.subscribers.agent_replaced(m, m.agents[at_its_address], now)
    m.agents[agent.id] = agent
    m.agent_of_pid[agent.pid] = agent.id
    m.effects.append(Link(agent.pid))
    m.subscribers.agent_joined(m, agent, now)
