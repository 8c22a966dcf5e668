"""Outstanding offers, and how they end without being used: declined, rescinded, timed out (core.md OF-36 to OF-53)."""

from __future__ import annotations

from mesolite.actors.decisions.master.offers import inverse_offers
from mesolite.actors.decisions.master.records import AgentRecord, OfferRecord, TaskEnd
from mesolite.actors.decisions.master.state import MasterState
from mesolite.actors.decisions.master.timers import OfferTimeout
from mesolite.messages.ids import OfferId
from mesolite.messages.scheduler import (
    DeclineOffers,
    RescindOffer,
    ReviveOffers,
    SuppressOffers,
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


def withdraw_agent(m: MasterState, agent: AgentRecord, now: float) -> None:
    """Offer nothing more from an agent, and take back what is offered and asked; tasks are untouched (2.5.1)."""
    agent.active = False
    m.allocator.deactivate_agent(agent.id)
    rescind_all(m, agent.offers, now)
    inverse_offers.rescind_advice(m, agent.inverse_offers)


def agent_joined(m: MasterState, agent: AgentRecord, now: float) -> None:
    """The allocator may grant of it, what it came with excepted (drain.md 1.2.5)."""
    m.allocator.add_agent(agent.id, agent.info.resources, agent.used(), now, active=agent.active)


def agent_leaves(m: MasterState, agent: AgentRecord, end: TaskEnd, now: float) -> None:
    """The allocator forgets it first: nothing that follows is to be offered from it again (1.6.3)."""
    m.allocator.remove_agent(agent.id)


def agent_left(m: MasterState, agent: AgentRecord, end: TaskEnd, now: float) -> None:
    """What is offered of it, and asked for it, is void."""
    rescind_all(m, agent.offers, now)
    inverse_offers.rescind_all(m, agent.inverse_offers)
