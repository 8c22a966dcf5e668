"""Offers: from the allocator's grants to their five ends (core.md OF-36 to OF-63)."""

from __future__ import annotations

from mesolite.actors.decisions.allocator.allocator import Grant
from mesolite.actors.decisions.master.maintenance.rule import machine_of
from mesolite.actors.decisions.master.offers import inverse_offers, operations
from mesolite.actors.decisions.master.records import AgentRecord, FrameworkRecord, OfferRecord
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import Allocation, OfferTimeout
from mesolite.messages.ids import OfferId
from mesolite.messages.offers import Offer
from mesolite.messages.resources import Resources
from mesolite.messages.scheduler import (
    AcceptOffers,
    DeclineOffers,
    RescindOffer,
    ResourceOffers,
    ReviveOffers,
    SuppressOffers,
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
            m.inverse_offer_queue.look(agent.id, now)  # what is merely offered is asked for, too (drain.md 5.6.1)
    for actor, offers in offered.items():
        m.send(actor, ResourceOffers(offers=tuple(offers)))
    inverse_offers.ask_due(m, now)


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
    )


def discard(m: MasterState, offer: OfferRecord) -> None:
    """Forget an offer without a word to the scheduler and without giving its resources back (OF-41)."""
    del m.offers[offer.id]
    m.frameworks[offer.framework_id].offers.pop(offer.id, None)
    m.agents[offer.agent_id].offers.pop(offer.id, None)
    if m.settings.offer_timeout_s is not None:
        m.cancel_timer(OfferTimeout(offer.id))


def withdraw(m: MasterState, offer: OfferRecord, now: float, refuse_s: float | None = None) -> None:
    """Forget an offer and give its resources back to the allocator."""
    discard(m, offer)
    m.recover(offer.framework_id, offer.role, offer.agent_id, offer.resources, now, refuse_s)


def rescind_all(m: MasterState, offer_ids: dict[OfferId, None], now: float) -> None:
    """Take these offers back and tell their scheduler (OF-40)."""
    for offer_id in list(offer_ids):
        offer = m.offers[offer_id]
        withdraw(m, offer, now)
        m.send_to_framework(m.frameworks[offer.framework_id], RescindOffer(offer_id=offer_id))


def timed_out(m: MasterState, key: OfferTimeout, sender: str, now: float) -> None:
    """Nobody answered it: take it back (drain.md 5.6.6)."""
    rescind_all(m, {key.offer_id: None}, now)


def decline(m: MasterState, message: DeclineOffers, sender: str, now: float) -> None:
    """The scheduler does not want these (OF-44). Only its own: ours checks what Mesos does not (OF-45)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    for offer_id in message.offer_ids:
        if offer_id in framework.offers:
            withdraw(m, m.offers[offer_id], now, message.filters.refuse_seconds)


def suppress(m: MasterState, message: SuppressOffers, sender: str, now: float) -> None:
    """No more offers until revived; outstanding ones stay valid (OF-52)."""
    framework = m.caller(message.framework_id, sender)
    if framework is not None:
        m.allocator.suppress(framework.id)


def revive(m: MasterState, message: ReviveOffers, sender: str, now: float) -> None:
    """Offer again, filters forgotten (OF-52)."""
    framework = m.caller(message.framework_id, sender)
    if framework is not None:
        m.allocator.revive(framework.id, now)
        m.inverse_offer_queue.forget_framework(framework.id, now)  # drain.md 5.7.6


def accept(m: MasterState, message: AcceptOffers, sender: str, now: float) -> None:
    """The scheduler uses these offers: check them, apply operation after operation, give back the rest (OF-54..61)."""
    framework = m.caller(message.framework_id, sender)
    if framework is None:
        return
    why_not = _invalid(m, framework, message.offer_ids)
    if why_not:
        # Those still valid are lost to the framework too, without a filter (OF-55).
        for offer_id in dict.fromkeys(message.offer_ids):
            if offer_id in framework.offers:
                withdraw(m, m.offers[offer_id], now)
        for operation in message.operations:
            operations.drop(m, framework, operation, why_not)
        return
    offers = [m.offers[offer_id] for offer_id in message.offer_ids]
    agent, role = m.agents[offers[0].agent_id], offers[0].role
    left = Resources.sum(offer.resources for offer in offers)
    for offer in offers:
        discard(m, offer)
    for operation in message.operations:
        left = operations.apply(m, framework, agent, operation, left, now)  # against what the former left (OF-60)
    if left:
        m.recover(framework.id, role, agent.id, left, now, message.filters.refuse_seconds)


def _invalid(m: MasterState, framework: FrameworkRecord, offer_ids: tuple[OfferId, ...]) -> str:
    """Why these offers cannot be accepted together, in Mesos's order of checks (OF-54); '' if they can."""
    if not offer_ids:
        return "no offer was named; name the offers whose resources the tasks use"
    if len(dict.fromkeys(offer_ids)) != len(offer_ids):
        return f"an offer is named twice in {', '.join(offer_ids)}"
    for offer_id in offer_ids:
        if offer_id not in m.offers:
            return f"offer {offer_id} is not outstanding: it was used, declined or rescinded; wait for the next one"
    for offer_id in offer_ids:
        if offer_id not in framework.offers:
            return f"offer {offer_id} was made to another framework"
    roles = dict.fromkeys(m.offers[offer_id].role for offer_id in offer_ids)
    if len(roles) > 1:
        return f"the offers are made to several roles ({', '.join(roles)}); accept those of one role at a time"
    agents = dict.fromkeys(m.offers[offer_id].agent_id for offer_id in offer_ids)
    if len(agents) > 1:
        return f"the offers are of several agents ({', '.join(agents)}); accept those of one agent at a time"
    return ""
