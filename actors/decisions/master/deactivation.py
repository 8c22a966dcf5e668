"""Operators take agents out of the offers and put them back: deactivate, reactivate (drain.md 2.5, 4.1, 4.2)."""

from __future__ import annotations

from mesolite.actors.decisions.master import inverse_offers, offers
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.drains import DrainState
from mesolite.messages.ids import AgentId
from mesolite.messages.operator import DeactivateAgentCall, ReactivateAgentCall
from mesolite.messages.registrar import DeactivateAgent, ReactivateAgent


def withdraw(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Offer nothing more from an agent, and take back what is offered and asked; tasks are untouched (2.5.1)."""
    agent.active = False
    m.allocator.deactivate_agent(agent.id)
    offers.rescind_all(m, agent.offers, now)
    inverse_offers.rescind_all(m, agent.inverse_offers)


def refusal(m: MasterState, agent_id: AgentId) -> tuple[int, str] | None:
    """Why operators cannot decide about this agent now, None if they can (4.1.1, 4.3.3)."""
    if agent_id in m.marking_gone or agent_id in m.removing:
        return 409, f"agent {agent_id} is just being removed; look at state() again when that is done"
    if agent_id in m.agents or agent_id in m.recovered or agent_id in m.unreachable:
        return None
    if agent_id in m.gone:
        return 400, f"agent {agent_id} was marked gone and will never be back; name another agent"
    return 400, f"there is no agent {agent_id!r}; state() lists the agents by id"


def deactivate(m: MasterState, message: DeactivateAgentCall, sender: str, now: float) -> None:
    """Want it recorded (4.1.2). It is harmless to repeat, and ends no drain."""
    agent_id = message.agent_id
    why_not = refusal(m, agent_id)
    if why_not is not None:
        m.answer(sender, message.call_id, *why_not)
    elif agent_id in m.deactivated:
        m.answer(sender, message.call_id)
    else:
        m.write_for(DeactivateAgent(agent_id=agent_id), sender, message.call_id)


def deactivated(m: MasterState, operation: DeactivateAgent, now: float) -> None:
    """It is recorded: now do it (4.1.3). A drain that was recorded meanwhile stands."""
    m.deactivated.setdefault(operation.agent_id, None)
    if operation.agent_id in m.agents:
        withdraw(m, m.agents[operation.agent_id], now)


def reactivate(m: MasterState, message: ReactivateAgentCall, sender: str, now: float) -> None:
    """Want the marks cleared, unless a drain is under way: that cannot be called off (4.2.1, 4.3.7)."""
    agent_id = message.agent_id
    drain = m.deactivated.get(agent_id)
    if (why_not := refusal(m, agent_id)) is not None:
        m.answer(sender, message.call_id, *why_not)
    elif agent_id not in m.deactivated:
        m.answer(sender, message.call_id, 400, f"agent {agent_id} is not deactivated, so there is nothing to undo")
    elif drain is not None and drain.state is DrainState.DRAINING:
        m.answer(
            sender,
            message.call_id,
            400,
            f"agent {agent_id} is draining and a drain cannot be called off; reactivate it when drain {drain.id} has "
            "ended: wait() on it, and look at its blocked_by",
        )
    else:
        m.write_for(ReactivateAgent(agent_id=agent_id), sender, message.call_id)


def reactivated(m: MasterState, operation: ReactivateAgent, now: float) -> None:
    """The marks are gone: offer from it again, if it is there and connected (4.2.3)."""
    m.deactivated.pop(operation.agent_id, None)
    agent = m.agents.get(operation.agent_id)
    if agent is not None and agent.connected:
        agent.active = True
        m.allocator.activate_agent(agent.id, now)
