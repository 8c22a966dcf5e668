"""What operators have decided about agents, and the drains that are past.

What has been decided about an agent is read with the decisions that are still being written: of two calls that overlap
the later one counts, whichever write is done first.
"""

from __future__ import annotations

import attrs

from mesolite.actors.decisions.master.membership.table import NO_DECISION_WHILE
from mesolite.actors.decisions.master.state import MasterState
from mesolite.messages.drains import DrainInfo, DrainState
from mesolite.messages.facts import DrainForgotten
from mesolite.messages.ids import AgentId, DrainId
from mesolite.messages.registrar import DeactivateAgent, Operation, ReactivateAgent, Registry, StartDrain


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


def recovered(m: MasterState, registry: Registry, now: float) -> None:
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
        return 409, f"agent {agent_id} is just being removed; look at the state again when that is done"
    if is_known(m, agent_id):
        return None
    if agent_id in m.gone:
        return 400, f"agent {agent_id} was marked gone and will never be back; name another agent"
    return 400, f"there is no agent {agent_id!r}; the state lists the agents by id"
