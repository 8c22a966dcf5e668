"""Operators take agents out of the offers and put them back: deactivate, reactivate (drain.md 2.5, 4.1, 4.2).

What has been decided about an agent is read with the decisions that are still being written: of two calls that overlap
the later one counts, whichever write is done first.
"""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.master.maintenance import machines
from mesolite.actors.decisions.master.membership.table import NO_DECISION_WHILE
from mesolite.actors.decisions.master.offers import inverse_offers, offers
from mesolite.actors.decisions.master.records import AgentRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.drains import DrainInfo, DrainState
from mesolite.messages.facts import DrainForgotten
from mesolite.messages.ids import AgentId, DrainId
from mesolite.messages.operator import DeactivateAgentCall, ReactivateAgentCall
from mesolite.messages.registrar import DeactivateAgent, Operation, ReactivateAgent, Registry, StartDrain


def withdraw(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Offer nothing more from an agent, and take back what is offered and asked; tasks are untouched (2.5.1)."""
    agent.active = False
    m.allocator.deactivate_agent(agent.id)
    offers.rescind_all(m, agent.offers, now)
    inverse_offers.rescind_advice(m, agent.inverse_offers)


def pending_decisions(m: MasterState, agent_id: AgentId) -> list[Operation]:
    """What operators have just decided about this agent, and what is not durable yet, in order."""
    written: list[Operation] = []
    for write in m.pending_writes.values():
        match write.operation:
            case DeactivateAgent(agent_id=about) | ReactivateAgent(agent_id=about) if about == agent_id:
                written.append(write.operation)
            case StartDrain(drain=drain) if drain.agent_id == agent_id:
                written.append(write.operation)
    return written


def effective_decision(m: MasterState, agent_id: AgentId) -> tuple[bool, DrainInfo | None]:
    """Whether the agent is deactivated, and its drain, once all that is being written is durable."""
    latest = pending_decisions(m, agent_id)[-1:]
    match latest:
        case [StartDrain(drain=drain)]:
            return True, drain
        case [DeactivateAgent()]:
            return True, None
        case [ReactivateAgent()]:
            return False, None
    return agent_id in m.deactivated, m.deactivated.get(agent_id)


def open_drain(m: MasterState, agent_id: AgentId) -> DrainInfo | None:
    """The agent's drain, if it is under way; one whose end is being written is not."""
    _, drain = effective_decision(m, agent_id)
    if drain is None or drain.ended_at is not None or drain.id in m.ending_drains:
        return None
    return drain


def open_drains(m: MasterState) -> list[DrainInfo]:
    """All drains that are recorded as under way."""
    return [drain for drain in m.deactivated.values() if drain is not None and drain.ended_at is None]


def drain_ended_by_removal(m: MasterState, agent_id: AgentId, now: float) -> DrainInfo | None:
    """The drain of an agent that leaves before it was drained, as it ends with that (4.6.8)."""
    drain = open_drain(m, agent_id)
    return None if drain is None else attrs.evolve(drain, state=DrainState.LEFT, ended_at=now)


def drains_to_forget(m: MasterState) -> tuple[DrainId, ...]:
    """The past drains that have to be forgotten when one more ends, oldest first."""
    too_many = len(m.past_drains) + 1 - m.settings.past_drains_max
    return tuple(m.past_drains)[: max(0, too_many)]


def remember(m: MasterState, drain: DrainInfo, drains_to_forget: tuple[DrainId, ...]) -> None:
    """A drain has ended: it is history now, and older ones are not any more."""
    m.past_drains[drain.id] = drain
    m.publish(drain)
    for drain_id in drains_to_forget:
        if m.past_drains.pop(drain_id, None) is not None:
            m.publish(DrainForgotten(id=drain_id))


def recovered(m: MasterState, registry: Registry) -> None:
    """A new leader has read the registry, and makes known what it found."""
    m.deactivated = {record.agent_id: record.drain for record in registry.deactivated}
    m.past_drains = {drain.id: drain for drain in sorted(registry.past_drains, key=_ended_at)}
    for drain in (*m.deactivated.values(), *m.past_drains.values()):
        if drain is not None:
            m.publish(drain)


def _ended_at(drain: DrainInfo) -> float:
    assert drain.ended_at is not None, f"a drain under way is no history: {drain}"
    return drain.ended_at


def forget(m: MasterState, agent_id: AgentId, drain: DrainInfo | None, drains_to_forget: tuple[DrainId, ...]) -> None:
    """The agent has left for good, and what operators had decided about it with it; `drain` ended with that."""
    if drain is not None:
        remember(m, drain, drains_to_forget)
    m.deactivated.pop(agent_id, None)


def is_known(m: MasterState, agent_id: AgentId) -> bool:
    """Whether that agent belongs to the cluster, be it there or not (4.1.1)."""
    return agent_id in m.agents or agent_id in m.recovered or agent_id in m.unreachable


def refusal(m: MasterState, agent_id: AgentId) -> tuple[int, str] | None:
    """Why operators cannot decide about this agent now, None if they can (4.1.1, 4.3.3)."""
    if m.membership.is_pending(agent_id, *NO_DECISION_WHILE):
        return 409, f"agent {agent_id} is just being removed; look at state() again when that is done"
    if is_known(m, agent_id):
        return None
    if agent_id in m.gone:
        return 400, f"agent {agent_id} was marked gone and will never be back; name another agent"
    return 400, f"there is no agent {agent_id!r}; state() lists the agents by id"


def deactivate(m: MasterState, message: DeactivateAgentCall, sender: str, now: float) -> None:
    """Want it recorded (4.1.2). It is harmless to repeat, and ends no drain."""
    agent_id = message.agent_id
    why_not = refusal(m, agent_id)
    is_deactivated, drain = effective_decision(m, agent_id)
    if why_not is not None:
        m.answer(sender, message.call_id, *why_not)
    elif is_deactivated and not pending_decisions(m, agent_id):
        m.answer(sender, message.call_id)
    elif drain is not None:
        m.write_for(StartDrain(drain=drain), sender, message.call_id)  # as it is being written, so not to lose it
    else:
        m.write_for(DeactivateAgent(agent_id=agent_id), sender, message.call_id)


def deactivated(m: MasterState, operation: DeactivateAgent, now: float) -> None:
    """It is recorded: now do it (4.1.3)."""
    if not is_known(m, operation.agent_id):
        return  # it has left meanwhile
    m.deactivated[operation.agent_id] = None
    if operation.agent_id in m.agents:
        withdraw(m, m.agents[operation.agent_id], now)


def reactivate(m: MasterState, message: ReactivateAgentCall, sender: str, now: float) -> None:
    """Want the marks cleared, unless a drain is under way: that cannot be called off (4.2.1, 4.3.7)."""
    agent_id = message.agent_id
    is_deactivated, drain = effective_decision(m, agent_id)
    if (why_not := refusal(m, agent_id)) is not None:
        m.answer(sender, message.call_id, *why_not)
    elif not is_deactivated:
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
        machines.look(m, agent, now)
