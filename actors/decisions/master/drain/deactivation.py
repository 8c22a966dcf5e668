"""Operators take agents out of the offers and put them back: deactivate, reactivate (drain.md 2.5, 4.1, 4.2)."""

from __future__ import annotations

from mesolite.actors.decisions.master.drain import decisions
from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.offers import offers
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.drains import DrainState
from mesolite.messages.operator import DeactivateAgentCall, ReactivateAgentCall
from mesolite.messages.registrar import DeactivateAgent, ReactivateAgent, StartDrain


def deactivate(m: MasterState, message: DeactivateAgentCall, sender: str, now: float) -> None:
    """Want it recorded (4.1.2). It is harmless to repeat, and ends no drain."""
    agent_id = message.agent_id
    why_not = decisions.refusal(m, agent_id)
    is_deactivated, drain = decisions.effective_decision(m, agent_id)
    if why_not is not None:
        m.answer(sender, message.call_id, *why_not)
    elif is_deactivated and not decisions.pending_decisions(m, agent_id):
        m.answer(sender, message.call_id)
    elif drain is not None:
        m.write_for(StartDrain(drain=drain), sender, message.call_id)  # as it is being written, so not to lose it
    else:
        m.write_for(DeactivateAgent(agent_id=agent_id), sender, message.call_id)


def deactivated(m: MasterState, operation: DeactivateAgent, now: float) -> None:
    """It is recorded: now do it (4.1.3)."""
    if not decisions.is_known(m, operation.agent_id):
        return  # it has left meanwhile
    m.deactivated[operation.agent_id] = None
    if operation.agent_id in m.agents:
        offers.withdraw_agent(m, m.agents[operation.agent_id], now)


def reactivate(m: MasterState, message: ReactivateAgentCall, sender: str, now: float) -> None:
    """Want the marks cleared, unless a drain is under way: that cannot be called off (4.2.1, 4.3.7)."""
    agent_id = message.agent_id
    is_deactivated, drain = decisions.effective_decision(m, agent_id)
    if (why_not := decisions.refusal(m, agent_id)) is not None:
        m.answer(sender, message.call_id, *why_not)
    elif not is_deactivated:
        m.answer(sender, message.call_id, 400, f"agent {agent_id} is not deactivated, so there is nothing to undo")
    elif drain is not None and drain.state is DrainState.DRAINING:
        m.answer(
            sender,
            message.call_id,
            400,
            f"agent {agent_id} is draining and a drain cannot be called off; reactivate it when drain {drain.id} has "
            "ended: wait for its end, and look at what blocks it",
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
        machines.consider_asking(m, agent, now)
