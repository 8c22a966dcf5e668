"""From the allocator's grants to offers, one message per framework (core.md OF-15, OF-36)."""

from __future__ import annotations

from mesolite.actors.decisions.allocator.allocator import Grant
from mesolite.actors.decisions.master.maintenance import advice
from mesolite.actors.decisions.master.maintenance.rule import machine_of
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, OfferRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import Allocation, OfferTimeout
from mesolite.messages.ids import OfferId
from mesolite.messages.offers import Offer
from mesolite.messages.scheduler import (
    ResourceOffers,
)


def allocate(m: MasterState, key: Allocation, sender: str, now: float) -> None:
    """Offer what the allocator grants, one message per framework (OF-15, OF-36); then ask for what is wanted back."""
    offered: dict[str, list[Offer]] = {}
    for grant in m.allocator.run(now):
        framework, agent = m.frameworks[grant.framework_id], m.agents[grant.agent_id]
        # The allocator is told of every change in the same step, so a grant is never stale (drain.md 2.5.2).
        assert framework.active, f"{grant} is for a framework that must not be offered anything"
        assert agent.active, f"{grant} is of an agent that must not be offered"
        assert framework.pid is not None
        offer = _offer(m, framework, agent, grant)
        offered.setdefault(framework.pid, []).append(offer)
        if offer.unavailability is not None:
            m.inverse_offer_queue.add(agent.id, now)  # what is merely offered is asked for, too (drain.md 5.6.1)
    for actor, offers in offered.items():
        m.send(actor, ResourceOffers(offers=tuple(offers)))
    advice.ask_due(m, now)


def _offer(m: MasterState, framework: FrameworkRecord, agent: AgentRecord, grant: Grant) -> Offer:
    offer_id = OfferId(m.id_for("O", m.next_offer))
    m.next_offer += 1
    m.offers[offer_id] = OfferRecord(
        id=offer_id, framework_id=framework.id, role=grant.role, agent_id=agent.id, resources=grant.resources
    )
    framework.offers[offer_id] = agent.offers[offer_id] = None
    if m.settings.offer_timeout_s is not None:
        m.set_timer(OfferTimeout(offer_id), m.settings.offer_timeout_s)
    return Offer(
        id=offer_id,
        framework_id=framework.id,
        agent_id=agent.id,
        hostname=agent.info.hostname,
        resources=grant.resources,
        attributes=agent.info.attributes,
        executor_ids=tuple(executor for owner, executor in agent.executors if owner == framework.id),
        role=grant.role,
        unavailability=m.schedule.unavailability_of(machine_of(agent.info)),
        ip=agent.info.ip,
        port=agent.info.port,
    )
